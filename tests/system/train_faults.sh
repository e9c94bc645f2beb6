#!/usr/bin/env bash
# Searches that are killed or stopped in the middle of a training, and go on: the report is that of a run that nothing disturbed.
# What becomes of candidates' files that are finished, damaged, of another run, or that the disk has no room for.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/scoring.sh
source "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
# shellcheck source=tests/system/training.sh
source "$ROBOTNAS_SOURCE/tests/system/training.sh"

need_faults
train_job job.yaml
seed_draws
h5py=$(python_with h5py) || skip_part 'looks into the files: no Python with h5py'

# Saves before every step: a training has 24, and a rank of two trains 2 candidates at the least, rank 0 at least 4.
every_step=(job.yaml --set objective.epochs=2 --set checkpoint.interval=0)
expect_exit 0 ranks 2 "$ROBOTNAS" search "${every_step[@]}"
same_report small.h5 >undisturbed
rm -r small.h5*

# resume [N SETTING...]: go on with the run on N ranks (default: 1 or 2, drawn).
resume() {
    local n=${1:-0} settings=() setting
    for setting in "${@:2}"; do settings+=(--set "$setting"); done
    [ "$n" != 0 ] || draw n 1 2
    expect_exit 0 ranks "$n" "$ROBOTNAS" search "${every_step[@]}" "${settings[@]}" --resume
}

# finished: the candidates that are done, each with the time of its last change.
finished() {
    [ -z "$h5py" ] || "$h5py" - small.h5.d/*.h5 <<'PYTHON'
import os
import sys

import h5py

for path in sys.argv[1:]:
    if os.path.exists(path):
        with h5py.File(path, "r") as file:
            if file.attrs["done"]:
                print(path, os.stat(path).st_mtime_ns, os.stat(path).st_ino)
PYTHON
}

# expect_untouched FILE: the candidates that were finished are the files that they were.
expect_untouched() {
    finished >now
    grep -vxF -f now "$1" >changed || return 0
    fail "trained again: $(<changed)"
}

# expect_under_way: some candidate's training has done a step, and is not done.
expect_under_way() {
    [ -z "$h5py" ] || "$h5py" - small.h5.d/*.h5 <<'PYTHON' || fail "$1: no step of a training under way is saved"
import sys

import h5py

steps = [file.attrs["step"] for file in map(h5py.File, sys.argv[1:]) if not file.attrs["done"]]
print("steps done of trainings under way:", *steps)
sys.exit(not any(step > 0 for step in steps))
PYTHON
}

# ---- Kills and stops at fault points ----

# try POINT:N:SIGNAL [SETTING...]: strike either of two ranks, or rank 0 where that alone passes the point.
try() {
    local struck settings=() setting
    draw struck 0 1
    case $* in
    write-* | *shards*) struck=0 ;;
    esac
    for setting in "${@:2}"; do settings+=(--set "$setting"); done
    strike "$1" "$struck" "$ROBOTNAS" search "${every_step[@]}" "${settings[@]}"
    finished >before
    printf '%s on rank %d: exit code %d, %d candidates finished\n' "$*" "$struck" "$code" "$(wc -l <before)"
    case $1 in
    *:TERM)
        [ "$code" = 75 ] || fail "exit code $code instead of 75: $(<err)"
        expect_line err '^robotnas: stopped on request after .* --resume$'
        "$ROBOTNAS" report small.h5 --json | grep -q 'stopped by signal 15' || fail 'the report does not say by what it was stopped'
        ;;
    *) [ "$code" != 0 ] || fail 'the fault point was not reached' ;;
    esac
}

# gone_on FILE [N SETTING...]: it goes on to the report in FILE, and trains nothing twice.
gone_on() {
    resume "${@:2}"
    expect_report small.h5 "$1"
    expect_untouched before
    rm -r small.h5*
}

test_kills() {
    local n=0
    for point in training training step write-middle rename-middle; do
        case $point in
        step) draw n 2 4 ;; # saves of candidates are many, steps of a search few
        *) draw n 3 45 ;;
        esac
        try "$point:$n:KILL"
        gone_on undisturbed
    done
    # a single process
    draw n 3 150
    code=0
    { NAS_FAULT=training:$n:KILL "$ROBOTNAS" search "${every_step[@]}" >out 2>err || code=$?; } 2>/dev/null
    [ "$code" = 137 ] || fail "exit code $code after a kill"
    finished >before
    gone_on undisturbed 2
}

test_stops() {
    local n=0
    for point in training write-before; do # before some step, and before the state file is written, too
        draw n 5 20
        try "$point:$n:TERM"
        expect_under_way "$point:$n:TERM"
        gone_on undisturbed
    done
    # a save of the state file, after which no training is under way
    try write-after:2:TERM
    gone_on undisturbed
}

# A team of two ranks, of which the first saves; the other one is struck below.
test_teams() {
    local n=0
    for signal in KILL TERM; do
        draw n 3 150
        try "training:$n:$signal" objective.shards=2
        gone_on team 0 objective.shards=2
    done
}

# ---- Requests at no fault point ----

# A training of hours: who asked whom shows in that it ends at all.
long=(job.yaml --set objective.epochs=10000 --set checkpoint.interval=0)

# goes_on FILE INODE: it was replaced since.
goes_on() {
    local now
    now=$(stat -c %i "$1" 2>/dev/null) && [ "$now" != "$2" ]
}

# begin SETTING...: in the background on two ranks, up to the second save of a training. Sets pid.
begin() {
    local settings=() setting file
    for setting in "$@"; do settings+=(--set "$setting"); done
    rm -f pid.*
    noting_ranks 2 "$ROBOTNAS" search "${long[@]}" "${settings[@]}" --resume >out 2>err &
    pid=$!
    wait_for compgen -G 'small.h5.d/*.h5' >/dev/null
    file=$(compgen -G 'small.h5.d/*.h5' | head -n 1)
    wait_for goes_on "$file" "$(stat -c %i "$file")"
}

# expect_stopped REQUEST
expect_stopped() {
    code=0
    timeout 60 tail --pid="$pid" -f /dev/null || fail "$1: the training goes on"
    wait "$pid" || code=$?
    [ "$code" = 75 ] || fail "$1: exit code $code instead of 75: $(<err)"
    expect_line err '^robotnas: stopped on request after 0 of 8 evaluations; small\.h5 is saved, run again with --resume$'
    expect_no_finding err
    expect_under_way "$1"
}

test_requests() {
    begin
    kill -USR1 "$(<pid.1)"
    expect_stopped 'SIGUSR1 to rank 1'
    begin coordinator=dedicated
    kill -TERM "$(<pid.0)"
    expect_stopped 'SIGTERM to a coordinator that does not train'
    begin coordinator=dedicated
    touch small.h5.stop
    expect_stopped small.h5.stop
    [ ! -e small.h5.stop ] || fail 'the stop file is still there, and the next start would stop again'
    rm -r small.h5*
    begin objective.shards=2
    kill -TERM "$(<pid.1)"
    expect_stopped 'SIGTERM to a rank that does not lead its team'
    rm -r small.h5*
}

# Suspended in the middle of a training; the stop file is there when it wakes up.
test_stop_file() {
    NAS_FAULT=training:30:STOP "$ROBOTNAS" search "${every_step[@]}" >out 2>err &
    pid=$!
    wait_for is_suspended "$pid"
    sleep 1.5 # the file is looked for once a second
    touch small.h5.stop
    kill -CONT "$pid"
    code=0
    wait "$pid" || code=$?
    [ "$code" = 75 ] || fail "exit code $code instead of 75: $(<err)"
    expect_line err '^robotnas: stopped on request after '
    expect_under_way small.h5.stop
    finished >before
    gone_on undisturbed
}

is_suspended() {
    grep -qs '^State:[[:space:]]*T' "/proc/$1/status"
}

# kill_at_any_time [SETTING...]: a drawn rank, at a drawn moment, time and again.
kill_at_any_time() {
    local ms=0 struck=0 settings=() setting
    for setting in "$@"; do settings+=(--set "$setting"); done
    for _ in 1 2; do
        rm -f pid.*
        noting_ranks 2 "$ROBOTNAS" search "${every_step[@]}" "${settings[@]}" --resume >out 2>err &
        pid=$!
        draw ms 100 900
        draw struck 0 1
        wait_for compgen -G 'small.h5.d/*.h5' >/dev/null
        wait_for test -s "pid.$struck"
        sleep "0.$(printf %03d "$ms")"
        kill -KILL "$(<"pid.$struck")" 2>/dev/null || echo 'it was through already'
        wait "$pid" || true
        expect_no_finding err
        wait_for noted_ended
        finished >before
        printf 'rank %d killed %d ms after the first save: %d candidates finished\n' "$struck" "$ms" "$(wc -l <before)"
    done
}

test_kills_at_any_time() {
    kill_at_any_time
    gone_on undisturbed
    kill_at_any_time objective.shards=2
    gone_on team 0 objective.shards=2
}

# ---- Files ----

# flip FILE: a byte in its middle.
flip() {
    python3 "$ROBOTNAS_SOURCE/tests/system/statefile.py" flip "$1" $((4 * $(stat -c %s "$1")))
}

# All files, of finished trainings and of those under way; but what the state file has is not looked at again.
test_damage() {
    local file n=0 n_new
    try training:40:KILL
    same_report small.h5 >saved
    for file in small.h5.d/*.h5; do
        flip "$file"
        n=$((n + 1))
    done
    n_new=$((n - $(n_evaluations saved)))
    printf '%d files damaged, %d of them to be looked at\n' "$n" "$n_new"
    [ "$n_new" -gt 0 ] || fail 'no training was under way'
    resume 2
    expect_report small.h5 undisturbed
    [ "$(grep -c 'is damaged.*; it is trained anew$' err)" = "$n_new" ] || fail "not $n_new lines say so: $(<err)"
    rm -r small.h5*
}

test_fresh() {
    expect_exit 0 ranks 2 "$ROBOTNAS" search "${every_step[@]}"
    stat -c '%i %.9Y %n' small.h5.d/*.h5 | sort >old
    expect_exit 0 ranks 2 "$ROBOTNAS" search "${every_step[@]}" --fresh
    stat -c '%i %.9Y %n' small.h5.d/*.h5 | sort >new
    expect_report small.h5 undisturbed
    [ -z "$(comm -12 old new)" ] || fail "not trained again: $(comm -12 old new)"
    expect_candidates small.h5
}

# From the run that test_fresh left.
test_reuse() {
    local larger=(job.yaml --set objective.epochs=2 --set search.budget=12)
    expect_exit 0 ranks 2 "$ROBOTNAS" search "${larger[@]}" --set output=without.h5
    same_report without.h5 >without
    expect_exit 0 ranks 2 "$ROBOTNAS" search "${larger[@]}" --set output=new.h5 --reuse small.h5
    expect_report new.h5 without
    expect_candidates new.h5
    [ -z "$h5py" ] || "$h5py" - <<'PYTHON' || fail 'what was taken over is not what was there'
import sys

import h5py
import numpy as np

NAMES = ("value", "cost", "status", "columns", "train_loss", "valid_loss", "valid_accuracy")


def evaluations(path):
    with h5py.File(path, "r") as run:
        rows = run["evaluations"]
        return {arch: (bool(rows["reused"][i]), [np.asarray(rows[name][i], float) for name in NAMES])
                for i, arch in enumerate(rows["arch"])}


old, new = evaluations("small.h5"), evaluations("new.h5")
reused = [arch for arch in new if new[arch][0]]
assert set(reused) == set(old) & set(new), "not all of the old run's, or others"
assert len(reused) >= 4, "too few to show anything"
for arch in reused:
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(old[arch][1], new[arch][1])), arch
print(f"{len(reused)} of {len(new)} evaluations taken over")
PYTHON
    rm -r small.h5* new.h5* without.h5*
}

# The folder of candidates' files is replaced by a file while the training is suspended.
test_unwritable() {
    NAS_FAULT=training:60:STOP "$ROBOTNAS" search "${every_step[@]}" >out 2>err &
    pid=$!
    wait_for is_suspended "$pid"
    mv small.h5.d aside
    : >small.h5.d
    kill -CONT "$pid"
    code=0
    wait "$pid" || code=$?
    expect_unsaved 'robotnas: cannot make the folder small\.h5\.d: Not a directory'
    rm small.h5.d
    mv aside small.h5.d
    finished >before
    gone_on undisturbed 2
}

# expect_unsaved LINE: exit code 1 with the line, and a state file that is whole.
expect_unsaved() {
    [ "$code" = 1 ] || fail "exit code $code instead of 1: $(<err)"
    expect_line err "^$1"
    expect_line err '^robotnas: '
    same_report small.h5 >saved
    grep -q '"complete": false' saved || fail 'the run says that it is complete'
}

# A disk that is full after some candidates.
test_full_disk() {
    mkdir disk
    mount -t tmpfs -o size=900k tmpfs disk 2>/dev/null || {
        skip_part 'a full disk and a read-only one: mount is not permitted'
        return
    }
    trap 'umount --lazy "$folder/disk"; leave' EXIT
    ln -s disk/small.h5 small.h5
    ln -s disk/small.h5.d small.h5.d
    code=0
    ranks 2 "$ROBOTNAS" search "${every_step[@]}" --set output=disk/small.h5 >out 2>err || code=$?
    grep -v '^20.* robotnas: ' err >lines || true
    mv lines err
    expect_unsaved 'robotnas: cannot write disk/small\.h5.*\.tmp: No space left on device; free space there and run again with --resume$'
    [ -z "$(find disk -name '*.tmp')" ] || fail 'a temporary file is still there'
    finished >before
    [ -s before ] || [ -z "$h5py" ] || fail 'no candidate was finished before the disk was full'
    mount -o remount,ro disk
    expect_exit 1 "$ROBOTNAS" search "${every_step[@]}" --set output=disk/small.h5 --resume
    expect_line err '^robotnas: .*Read-only file system'
    mount -o remount,rw,size=10m disk
    expect_exit 0 ranks 2 "$ROBOTNAS" search "${every_step[@]}" --set output=disk/small.h5 --resume
    expect_report small.h5 undisturbed
    expect_untouched before
}

# What teams make of it.
expect_exit 0 "$ROBOTNAS" search "${every_step[@]}" --set objective.shards=2
same_report small.h5 >team
rm -r small.h5*

for part in kills stops teams requests stop_file kills_at_any_time damage fresh reuse unwritable full_disk; do
    printf '%s\n' "-- $part"
    "test_$part"
done
