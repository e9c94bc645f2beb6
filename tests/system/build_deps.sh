#!/usr/bin/env bash
# scripts/build-deps.sh knows archives by what they hold, says what is wrong in one line, and builds each once. Where
# ROBOTNAS_ARCHIVES names a folder of real source archives, an ordinary user builds them and then this program with them.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'this is about scripts'
build_deps=$ROBOTNAS_SOURCE/scripts/build-deps.sh

# archive NAME FILE...: NAME holds these files, each of the text "TOP/FILE", in a folder TOP.
archive() {
    local file name=$1
    shift
    rm -rf top
    for file; do install -D -m 755 <(printf '#!/bin/sh\n: %s\n' "$file") "top/$file"; done
    tar -caf "$name" top
    rm -rf top
}

# refused PATTERN ARGUMENT...: exit code 2 and a line.
refused() {
    local pattern=$1
    shift
    expect_exit 2 "$build_deps" "$@"
    expect_line err "^build-deps: $pattern"
    expect_line err '^'
}

for arguments in '' '--prefix p' 'p.tar.gz' '--prefix' '--frobnicate p'; do
    # shellcheck disable=SC2086 # words
    expect_exit 2 "$build_deps" $arguments
    expect_line err '^# usage: scripts/build-deps.sh --prefix DIR ARCHIVE|FOLDER'
done
archive v1.14.0.tar.gz include/Random123/philox.h include/Random123/array.h
archive other.tar.gz README
mkdir none given
refused 'nowhere.tar.gz is not there$' --prefix p nowhere.tar.gz
refused 'other.tar.gz is no source archive of: nlopt ' --prefix p other.tar.gz
refused 'no source archive of .* in: none$' --prefix p none
cp v1.14.0.tar.gz given/again.tar.gz
refused 'two archives of random123: .*/v1.14.0.tar.gz and given/again.tar.gz$' --prefix p v1.14.0.tar.gz given
CC=no-such-cc refused 'no-such-cc is not there: ' --prefix p v1.14.0.tar.gz
archive nlopt.tar.gz src/api/nlopt.h
CXX=no-such-c++ refused 'nlopt needs a C++ compiler, and no-such-c++ is not there: ' --prefix p nlopt.tar.gz
[ ! -e p ] || fail 'something was built'

# In a folder, whatever is there, under any name; what is no archive of these is passed over.
mv v1.14.0.tar.gz given/again.tar.gz
cp other.tar.gz given
expect_exit 0 "$build_deps" --prefix 'the prefix' given
[ -f 'the prefix/include/Random123/array.h' ] || fail 'Random123 is not there'
expect_line out '^random123 *built in [0-9]* s, of again.tar.gz$'
expect_line out '^No archive was given of: nlopt libcsv jansson protobuf protobuf-c onednn$'
expect_exit 0 "$build_deps" --prefix 'the prefix' given
expect_line out '^random123 *is there already, of again.tar.gz$'

# One that does not build ends it, and is not taken for built the next time.
archive csv.tar.gz libcsv.c csv.h
for _ in first second; do
    expect_exit 1 "$build_deps" --prefix broken csv.tar.gz
    expect_line err "^build-deps: libcsv failed; the whole output is $folder/broken/build-deps/libcsv.log\$"
done

# ---- For real ----

[ -n "${ROBOTNAS_ARCHIVES:-}" ] || {
    skip_part 'real libraries: ROBOTNAS_ARCHIVES names no folder of their source archives, and building them takes 10 minutes'
    exit 0
}
chmod a+rx .
mkdir -m 777 real
everybody=$folder/everybody
mkdir -p "$everybody"
cp -R "$ROBOTNAS_SOURCE"/{scripts,cmake,common,worker,coordinator,jobs,slurm,docs} "$ROBOTNAS_SOURCE"/{CMakeLists.txt,CMakePresets.json,*.md,LICENSE} \
    "$everybody"
cp -R "$ROBOTNAS_ARCHIVES" "$everybody/archives"
chmod -R a+rX "$everybody"
export HOME=$folder/real
as_nobody "$everybody/scripts/build-deps.sh" --prefix "$folder/real/deps" "$everybody/archives"
expect_exit 0 as_nobody cmake -S "$everybody" -B real/build -DCMAKE_PREFIX_PATH="$folder/real/deps" -DROBOTNAS_TESTS=OFF \
    -DCMAKE_INSTALL_PREFIX="$folder/real/installed"
for library in nlopt csv jansson protobuf_c; do
    grep -q "^${library}_LIBRARY:.*$folder/real/deps/lib/" real/build/CMakeCache.txt ||
        fail "not found in the prefix: $(grep "^${library}_LIBRARY" real/build/CMakeCache.txt)"
done
expect_exit 0 as_nobody cmake --build real/build --target install
expect_exit 0 as_nobody real/installed/bin/robotnas --version
ldd real/installed/bin/robotnas >libraries
expect_line libraries "libnlopt.* => $folder/real/deps/lib/"
