#!/usr/bin/env bash
# The shape of the sources (scripts/measure.sh): folders, lengths, arrows between folders, circles of files. And that each is seen.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

build=$(cd "$(dirname "$ROBOTNAS")/.." && pwd)
is_sanitized && build=none # its objects ask for more than what is written
expect_exit 0 "$ROBOTNAS_SOURCE/scripts/measure.sh" "$build"

# ---- What is beyond the limits is named ----

tree() {
    rm -rf tree
    mkdir -p tree/scripts
    cp -r "$ROBOTNAS_SOURCE"/{common,worker,coordinator} tree
    cp "$ROBOTNAS_SOURCE/scripts/measure.sh" tree/scripts
}
# expect_fault PATTERN [BUILD]
expect_fault() {
    expect_exit 1 tree/scripts/measure.sh "${2:-none}"
    expect_line out "^beyond the limits: $1"
}

tree
echo '#include "worker/ranking/score_table.h"' >>tree/common/base/rng.c
expect_fault 'common/base/rng\.c includes worker/ranking/score_table\.h: an arrow that goes up$'
tree
sed -i 's/nas_dep_csv/nas_dep_csv nas_state/' tree/common/io/CMakeLists.txt
expect_fault 'common/io/CMakeLists.txt links to nas_state, which is of common/state: an arrow that goes up$'
tree
mkdir tree/worker/attic && echo 'int nas_attic;' >tree/worker/attic/attic.c
expect_fault 'worker/attic has no place'
tree
for i in {1..21}; do echo 'int nas_none;' >"tree/worker/schedule/none$i.c"; done
expect_fault 'worker/schedule has 22 \.c files; 20 at most$'
tree
{ printf 'void nas_long(void)\n{\n' && printf '    ;\n%.0s' {1..59} && echo '}'; } >>tree/worker/schedule/schedule.c
expect_fault 'worker/schedule/schedule\.c:[0-9]* has 61 lines; 60 at most$'
tree
echo '#include <mpi.h>' >>tree/worker/ranking/score_table.h
expect_fault 'worker/ranking/score_table\.h includes mpi\.h; common/comm alone does$'

# Two files that call each other, and one that calls one of them.
tree
objects=tree/build/common/base/CMakeFiles/nas_base.dir
mkdir -p "$objects" tree/build/{worker,coordinator}
for pair in one:two two:one three:one; do
    name=${pair%:*} other=${pair#*:}
    echo "int $name(int), $other(int); int $name(int i) { return i ? $other(i - 1) : 0; }" >"tree/common/base/$name.c"
    cc -c "tree/common/base/$name.c" -o "$objects/$name.c.o"
done
printf '#!/bin/sh\n' >tree/build/coordinator/robotnas && chmod +x tree/build/coordinator/robotnas
expect_fault 'files call each other in a circle:$' build
expect_line out '^    common/base/one\.c$'
expect_line out '^    common/base/two\.c$'
if grep -q '^    common/base/three' out; then fail "a file that nobody calls is in no circle"; fi
