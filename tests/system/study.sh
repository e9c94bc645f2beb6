#!/usr/bin/env bash
# The study (jobs/study): it runs what is not finished, the same on any number of ranks, and its numbers are what the tables say. What
# pool-gp promises on the shipped table: better than random search, and the same picks whatever monotone transforms do to metrics.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export PYTHONDONTWRITEBYTECODE=1
scripts=$ROBOTNAS_SOURCE/jobs/study

python3 "$ROBOTNAS_SOURCE/tests/system/study_check.py" "$scripts" || fail "the law of random search is another"

# study OPTION...: on the shipped table, with the table of results in out.
study() {
    expect_exit 0 python3 "$scripts/study.py" --robotnas "$ROBOTNAS" --tables fashion-mnist-table "$@"
}

# ---- Runs ----

few=(--methods pool-gp 'pool-gp, q = 4' 'robot, ranks' random rea --seeds 3 --block 2)
study "${few[@]}" --folder one --budgets 5 12
cp out first
expect_line out '^### fashion-mnist-table, 400 architectures$'
expect_line out '^|  5 | random, expected '
for method in 'pool-gp' 'pool-gp, q = 4' 'robot, ranks' 'random' 'rea'; do expect_line out "^| 12 | $method  *|  *3 |"; done
expect_line err '^14 runs to do$'

# What is finished is not run again; what is lost is.
study "${few[@]}" --folder one --budgets 5 12
expect_line err '^0 runs to do$'
cmp first out || fail "finished runs say something else"
rm one/fashion-mnist-table/rea/T12-seeds-2-2-*.json
study "${few[@]}" --folder one --budgets 5 12 --at-once 2
expect_line err '^1 runs to do$'
cmp first out || fail "a run that was run again says something else"
study --print --folder one --budgets 5 12 --methods random
expect_line out '^| 12 | random  *|  *3 |'

# The same on two ranks; and evaluations that need no run of their own are those that one would have made.
study "${few[@]}" --folder two --budgets 12 --launch "$MPIEXEC -n 2"
diff <(grep '^| 12' first | tr -d ' ') <(grep '^| 12' out | tr -d ' ') || fail "two ranks find something else"
study "${few[@]}" --folder five --budgets 5
diff <(grep '^|  5' first | tr -d ' ') <(grep '^| 5' out | sed 's/^| /|/' | tr -d ' ') || fail "the first 5 of 12 are not those of 5"

expect_exit 2 python3 "$scripts/study.py" --methods nonsense
expect_exit 2 python3 "$scripts/study.py" --seeds 0
expect_exit 1 python3 "$scripts/study.py" --robotnas "$ROBOTNAS" --tables fashion-mnist-table fashion-mnist-table
expect_exit 1 python3 "$scripts/study.py" --robotnas "$ROBOTNAS" --tables none.yaml --folder none

if python=$(python_with matplotlib); then
    for folder in plots again; do
        expect_exit 0 "$python" "$scripts/study.py" --robotnas "$ROBOTNAS" --tables fashion-mnist-table "${few[@]}" --folder one \
            --budgets 5 12 --plots $folder
    done
    grep -q '>pool-gp</text>' plots/fashion-mnist-table.svg || fail "no line of pool-gp in the plot"
    cmp plots/fashion-mnist-table.svg again/fashion-mnist-table.svg || fail "equal numbers, another plot"
else
    skip_part "plots: there is no python3-matplotlib"
fi

# ---- pool-gp on the shipped table ----

study --methods pool-gp --folder guard --budgets 10 20 50 --seeds 20
python3 - out <<'PYTHON' || fail "pool-gp is no better than random search"
import sys

rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in open(sys.argv[1]) if line.startswith("|")]
mean = {(row[0], row[1]): float(row[3]) for row in rows if row[0].isdigit() and len(row) > 9}
print(mean)
assert all(mean[t, "pool-gp"] < mean[t, "random, expected"] for t in ("10", "20", "50"))
PYTHON

# picks TABLE NAME...: what a job on the table finds with these metrics, in a file TABLE.picks, and its report in TABLE.report.
picks() {
    local table=$1 names=$2
    small_job job.yaml
    expect_exit 0 "$ROBOTNAS" search job.yaml --fresh --set "pool.table=$PWD/$table" --set "output=$table.h5" --set search.method=pool-gp \
        --set search.budget=40 --set "metrics.names=[$names]" --set 'metrics.transform={}'
    same_report "$table.h5" >"$table.report"
    grep -E '"(arch|target|phase|seed)"' "$table.report" >"$table.picks"
}

# Each metric transformed in its own way, which keeps the order and makes no ties; and a metric added that is constant.
names='grad_norm, snip, grasp, fisher, synflow, jacob_cov, nwot, params'
python3 - "$example" <<'PYTHON'
import csv, math, sys

rows = list(csv.DictReader(open(sys.argv[1])))
names = ["grad_norm", "snip", "grasp", "fisher", "synflow", "jacob_cov", "nwot", "params"]
changes = [math.log, lambda x: x**3, lambda x: 5 * x + 7, math.sqrt, math.log, lambda x: -1e6 / (x + 1e6), math.exp]
transformed = [dict(row) for row in rows]
for i, name in enumerate(names):
    before = [float(row[name]) for row in rows]
    if i < len(changes):
        after = [changes[i](x) for x in before]
    else: # far apart, by rank
        after = [1e10 * sorted(set(before)).index(x) ** 3 for x in before]
    order = sorted(range(len(rows)), key=lambda k: before[k])
    for k, l in zip(order, order[1:]):
        assert (before[k] < before[l]) == (after[k] < after[l]) and (before[k] == before[l]) == (after[k] == after[l]), name
    for row, x in zip(transformed, after):
        row[name] = repr(x)

def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

write("plain.csv", rows)
write("transformed.csv", transformed)
write("constant.csv", [dict(row, constant="3.5") for row in rows])
PYTHON
picks plain.csv "$names"
picks transformed.csv "$names"
cmp plain.csv.report transformed.csv.report || fail "a monotone transform changes what is picked"
picks constant.csv "$names, constant"
cmp plain.csv.picks constant.csv.picks || fail "a constant metric changes what is picked"
picks plain.csv 'grad_norm, snip'
! cmp -s plain.csv.picks constant.csv.picks || fail "other metrics, the same picks"

expect_exit 0 python3 "$scripts/invariances.py" --robotnas "$ROBOTNAS" --tables fashion-mnist-table --folder changed --seeds 2 --budgets 5 10 \
    --cases 'plain' 'half of the metrics negated' '20 % of values missing' 'no metrics, no encoding' 'the largest 20 % fail'
for case in plain half '20 % of' 'no metrics, no' 'the largest'; do expect_line out "^| $case"; done
