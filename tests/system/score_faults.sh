#!/usr/bin/env bash
# A signal at any fault point (common/base/fault.h) of a run that scores, alone or as the first stage of a search, on either of two
# ranks: what --resume makes of the rest has the scores and the report of a run that nothing disturbed.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

need_faults
score_job job.yaml
expect_exit 0 "$ROBOTNAS" score job.yaml
scores_of small.h5 >undisturbed-scores
same_report small.h5 >undisturbed-score
objective_table small.h5 objective.csv
search_part >>job.yaml
expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
same_report small.h5 >undisturbed-search
rm small.h5*

# The most passes of a point that a rank surely makes. Scoring takes two rounds or more, the first to learn the ranks' speeds,
# and saves at the start and after each.
last_pass() {
    case $1 in
    score | write-* | rename-*) echo 2 ;;
    start) echo 1 ;;
    step) echo 8 ;;
    esac
}

# expect_stopped COMMAND: the run that got SIGTERM has stopped on request; or it was through before it could.
expect_stopped() {
    if [ "$1 $code" = 'score 0' ]; then
        expect_scores small.h5 undisturbed-scores
        return
    fi
    [ "$code" = 75 ] || fail "exit code $code instead of 75: $(<err)"
    expect_line err '^robotnas: stopped on request after .* --resume$'
    same_report small.h5 >stopped
    grep -q '"complete": false' stopped || fail "the stopped run says that it is complete"
}

# try COMMAND POINT SIGNAL: one drawn strike, then a resumed run on one or two ranks.
try() {
    local command=$1 point=$2 signal=$3 struck=0 n=0 n_ranks=0
    case $point in
    write-* | rename-*) ;; # rank 0 alone writes
    *) draw struck 0 1 ;;
    esac
    draw n 1 "$(last_pass "$point")"
    draw n_ranks 1 2
    printf '%s, %s:%d:%s on rank %d, resumed on %d: ' "$command" "$point" "$n" "$signal" "$struck" "$n_ranks"
    strike "$point:$n:$signal" "$struck" "$ROBOTNAS" "$command" job.yaml
    printf 'exit code %d\n' "$code"
    if [ "$signal" = TERM ]; then
        expect_stopped "$command"
    else
        [ "$code" != 0 ] || fail "the fault point was not reached"
    fi
    expect_exit 0 ranks "$n_ranks" "$ROBOTNAS" "$command" job.yaml --resume
    expect_scores small.h5 undisturbed-scores
    expect_report small.h5 "undisturbed-$command"
    rm small.h5*
}

seed_draws
for signal in KILL TERM; do
    for point in score write-before write-middle write-after rename-before rename-middle rename-after; do
        try score "$point" "$signal"
    done
    for point in score start step; do
        try search "$point" "$signal"
    done
done
