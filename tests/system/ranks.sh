#!/usr/bin/env bash
# The number of ranks and of rank groups never shows in a report, whatever the method.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

small_job job.yaml

# run N GROUPS SETTING...: the report of a run with N ranks in GROUPS groups, in the file report.
run() {
    local n=$1 groups=$2 settings=() setting
    shift 2
    for setting in "search.groups=$groups" "$@"; do settings+=(--set "$setting"); done
    expect_exit 0 ranks "$n" "$ROBOTNAS" search job.yaml --fresh "${settings[@]}"
}

# check SETTING...: all numbers of ranks and groups agree with one rank. Sanitizers are slow and get a selection, as do variants, while
# `few` is set.
few=
check() {
    local n groups
    expect_exit 0 run 1 0 "$@"
    same_report small.h5 >alone
    for n in 2 4; do
        for groups in 0 1 2; do
            if { is_sanitized || [ -n "$few" ]; } && ((groups * 2 != n)); then continue; fi
            run "$n" "$groups" "$@"
            expect_report small.h5 alone
        done
    done
    printf 'the same for 1, 2 and 4 ranks: %s\n' "$*"
}

check search.method=robot
check search.method=robot search.parallel=3
check search.method=single search.metric=synflow
check search.method=random
check search.method=rea
check search.method=reinforce
check search.method=pool-gp
few=1
check search.method=pool-gp search.parallel=3
check search.method=pool-gp search.parallel=8 search.hidden=0 pool.encoding=none
check search.method=pool-gp 'metrics.names=[]' 'metrics.transform={}'
check search.method=pool-gp 'metrics.names=[]' 'metrics.transform={}' pool.encoding=none
mv alone drawn
expect_exit 0 run 1 0 search.method=random
same_report small.h5 | sed 's/"method": "random"/"method": "pool-gp"/' | diff drawn - ||
    fail 'without metrics and positions the picks are not those of random'

# ---- a table that the ranks share ----

# Rows of 4 KiB, so that few of them have readers enough for 4 ranks.
awk 'BEGIN {
    srand(1)
    pad = sprintf("%4000s", "")
    gsub(" ", "x", pad)
    print "arch,pad,m0,m1,acc,hours,other"
    for (i = 0; i < 4300; i++)
        printf "\"(%d, %d, %d)\",%s,%d,%.6f,%d,%.3f,%s\n", i / 100, int(i / 10) % 10, i % 10, pad, 500 * rand(), rand(),
               1000 * rand(), rand(), i % 7 ? i : ""
}' >wide.csv
cat >job.yaml <<'JOB'
name: wide
seed: 3
output: small.h5
pool: {space: table, table: wide.csv, encoding: digits}
metrics: {names: [m0, m1], transform: {m0: rank, m1: log}}
objective: {kind: table, column: acc, cost: hours, report: [other]}
search: {method: robot, budget: 8, repeats: 3}
JOB
for method in robot pool-gp rea; do
    expect_exit 0 ranks 1 "$ROBOTNAS" search job.yaml --fresh --set search.method=$method
    same_report small.h5 >alone
    if is_sanitized && [ $method != robot ]; then continue; fi
    for n in 2 4; do
        expect_exit 0 ranks $n "$ROBOTNAS" search job.yaml --fresh --set search.method=$method --set search.groups=$((n / 2))
        ! grep -q 'one rank has read it' err || fail "the ranks do not share the table: $(<err)"
        expect_report small.h5 alone
    done
done
expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --resume --set search.method=rea
expect_line err 'the run is complete; nothing to do'

# A text with a line break in quotes has one reader, which changes nothing else.
sed '3000s/,x*,/,"x\nx",/' wide.csv >broken.csv
expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --fresh --set search.method=rea --set pool.table=broken.csv
expect_line err 'the table broken.csv has a line that ends within quotes; one rank has read it$'
expect_report small.h5 alone

# What is wrong is told by the place of the first, whoever reads it.
refused_alike() {
    local n
    for n in 1 2 4; do
        if is_sanitized && [ "$n" = 4 ]; then continue; fi
        expect_exit 2 ranks "$n" "$ROBOTNAS" search job.yaml --fresh --set pool.table=bad.csv
        expect_line err "^robotnas: bad.csv:$1\$"
    done
}
sed '2000s/,[0-9]*$/,three/;4000s/^.*$/,/' wide.csv >bad.csv
refused_alike "2000: column 'other': 'three' is not a number"
sed '4000s/^"[^"]*"/"(0, 0, 7)"/' wide.csv >bad.csv
refused_alike "4000: architecture '(0, 0, 7)' stands in line 9 already"
sed '2s/^/\n\n/;4000s/^"[^"]*"/"(0,0,7)"/' wide.csv >bad.csv
sed -i 's/robot,/rea,/' job.yaml
refused_alike "4002: architecture '(0,0,7)' is the same as line 11, '(0, 0, 7)'"
echo 'a table that the ranks share is what one rank reads'
