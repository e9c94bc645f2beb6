#!/usr/bin/env bash
# Ten SIGKILLs at random times of a run of more than 20 seconds, each on either of two ranks, each followed by --resume:
# the report is that of a run that nothing disturbed.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

# As in faults.sh.
export OMPI_MCA_odls_base_sigkill_timeout=0

n_kills=10
run_ms=22000
job=(job.yaml --set search.budget=100 --set search.groups=1)
small_job job.yaml

# As many repeats as make the run long enough on this machine.
expect_exit 0 ranks 2 "$ROBOTNAS" search "${job[@]}" --set search.repeats=1
repeat_ms=$("$ROBOTNAS" report small.h5 --json |
    python3 -c 'import json, sys; print(round(1000 * json.load(sys.stdin)["timing"]["elapsed_s"]))')
job+=(--set "search.repeats=$((run_ms / repeat_ms + 1))")

expect_exit 0 ranks 2 "$ROBOTNAS" search "${job[@]}" --fresh
same_report small.h5 >undisturbed
"$ROBOTNAS" report small.h5 --json | grep elapsed_s
rm small.h5*

# kill_at MS RANK: go on with the run and kill a rank so long after it appeared.
kill_at() {
    rm -f pid.*
    # shellcheck disable=SC2016 # the ranks expand it
    ranks 2 sh -c 'echo $$ >"pid.$OMPI_COMM_WORLD_RANK"; exec "$0" "$@"' \
        "$ROBOTNAS" search "${job[@]}" --resume >out 2>err &
    local job_pid=$! code=0
    wait_for test -s "pid.$2"
    sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"
    kill -KILL "$(cat "pid.$2")" || fail "rank $2 was gone already"
    wait "$job_pid" || code=$?
    [ "$code" != 0 ] || fail "the run ended as if nothing had happened"
}

ms=0 struck=0
seed_draws
for ((i = 1; i <= n_kills; i++)); do
    draw ms 0 $((run_ms / (n_kills + 1)))
    draw struck 0 1
    kill_at "$ms" "$struck"
    done=nothing
    [ ! -e small.h5 ] || done="$(same_report small.h5 | grep -c '"phase"') evaluations"
    printf 'kill %d of rank %d after %d ms: %s saved\n' "$i" "$struck" "$ms" "$done"
done
expect_exit 0 ranks 2 "$ROBOTNAS" search "${job[@]}" --resume
expect_report small.h5 undisturbed
