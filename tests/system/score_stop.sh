#!/usr/bin/env bash
# A request to stop (a signal to either of two ranks, OUTPUT.stop) while both score ends the run long before they would meet.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

score_job job.yaml

# The pool takes hours. The first round is short and learns how fast the ranks are; the second, which has begun once there are
# two saves, goes on for most of a minute.
long=(job.yaml --set pool.subset=all --set output=long.h5 --set backend=ref --set 'metrics.names=[grad_norm, grasp, fisher]')

# begin: start it in the background, up to the second round. Sets pid.
begin() {
    rm -f long.h5* pid.*
    noting_ranks 2 "$ROBOTNAS" score "${long[@]}" >out 2>err &
    pid=$!
    wait_for test -e long.h5.prev
}

# expect_stopped REQUEST: the run ends as stopped on request.
expect_stopped() {
    local code=0
    timeout 30 tail --pid="$pid" -f /dev/null || fail "$1: both ranks go on"
    wait "$pid" || code=$?
    [ "$code" = 75 ] || fail "$1: exit code $code instead of 75: $(<err)"
    expect_line err '^robotnas: stopped on request after .* long\.h5 is saved, run again with --resume$'
    expect_no_finding err
    same_report long.h5 >stopped
    grep -q '"complete": false' stopped || fail "$1: the stopped run says that it is complete"
}

for struck in 0 1; do
    begin
    kill -USR1 "$(<"pid.$struck")"
    expect_stopped "SIGUSR1 to rank $struck"
done
begin
touch long.h5.stop
expect_stopped long.h5.stop
[ ! -e long.h5.stop ] || fail "the stop file is still there, and the next start would stop again"
