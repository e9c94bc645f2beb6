#!/usr/bin/env bash
# Large budgets: what a run takes grows with the evaluations, not with products of them.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rows=20000
awk -v n=$rows 'BEGIN {
    srand(1)
    print "arch,rising,falling,mixed,acc"
    for (i = 0; i < n; i++) printf "a%d,%d,%d,%d,%.6f\n", i, i, -i, 5000 * rand(), 60 + 10 * rand()
}' >table.csv
cat >job.yaml <<'JOB'
name: large
seed: 1
output: large.h5
pool: {space: table, table: table.csv}
metrics: {source: table, names: [rising, falling, mixed]}
objective: {kind: table, column: acc}
search: {method: single, metric: mixed, budget: 4}
JOB

# order_of RUN.h5: the architectures in the order of evaluation.
order_of() {
    "$ROBOTNAS" report "$1" --json | python3 -c '
import json, sys
for evaluation in json.load(sys.stdin)["repeats"][0]["evaluations"]: print(evaluation["arch"])'
}

# ---- places of a list ----

# With q x T places of 16 bytes the list alone would have 3.2 GB on every rank.
if is_sanitized; then
    echo 'SKIPPED growth: the sanitizers of this build want all of the address space'
else
    ulimit -S -v 2500000
    expect_exit 0 "$ROBOTNAS" search job.yaml --set search.budget=$rows --set search.parallel=$((rows / 2))
    ulimit -S -v unlimited
fi

# ---- the whole pool, in every order ----

# The T best of a list of T: in rising order each row enters it, in falling order none but the first T.
for metric in rising falling mixed; do
    expect_exit 0 "$ROBOTNAS" search job.yaml --fresh --set search.metric=$metric --set search.budget=$((rows - 1)) \
        --set search.parallel=7
    order_of large.h5 >found
    column=$(($(echo rising falling mixed | tr ' ' '\n' | grep -n $metric | cut -d: -f1) + 1))
    tail -n +2 table.csv | sort -t, -s -k$column,${column}gr | cut -d, -f1 | head -n $((rows - 1)) >expected
    cmp found expected || fail "single by $metric evaluates in another order"
done

# ---- stopped and resumed ----

random=(search job.yaml --set search.method=random --set search.metric= --set 'metrics.names=[]' --set "search.budget=$((rows / 2))")
if grep -q NAS_FAULT "$ROBOTNAS"; then
    expect_exit 0 "$ROBOTNAS" "${random[@]}" --set output=whole.h5
    expect_exit 75 env NAS_FAULT=step:7000:TERM "$ROBOTNAS" "${random[@]}" --set output=part.h5
    expect_exit 0 "$ROBOTNAS" "${random[@]}" --set output=part.h5 --resume
    grep -q 'going on after 6999 evaluations\|going on after 7000 evaluations' err || fail "not taken up: $(<err)"
    same_report whole.h5 >expected
    expect_report part.h5 expected
else
    echo 'SKIPPED growth: the binary has no fault points'
fi

# ---- a finished run ----

# What cannot be read any more, by its size and time the same, was not needed; in doubt it is read. Other jobs are refused.
expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
cp -p table.csv kept.csv
tr '0-9' 'x' <kept.csv >table.csv
touch -r kept.csv table.csv
expect_exit 0 "$ROBOTNAS" search job.yaml --resume
expect_line err 'the run is complete; nothing to do'
expect_exit 2 "$ROBOTNAS" search job.yaml --resume --set search.budget=5
touch table.csv
expect_exit 2 "$ROBOTNAS" search job.yaml --resume
cp -p kept.csv table.csv
expect_exit 2 "$ROBOTNAS" search job.yaml --resume --set search.budget=5
grep -q 'this run has a budget of 4, the job says 5' err || fail "$(<err)"
expect_exit 2 "$ROBOTNAS" search job.yaml --resume --set seed=2
grep -q 'belongs to another job' err || fail "$(<err)"
sed 's/^a7,/b7,/' kept.csv >table.csv
expect_exit 2 "$ROBOTNAS" search job.yaml --resume
grep -q 'is not the one this run began with' err || fail "$(<err)"
mv kept.csv table.csv
touch table.csv
expect_exit 0 "$ROBOTNAS" search job.yaml --resume
expect_line err 'the run is complete; nothing to do'

# ---- what the method itself takes ----

robot=(job.yaml --set search.method=robot --set search.metric=)
expect_exit 0 "$ROBOTNAS" check "${robot[@]}"
expect_line out '^# evaluations: 4, looked up in the table: seconds, no node hours$'
if grep -e '^# method:' -e '^# note: search.budget' out; then fail 'a small budget is warned of'; fi
expect_exit 0 "$ROBOTNAS" check "${robot[@]}" --set search.budget=10000 --set search.repeats=4 --ranks 2
expect_line out '^# memory:  *about [0-9]* MiB on rank 0, 19[0-9][0-9] MiB on the others'
expect_line out "^# evaluations: 40000, looked up in the table: no time but the method's own\$"
expect_line out '^# method:  *about [0-9.]* hours with 2 repeats at a time, for the steps of robot$'
note='note: search.budget: method robot with 10000 takes about [0-9]* hours of its own a repeat, .* and 1.9 GiB on the rank'
expect_line out "^# $note"
"$ROBOTNAS" search "${robot[@]}" --fresh --set search.budget=10000 2>err >out &
pid=$!
wait_for grep -qs "$note" err
kill -TERM "$pid"
wait "$pid" && code=0 || code=$?
[ "$code" = 75 ] || fail "exit code $code after SIGTERM: $(<err)"

# ---- what a posterior takes ----

posterior=(job.yaml --set search.method=pool-gp --set search.metric=)
expect_exit 0 "$ROBOTNAS" check "${posterior[@]}" --set search.budget=1000
expect_line out '^#  *of which 77 MiB on each rank for the rows of its points; to make those of a repeat$'
