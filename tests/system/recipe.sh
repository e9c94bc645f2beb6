#!/usr/bin/env bash
# What docs/h5py.md reads from state files is what the program reports: of a search on a table, one by a command that fails
# at times, a run that scores, and a search that trains.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'the program does here what it does in score, train and command, and Python reads'
# shellcheck source=tests/system/scoring.sh
. "$(dirname "${BASH_SOURCE[0]}")/scoring.sh"
python=$(python_with h5py) || skip 'no Python with h5py'
export PYTHONPATH=$ROBOTNAS_SOURCE/scripts PYTHONDONTWRITEBYTECODE=1
page=$ROBOTNAS_SOURCE/docs/h5py.md

# take_blocks LANGUAGE: the page's blocks in it, each into a file LANGUAGE.N.
take_blocks() {
    awk -v language="$1" '
        $0 == "```" { inside = 0 }
        inside { print >file }
        $0 == "```" language { inside = 1; file = language "." ++n }' "$page"
}

# run_blocks N...: these of the page's blocks of Python, on run.h5, with the output of block N in block.N.
run_blocks() {
    local n
    for n in "$@"; do
        "$python" "python.$n" >"block.$n" || fail "$page: $(cat "python.$n")"
    done
}

# check TABLE...: what read_run.py prints of run.h5 is what the program reports of it.
check() {
    local table
    "$ROBOTNAS" report run.h5 --json >report.json
    for table in "$@"; do
        "$python" "$ROBOTNAS_SOURCE/scripts/read_run.py" run.h5 "$table" >"$table.csv" || fail "no $table"
    done
    python3 "$ROBOTNAS_SOURCE/tests/system/recipe_check.py" report.json "$@" || fail "$*: not what the program reports"
}

# has_lines FILE N: it has N lines.
has_lines() {
    [ "$(wc -l <"$1")" = "$2" ] || fail "$1 has $(wc -l <"$1") lines instead of $2"
}

take_blocks python
take_blocks sh
if [ ! -e python.4 ] || [ -e python.5 ] || [ ! -e sh.1 ] || [ -e sh.2 ]; then fail "$page has other blocks"; fi

small_job table.yaml
expect_exit 0 "$ROBOTNAS" search table.yaml --set output=run.h5
check evaluations history
run_blocks 1 2 3 4
python3 - <<'PY' || fail "the page's means are not those of the report"
import json, math
last = open("block.1").read().split()[-1]
assert math.isclose(float(last), json.load(open("report.json"))["summary"]["target"]["mean"], rel_tol=1e-12)
PY
has_lines block.2 36
has_lines block.4 0
expect_exit 1 "$python" "$ROBOTNAS_SOURCE/scripts/read_run.py" run.h5 metrics
expect_line err 'run.h5: this run scored nothing'
expect_exit 1 "$python" "$ROBOTNAS_SOURCE/scripts/read_run.py" run.h5 curves
expect_line err 'run.h5: this run trained nothing'

# As a user types it, with a python3 that has h5py.
mkdir bin shell
printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >bin/python3
chmod +x bin/python3
ln -s "$ROBOTNAS_SOURCE/scripts" shell/scripts
cp run.h5 shell
(cd shell && PATH=$folder/bin:$PATH bash -e ../sh.1) || fail "$page: $(cat sh.1)"
for table in evaluations history; do
    cmp "$table.csv" "shell/$table.csv" >&2 || fail "$table.csv differs"
done

cat >command.yaml <<JOB
name: command
pool: {space: table, table: $example}
metrics: {names: [synflow, jacob_cov]}
objective:
  kind: command
  command: [sh, -c, 'case {index} in *[13579]) exit 3;; esac; echo "{{\\"score\\": {index}, \\"cost\\": 2}}"']
  minimise: true
search: {method: robot, budget: 10, parallel: 3}
JOB
expect_exit 0 "$ROBOTNAS" search command.yaml --set output=run.h5 --fresh
check evaluations history
run_blocks 1 2 3
grep -q ',failed,exit code 3,' evaluations.csv || fail 'no failure, or not its reason'

score_job score.yaml
expect_exit 0 "$ROBOTNAS" score score.yaml --set output=run.h5 --fresh
"$ROBOTNAS" report run.h5 --csv scores.csv
check metrics
run_blocks 4
has_lines block.4 11

python3 "$ROBOTNAS_SOURCE/tests/system/images.py" test.bin 60 2
cat >train.yaml <<JOB
name: train
seed: 3
backend: $backend
pool: {space: nas-bench-201, subset: {sample: 12}}
network: {channels: 8, cells: 1}
data: {format: cifar-binary, train: [images.bin], test: [test.bin], limit: 100}
metrics: {source: compute, names: [synflow, nwot], batch: 8}
objective: {kind: train, epochs: 2, batch: 16}
search: {method: robot, budget: 4, parallel: 2, repeats: 2}
JOB
expect_exit 0 "$ROBOTNAS" search train.yaml --set output=run.h5 --fresh
"$ROBOTNAS" report run.h5 --csv-scores scores.csv
check metrics evaluations history curves
run_blocks 1 2 3 4
has_lines curves.csv 17
