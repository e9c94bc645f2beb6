#!/usr/bin/env bash
# Ten SIGKILLs at random times of a run of more than 20 seconds, each on either of two ranks, each followed by --resume:
# the report is that of a run that nothing disturbed.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

# As in faults.sh.
export OMPI_MCA_odls_base_sigkill_timeout=0

n_kills=10
least_ms=20000
small_job job.yaml

now_ms() {
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# Raise the number of repeats until the run takes long enough on this machine.
elapsed_ms=0
repeats=1
while ((elapsed_ms < least_ms)); do
    ((elapsed_ms == 0)) || repeats=$((repeats * least_ms * 5 / 4 / elapsed_ms + 1))
    job=(job.yaml --set search.budget=100 --set search.groups=1 --set "search.repeats=$repeats")
    begin_ms=$(now_ms)
    expect_exit 0 ranks 2 "$ROBOTNAS" search "${job[@]}" --fresh
    wall_ms=$(($(now_ms) - begin_ms))
    elapsed_ms=$("$ROBOTNAS" report small.h5 --json |
        python3 -c 'import json, sys; print(round(1000 * json.load(sys.stdin)["timing"]["elapsed_s"]))')
done
launch_ms=$((wall_ms - elapsed_ms))
printf '%d repeats take %d ms, and launching them %d ms\n' "$repeats" "$elapsed_ms" "$launch_ms"
same_report small.h5 >undisturbed
rm small.h5*

# kill_at MS RANK: go on with the run and kill a rank so long after it appeared.
kill_at() {
    local code=0 mpiexec_pid
    rm -f pid.*
    noting_ranks 2 "$ROBOTNAS" search "${job[@]}" --resume >out 2>err &
    mpiexec_pid=$!
    wait_for test -s "pid.$2"
    sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"
    kill -KILL "$(cat "pid.$2")" || fail "rank $2 was gone already"
    wait "$mpiexec_pid" || code=$?
    [ "$code" != 0 ] || fail "the run ended as if nothing had happened"
    expect_no_finding err
    wait_for noted_ended
}

ms=0
struck=0
seed_draws
for ((i = 1; i <= n_kills; i++)); do
    draw ms 0 $((launch_ms + least_ms / (n_kills + 1)))
    draw struck 0 1
    kill_at "$ms" "$struck"
    saved=none
    [ ! -e small.h5 ] || saved=$(same_report small.h5 | grep -c '"phase"') || true
    printf 'kill %d of rank %d after %d ms: evaluations saved: %s\n' "$i" "$struck" "$ms" "$saved"
done
expect_exit 0 ranks 2 "$ROBOTNAS" search "${job[@]}" --resume
expect_report small.h5 undisturbed
