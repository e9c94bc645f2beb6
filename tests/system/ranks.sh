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

# check SETTING...: all numbers of ranks and groups agree with one rank. Sanitizers are slow and get a selection.
check() {
    local n groups
    expect_exit 0 run 1 0 "$@"
    same_report small.h5 >alone
    for n in 2 4; do
        for groups in 0 1 2; do
            if is_sanitized && ((groups * 2 != n)); then continue; fi
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
