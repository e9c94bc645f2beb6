#!/usr/bin/env bash
# Requests to stop (signals on any rank, OUTPUT.stop) save the state and end with exit code 75; --resume completes the
# run as if nothing had been, also where a library takes the signals for itself. And what a second start does with a run that
# is there.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

small_job job.yaml
long=(job.yaml --set search.budget=100 --set search.repeats=4)

# The expected reports.
expect_exit 0 ranks 2 "$ROBOTNAS" search "${long[@]}"
same_report small.h5 >long-report
expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
same_report small.h5 >small-report
rm small.h5*

# begin COMMAND...: start a search in the background and wait until it is under way. Sets pid.
begin() {
    rm -f err pid.*
    "$@" >out 2>err &
    pid=$!
    wait_for grep -qs 'small: method' err
}

begin_alone() {
    begin "$ROBOTNAS" search "${long[@]}" --resume
}

begin_on_two() {
    begin noting_ranks 2 "$ROBOTNAS" search "${long[@]}" --resume
}

# expect_stopped REQUEST: the search that was begun ends as stopped on request.
expect_stopped() {
    local code=0
    wait "$pid" || code=$?
    [ "$code" = 75 ] || fail "$1: exit code $code instead of 75: $(cat err)"
    expect_line err '^robotnas: stopped on request after .* small\.h5 is saved, run again with --resume$'
    expect_no_finding err
    [ ! -e small.h5.lock ] || fail "$1: the lock is still there"
    same_report small.h5 >stopped
    grep -q '"complete": false' stopped || fail "$1: the stopped run says that it is complete"
    printf '%s: %d evaluations saved\n' "$1" "$(grep -c '"phase"' stopped)"
}

# One run, stopped in every way.
for signal in USR1 TERM INT; do
    begin_alone
    kill "-$signal" "$pid"
    expect_stopped "SIG$signal to a single process"
    begin_on_two
    kill "-$signal" "$(cat pid.1)"
    expect_stopped "SIG$signal to rank 1 of 2"
done
for begin in begin_alone begin_on_two; do
    $begin
    touch small.h5.stop
    expect_stopped "small.h5.stop ($begin)"
    [ ! -e small.h5.stop ] || fail "the stop file is still there, and the next start would stop again"
done
expect_exit 0 ranks 2 "$ROBOTNAS" search "${long[@]}" --resume
expect_report small.h5 long-report
rm small.h5*

# A request that came when all was done stops nothing, the next run neither.
cat >late.yaml <<'JOB'
name: late
pool: {space: table, table: late.csv}
objective: {kind: command, command: [sh, -c, 'touch late.h5.stop; echo "{{\"score\": 1}}"']}
search: {method: random, budget: 1}
JOB
printf 'arch\na\n' >late.csv
expect_exit 0 "$ROBOTNAS" search late.yaml
[ ! -e late.h5.stop ] || fail "the stop file of a run that is complete is still there, and would stop the next one"

# ---- In the middle of a step that takes minutes ----

wide_table wide.csv
cat >wide.yaml <<'JOB'
name: small
output: small.h5
pool: {space: table, table: wide.csv}
metrics: {names: [m0, m1]}
objective: {kind: table, column: acc}
search: {method: robot, budget: 1500, parallel: 1500, repeats: 2}
JOB

# is_busy PID: it has computed for a second.
is_busy() {
    local field
    read -ra field <"/proc/$1/stat" # of a name without blanks
    ((field[13] >= $(getconf CLK_TCK)))
}

# expect_lost_step REQUEST: it was stopped before the first step was done.
expect_lost_step() {
    expect_stopped "$1"
    ! grep -q '"phase"' stopped || fail "$1: a step that takes minutes was finished first"
}

rm -rf small.h5*
begin "$ROBOTNAS" search wide.yaml
wait_for is_busy "$pid"
kill -TERM "$pid"
expect_lost_step 'SIGTERM in a step'
begin "$ROBOTNAS" search wide.yaml --resume
wait_for is_busy "$pid"
touch small.h5.stop
expect_lost_step 'small.h5.stop in a step'
begin noting_ranks 2 "$ROBOTNAS" search wide.yaml --resume
wait_for is_busy "$(<pid.0)"
wait_for is_busy "$(<pid.1)" # each leads a group of its own
kill -USR1 "$(<pid.1)"
expect_lost_step 'SIGUSR1 to rank 1 in a step of both'
rm -rf small.h5*

# A posterior's picks of a step, on a large pool, and a signal to a rank that leads no group. The first step is one pick.
awk 'BEGIN {srand(1); print "arch,m0,m1,acc"; for (i = 0; i < 200000; i++) printf "a%d,%f,%f,%f\n", i, rand(), rand(), rand()}' >wide.csv
begin noting_ranks 2 "$ROBOTNAS" search wide.yaml --set search.method=pool-gp --set search.groups=1
wait_for is_busy "$(<pid.0)"
wait_for is_busy "$(<pid.1)"
kill -USR1 "$(<pid.1)"
expect_stopped 'SIGUSR1 to rank 1 in a step of a posterior'
[ "$(grep -c '"phase"' stopped)" -le 1 ] || fail 'a step that takes minutes was finished first'
rm -rf small.h5* wide.csv

# ---- Another kind of processor ----

if "$ROBOTNAS" --version | grep '^OpenBLAS' | diff - <(OPENBLAS_CORETYPE=Prescott "$ROBOTNAS" --version | grep '^OpenBLAS') >/dev/null; then
    echo 'SKIPPED stop: OpenBLAS knows no other kind of processor here'
else
    moved='goes on on another kind of processor: .* OpenBLAS kernels .*, before Prescott\. Last bits of weight vectors may differ'
    begin env OPENBLAS_CORETYPE=Prescott "$ROBOTNAS" search "${long[@]}"
    kill -TERM "$pid"
    expect_stopped 'SIGTERM on a processor of another kind'
    begin_alone
    kill -TERM "$pid"
    expect_stopped 'SIGTERM on this one'
    expect_line err "$moved"
    begin_alone
    kill -TERM "$pid"
    expect_stopped 'SIGTERM once more'
    if grep "$moved" err; then fail 'said again where nothing has changed since'; fi
    "$ROBOTNAS" report small.h5 --json >events.json
    expect_line events.json "\"text\": .*$moved"
    rm small.h5*
fi

# ---- A library that takes the signals: while MPI starts, and later ----

# Waiting for a trainer that takes longer than this test.
cat >waiting.yaml <<JOB
name: small
output: small.h5
pool: {space: table, table: $example}
objective: {kind: command, command: [sleep, "600"]}
search: {method: random, budget: 1}
JOB

begin_robbed() {
    rm -rf small.h5*
    begin env LD_PRELOAD="$SIGNAL_THIEF" "$@" "$ROBOTNAS" search waiting.yaml
    wait_for test -e small.h5.d
}

# Whether the process does at SIGUSR1, SIGTERM and SIGXFSZ what it should.
has_signals_back() {
    local ignored
    ignored=0x$(sed -n 's/^SigIgn:[[:space:]]*//p' "/proc/$pid/status")
    (((ignored & 0x4200) == 0 && (ignored & 0x1000000) != 0))
}

if ! is_sanitized; then # which wants to be loaded first
    for signal in USR1 TERM; do
        begin_robbed
        has_signals_back || fail "SIGXFSZ is no longer ignored"
        kill "-$signal" "$pid"
        expect_stopped "SIG$signal, which a library took as MPI started"
    done
    rm -rf small.h5*
    expect_exit 75 env LD_PRELOAD="$SIGNAL_THIEF" THIEF_RAISES=1 "$ROBOTNAS" search waiting.yaml
    for signal in USR1 TERM; do
        begin_robbed THIEF_WHEN=now
        touch now
        wait_for test ! -e now
        wait_for has_signals_back
        expect_line err 'a library has taken SIGUSR1 for itself'
        kill "-$signal" "$pid"
        expect_stopped "SIG$signal, which a library took in the middle"
    done
    rm -rf small.h5*
fi

# Without a file there is nothing to resume.
expect_exit 0 "$ROBOTNAS" search job.yaml --resume
expect_line err 'nothing to resume at small\.h5; starting$'
expect_report small.h5 small-report

# A finished run resumed: nothing happens.
cp small.h5 before.h5
cp small.h5.prev before.h5.prev
expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --resume
expect_line err 'the run is complete; nothing to do$'
cmp small.h5 before.h5
cmp small.h5.prev before.h5.prev

# With neither flag it is refused, and left alone.
expect_exit 2 "$ROBOTNAS" search job.yaml
expect_line err '^robotnas: small\.h5: a run is there already; --resume .* --fresh '
cmp small.h5 before.h5

# A fresh start, over a finished run and over one of another job.
expect_exit 0 "$ROBOTNAS" search job.yaml --fresh --set search.method=random
expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
expect_report small.h5 small-report
