#!/usr/bin/env bash
# A signal at any fault point (common/base/fault.h), on either of two ranks: what --resume makes of the rest reports the same
# as a run that nothing disturbed.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

need_faults
small_job job.yaml
every_step=(--set checkpoint.interval=0)

# undisturbed: the run that others are to be like.
undisturbed() {
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --fresh "${every_step[@]}"
    same_report small.h5 >undisturbed
    rm small.h5*
}

# The most passes of a point that a rank surely makes before the last save, after which nothing is left to stop.
last_pass() {
    case $1 in
    append | improve) echo 10 ;;
    learned) [ "$2" = 1 ] && echo 3 || echo 1 ;;
    start) echo 1 ;;
    greedy) [ "$2" = 1 ] && echo 3 || echo 1 ;; # of 2 groups one has a single repeat
    *) echo 30 ;;
    esac
}

# try POINT SIGNAL: one drawn strike, then a resumed run on one or two ranks.
try() {
    local point=$1 signal=$2 struck=0 groups=0 n=0 n_ranks=0
    case $point in
    write-* | rename-*) ;; # rank 0 alone writes
    *) draw struck 0 1 ;;
    esac
    draw groups 1 2
    draw n 1 "$(last_pass "$point" "$groups")"
    draw n_ranks 1 2
    printf '%s:%d:%s on rank %d, %d groups, resumed on %d: ' "$point" "$n" "$signal" "$struck" "$groups" "$n_ranks"
    strike "$point:$n:$signal" "$struck" "$ROBOTNAS" search job.yaml "${every_step[@]}" --set "search.groups=$groups"
    printf 'exit code %d\n' "$code"
    if [ "$signal" = TERM ]; then
        [ "$code" = 75 ] || fail "exit code $code instead of 75: $(cat err)"
        expect_line err '^robotnas: stopped on request after .* --resume$'
        same_report small.h5 >stopped
        grep -q '"complete": false' stopped || fail "the stopped run says that it is complete"
    else
        [ "$code" != 0 ] || fail "the fault point was not reached"
    fi
    expect_exit 0 ranks "$n_ranks" "$ROBOTNAS" search job.yaml --resume
    expect_report small.h5 undisturbed
    rm small.h5*
}

seed_draws
undisturbed
for signal in KILL TERM; do
    for point in start step greedy write-before write-middle write-after rename-before rename-middle rename-after; do
        try "$point" "$signal"
    done
done

# Questions to a posterior.
sed -i 's/robot,/pool-gp, parallel: 2,/' job.yaml
undisturbed
for signal in KILL TERM; do
    for point in append improve learned; do
        try "$point" "$signal"
    done
done
