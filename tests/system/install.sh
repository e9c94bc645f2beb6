#!/usr/bin/env bash
# What is installed works by itself: the program, and a first job with its table.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'what is installed is the program that the other tests run'

build=$(dirname "$(dirname "$ROBOTNAS")")
[ -f "$build/CMakeCache.txt" ] || skip "$ROBOTNAS lies in no build folder"
expect_exit 0 "${CMAKE:-cmake}" --install "$build" --prefix "$folder/prefix"
installed=$folder/prefix/bin/robotnas
[ "$("$installed" --version)" = "$("$ROBOTNAS" --version)" ] || fail "the installed program is another one"
expect_exit 0 "$installed" search prefix/share/robotnas/jobs/fashion-mnist-table.yaml
[ -f runs/fashion-mnist-table.h5 ] || fail "the first job left no state"
for document in README.md LICENSE docs/job-file.md docs/report.md slurm/README.md; do
    [ -s "prefix/share/doc/robotnas/$document" ] || fail "$document is not installed"
done
expect_exit 0 env -u ROBOTNAS prefix/share/robotnas/slurm/submit --dry-run prefix/share/robotnas/jobs/fashion-mnist-table.yaml
expect_line out '^sbatch .*/share/robotnas/slurm/search.sbatch '
