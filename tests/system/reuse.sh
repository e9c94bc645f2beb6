#!/usr/bin/env bash
# --reuse takes evaluations over from an older run of the same objective and seed: the report is that of a run without
# it, and the count of what was taken over is what the two have in common.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

small_job job.yaml
expect_exit 0 "$ROBOTNAS" search job.yaml --set output=old.h5

# in_common OLD.h5 NEW.h5: evaluations of one architecture with one seed in both.
in_common() {
    "$ROBOTNAS" report "$1" --json >old.json
    "$ROBOTNAS" report "$2" --json >new.json
    python3 -c '
import json
def evaluations(path):
    with open(path) as file:
        repeats = json.load(file)["repeats"]
    return {(repeat["seed"], evaluation["arch"]) for repeat in repeats for evaluation in repeat["evaluations"]}
print(len(evaluations("old.json") & evaluations("new.json")))'
}

# expect_reused RUN.h5: it took over all that it has in common with old.h5.
expect_reused() {
    local reused common
    reused=$("$ROBOTNAS" report "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["timing"]["reused"])')
    common=$(in_common old.h5 "$1")
    [ "$reused" = "$common" ] || fail "$1: $reused evaluations were taken over, $common are in common"
    printf '%s taken over\n' "$reused"
    [ "$reused" -gt 0 ] || fail "$1 has nothing in common with old.h5, so that it shows nothing"
}

# check SETTING...: a run that differs in these from the old one.
check() {
    local settings=() setting
    for setting in "$@"; do settings+=(--set "$setting"); done
    rm -f new.h5*
    expect_exit 0 "$ROBOTNAS" search job.yaml "${settings[@]}"
    same_report small.h5 >without
    rm small.h5*
    printf '%s: ' "$*"
    settings+=(--set output=new.h5 --set checkpoint.interval=0)
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml "${settings[@]}" --reuse old.h5
    expect_line err ' [1-9][0-9]* evaluations* taken over from old\.h5$'
    expect_report new.h5 without
    expect_reused new.h5

    # the save before the last is an unfinished run
    mv new.h5.prev new.h5
    expect_exit 0 "$ROBOTNAS" search job.yaml "${settings[@]}" --reuse old.h5 --resume
    expect_report new.h5 without
    expect_reused new.h5 >/dev/null
}

check search.budget=30
check search.budget=30 search.repeats=5 search.parallel=3
check search.method=single search.metric=synflow search.budget=40
check search.method=rea search.budget=200
check search.method=pool-gp search.budget=40
check seed=4

# The old run may be the output's own.
cp old.h5 small.h5
expect_exit 0 "$ROBOTNAS" search job.yaml --set search.budget=30 --fresh --reuse small.h5
same_report small.h5 >fresh
expect_reused small.h5
rm small.h5*
expect_exit 0 "$ROBOTNAS" search job.yaml --set search.budget=30
expect_report small.h5 fresh
rm small.h5*

# Where the previous file stands in for a damaged one, that is said.
cp old.h5 cut.h5.prev
head -c 3000 old.h5 >cut.h5
expect_exit 0 "$ROBOTNAS" search job.yaml --fresh --reuse cut.h5
expect_line err ' cut\.h5.* cut\.h5\.prev'
rm small.h5*

# expect_refused PATTERN ARGUMENT...
expect_refused() {
    local pattern=$1
    shift
    expect_exit 2 "$ROBOTNAS" search job.yaml "$@"
    expect_line err "$pattern"
    expect_line err '^'
    [ ! -e small.h5 ] || fail 'a refused search left a state'
}

expect_refused "^robotnas: --reuse old\.h5: its objective is not this job's" --reuse old.h5 --set objective.column=test_accuracy
expect_refused "its objective is not this job's" --reuse old.h5 --set objective.minimise=true
sed '$s/[0-9]/7/' "$example" >changed.csv
expect_refused "its objective is not this job's" --reuse old.h5 --set pool.table=changed.csv
expect_refused '^robotnas: .*nowhere\.h5' --reuse nowhere.h5
expect_refused '^robotnas: .*job\.yaml' --reuse job.yaml
