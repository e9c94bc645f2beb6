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

# expect_undisturbed: the run is through, and has the report of one that nothing disturbed.
expect_undisturbed() {
    "$ROBOTNAS" report small.h5 --json | grep -q '"complete": true' || fail "the run is not complete: $(<err)"
    expect_report small.h5 undisturbed
}

# kill_at MS RANK: go on with the run and kill a rank so long after it appeared. Fails where the run was through before: on a
# machine that was busier when the run was measured.
kill_at() {
    local code=0 n_gone=0 mpiexec_pid
    rm -f pid.*
    noting_ranks 2 "$ROBOTNAS" search "${job[@]}" --resume >out 2>err &
    mpiexec_pid=$!
    wait_for test -s "pid.$2"
    sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"
    kill -KILL "$(cat "pid.$2")" || n_gone=1
    wait "$mpiexec_pid" || code=$?
    expect_no_finding err
    wait_for noted_ended
    ((n_gone == 0 || code == 0)) || fail "exit code $code of a run that nobody killed: $(<err)"
    [ "$code" != 0 ]
}

ms=0
struck=0
seed_draws
for ((i = 1; i <= n_kills; i++)); do
    until draw ms 0 $((launch_ms + least_ms / (n_kills + 1))) && draw struck 0 1 && kill_at "$ms" "$struck"; do
        expect_undisturbed
        printf 'it was through after %d ms; it begins anew\n' "$ms"
        rm small.h5*
    done
    saved=none
    [ ! -e small.h5 ] || saved=$(same_report small.h5 | grep -c '"phase"') || true
    printf 'kill %d of rank %d after %d ms: evaluations saved: %s\n' "$i" "$struck" "$ms" "$saved"
done
expect_exit 0 ranks 2 "$ROBOTNAS" search "${job[@]}" --resume
expect_report small.h5 undisturbed
