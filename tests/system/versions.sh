#!/usr/bin/env bash
# Runs that version 0.1 of the program left half done, in files of format version 2 (and candidates' files of version 1), go on:
# their reports are those of runs that nothing disturbed, and what they had worked out is not worked out again.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

# They were begun with these kernels of linear algebra, and with others the last bits of weight vectors differ.
grep -qs avx2 /proc/cpuinfo || skip 'the files were begun on a processor with AVX2'
export OPENBLAS_CORETYPE=Haswell

cp -r "$ROBOTNAS_SOURCE"/tests/data/versions/. .
mkdir anew
cp ./*.yaml ./*.csv trainer.sh anew

# version_of FILE: its format version.
version_of() {
    od -An -j 8 -N 8 -t u8 "$1" | tr -d ' '
}

# A search on a table, in the second of three repeats.
[ "$(version_of table.h5)" = 2 ] || fail 'the file of the table is of another version'
cp table.h5 before.h5
"$ROBOTNAS" report table.h5 --json >half.json || fail 'a file of version 2 is not reported'
cmp table.h5 before.h5 || fail 'a report changed the file'
expect_exit 0 "$ROBOTNAS" search table.yaml --resume
[ "$(version_of table.h5)" = 3 ] || fail 'the run that went on was saved in another version'
[ "$(version_of table.h5.prev)" = 3 ] || cmp table.h5.prev before.h5 || fail 'the file before is neither of the two'
(cd anew && expect_exit 0 "$ROBOTNAS" search table.yaml)
same_report anew/table.h5 >undisturbed
expect_report table.h5 undisturbed

# Where the job names no method, it goes on with the one that it began with, which was the default then; and that is said.
sed 's/method: robot, //' table.yaml >unnamed.yaml
cp before.h5 unnamed.h5
expect_exit 0 "$ROBOTNAS" search unnamed.yaml --resume --set output=unnamed.h5
expect_line err 'the job names no search\.method: it goes on with robot, with which the run at unnamed\.h5 began$'
expect_report unnamed.h5 undisturbed
expect_exit 0 "$ROBOTNAS" search unnamed.yaml --fresh --set output=unnamed.h5
if same_report unnamed.h5 | cmp -s - undisturbed; then fail 'one that is begun anew takes the method of before'; fi

# Evaluations are taken over from it, and so are those of a complete one.
expect_exit 0 "$ROBOTNAS" search table.yaml --set output=larger.h5 --set search.budget=6 --reuse before.h5
"$ROBOTNAS" report larger.h5 --json | python3 -c 'import json, sys; assert json.load(sys.stdin)["timing"]["reused"] > 0'

# A retry of what failed: four results are known, a candidate's file holds another one that no step has yet.
[ "$(version_of command.h5.d/000001-s3.h5)" = 1 ] || fail "the candidate's file is of another version"
"$ROBOTNAS" report command.h5 --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
assert len(report["repeats"][0]["earlier"]) == 4, report
assert [(c["index"], c["status"], c["target"]) for c in report["timing"]["candidates"]] == [(1, "ok", 7)], report'
expect_exit 0 "$ROBOTNAS" search command.yaml --resume
if grep -qx 1 runs; then fail 'what was in a candidate'\''s file was worked out again'; fi
(
    cd anew
    FAILING=1 expect_exit 0 "$ROBOTNAS" search command.yaml
    expect_exit 0 "$ROBOTNAS" search command.yaml --resume --retry-failed
)
same_report anew/command.h5 >undisturbed
expect_report command.h5 undisturbed
echo 'files of older versions are read and go on'
