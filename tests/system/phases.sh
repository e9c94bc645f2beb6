#!/usr/bin/env bash
# A request to stop in every phase of a run, from reading its inputs to its last save: exit code 75 (0 once it is complete), and the
# run that is started again with --resume ends with the report of one that nothing disturbed.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_faults

# Large enough to be shared by two ranks.
awk 'BEGIN {
    srand(1)
    pad = sprintf("%240s", "")
    print "arch,pad,m0,m1,acc"
    for (i = 0; i < 40000; i++) printf "a%d,%s,%d,%d,%d\n", i, pad, 5000 * rand(), 100000 * rand(), 1000000 * rand()
}' >table.csv
cat >job.yaml <<'JOB'
name: phases
output: run.h5
pool: {space: table, table: table.csv}
metrics: {names: [m0, m1], transform: {m0: rank, m1: rank}}
objective: {kind: table, column: acc}
search: {method: robot, budget: 6, repeats: 2}
checkpoint: {interval: 0}
JOB
expect_exit 0 "$ROBOTNAS" search job.yaml
same_report run.h5 >expected

# struck POINT:N RANKS: SIGTERM to every rank as it passes the point, on so many ranks. Sets code.
struck() {
    rm -f run.h5*
    code=0
    NAS_FAULT=$1:TERM ranks "$2" "$ROBOTNAS" search job.yaml --resume >out 2>err || code=$?
    expect_no_finding err
    printf '%3d s: %s on %d: exit code %d, %s\n' "$SECONDS" "$1" "$2" "$code" "$(grep '^robotnas: stopped' err || echo complete)"
}

# stops POINT:N RANKS [N_DONE]: struck there, the search ends with what it has saved.
stops() {
    struck "$1" "$2"
    [ "$code" = 75 ] || fail "$1 on $2: exit code $code"
    expect_line err "^robotnas: stopped on request after ${3:-[0-9]*} of 12 evaluations; run\\.h5 is saved, run again with --resume\$"
}

# goes_on: resumed, it ends as if nothing had been.
goes_on() {
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume
    expect_report run.h5 expected
}

# While inputs are read nothing is begun: not announced, not written.
for point in read-rows:1 read-rows:4 index-names:1 read-rows:2/2; do
    struck "${point%/*}" "$([[ $point = */2 ]] && echo 2 || echo 1)"
    [ "$code" = 75 ] || fail "$point: exit code $code"
    expect_line err '^robotnas: stopped on request while the inputs were read; nothing was begun, run the same again$'
    ! grep -q 'phases: method' err || fail "$point: it went on to announce the run"
    if [ -e run.h5 ] || [ -e run.h5.lock ]; then fail "$point: something was left"; fi
done
goes_on

# OUTPUT.stop reaches a rank that reads although rank 0, which looks for it, has nothing left to read: it waits for the other one,
# which sleeps. From two seconds on each of its looks between two naps finds the file.
is_suspended() {
    grep -qs '^State:[[:space:]]*T' "/proc/$(cat pid.1 2>/dev/null)/status"
}
naps() {
    sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$(<pid.0)/status"
}
has_napped() {
    (($(naps) >= $1))
}
rm -f run.h5* pid.*
# shellcheck disable=SC2016 # the ranks expand it
NAS_FAULT=read-rows:2:STOP noting_ranks 2 sh -c '[ "$OMPI_COMM_WORLD_RANK" = 1 ] || unset NAS_FAULT; exec "$0" "$@"' \
    "$ROBOTNAS" search job.yaml >out 2>err &
pid=$!
wait_for is_suspended
touch run.h5.stop
sleep 2
wait_for has_napped $(($(naps) + 10))
kill -CONT "$(<pid.1)"
code=0
wait "$pid" || code=$?
[ "$code" = 75 ] || fail "run.h5.stop while ranks read: exit code $code: $(<err)"
expect_line err '^robotnas: stopped on request while the inputs were read; nothing was begun, run the same again$'
if [ -e run.h5.stop ] || [ -e run.h5 ]; then fail 'run.h5.stop while ranks read: something was left'; fi
goes_on

# While metrics are made ready, before any step.
for point in load-metric:2 rank-transform:1 rank-transform:3; do
    for n in 1 2; do stops "$point" "$n" 0; done
    goes_on
done

# In steps and saves.
for point in start:1 step:5 greedy:1 write-before:1 write-middle:2 rename-middle:4; do
    stops "$point" 1
    goes_on
done

# In questions to a posterior.
sed -i 's/robot,/pool-gp,/' job.yaml
expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
same_report run.h5 >expected
for point in load-metric:2 append:3 improve:1 improve:5 learned:1; do
    for n in 1 2; do stops "$point" "$n"; done
    goes_on
done
