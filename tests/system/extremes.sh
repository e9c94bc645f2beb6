#!/usr/bin/env bash
# Any finite number is valid: targets, costs, columns and metrics at the end of what a double holds lead to a run that ends, goes
# on wherever it was stopped, and is reported without an inf or a nan.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

# Every third target is an outlier of either sign; a metric and the costs are as large.
table() {
    awk -v large="$1" 'BEGIN {
        srand(2)
        print "arch,code,m0,m1,acc,cost,test"
        for (i = 0; i < 125; i++) {
            sign = i % 2 ? "" : "-"
            value = i % 3 ? 1 + rand() : sign large
            printf "a%d,\"(%d, %d, %d)\",%f,%s,%s,%s,%s\n", i, i / 25, (i / 5) % 5, i % 5, rand(), sign large, value, large, value
        }
    }'
}

need_faults
cat >job.yaml <<'JOB'
name: extreme
output: run.h5
pool: {space: table, table: t.csv, arch: code, encoding: digits}
metrics: {names: [m0, m1]}
objective: {kind: table, column: acc, cost: cost, report: [test]}
search: {method: robot, budget: 25, repeats: 2, parallel: 2}
JOB

for large in 1e200 1.7976931348623157e308; do
    table "$large" >t.csv
    for method in robot rea reinforce random pool-gp; do
        run=(job.yaml --set "search.method=$method" --set "objective.minimise=$([ "$large" = 1e200 ] && echo true || echo false)")
        expect_exit 0 "$ROBOTNAS" search "${run[@]}" --fresh
        cp out first-report
        same_report run.h5 >undisturbed
        rm run.h5*
        expect_exit 75 env NAS_FAULT=step:4:TERM "$ROBOTNAS" search "${run[@]}"
        expect_exit 0 "$ROBOTNAS" search "${run[@]}" --resume
        expect_report run.h5 undisturbed
        expect_exit 0 "$ROBOTNAS" report run.h5 --against run.h5
        if grep -iE '\b(inf|nan)\b' first-report out undisturbed; then fail "$method, $large: a finite number is shown as none"; fi
        python3 -c 'import json, math; assert math.isfinite(json.load(open("undisturbed"))["summary"]["cost"]["mean"])'
    done
done
