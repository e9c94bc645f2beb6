#!/usr/bin/env bash
# Candidates judged by programs of the user's, many of which misbehave: the search ends with the right answer and names each
# failure, and nothing of what the programs started outlives it, whatever ends the run.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

# As in faults.sh.
export OMPI_MCA_odls_base_sigkill_timeout=0

# A pool of 16 architectures, all of which are judged.
n_arch=16
awk -F , -v n=$n_arch 'NR == 1 { print "arch,a,b" } NR > 1 && NR <= n + 1 { print $1 "," NR * 7 % 11 "," NR * 5 % 13 }' \
    "$example" >pool.csv

limit_s=5 # of time for a trainer: those that are not endless take a tenth of it on a busy machine

# command_job FILE: a job whose trainer is trainer.sh beside it, told the architecture's place, its folder, and the architecture.
command_job() {
    cat >"$1" <<JOB
name: small
seed: 3
output: small.h5
pool: {space: table, table: pool.csv}
metrics: {names: [a, b]}
objective:
  kind: command
  command: [sh, "{job}/trainer.sh", "{index}", "{work}", "{arch}"]
  timeout: $limit_s
  patience: 0
  report: [half, none]
search: {method: robot, budget: $n_arch, parallel: 2}
checkpoint: {interval: 0}
JOB
}

# What a good trainer answers; half of the score is a column, another one is missing.
cat >answer.sh <<'TRAINER'
echo "some text { in front"
echo "{\"score\": $1, \"cost\": 10, \"columns\": {\"half\": $1.5, \"other\": 1}}"
TRAINER

# Every kind of misbehaviour, by the architecture's place in the pool; without the endless ones where NO_ENDLESS is set.
cat >trainer.sh <<'TRAINER'
here=$(dirname "$0")
case ${NO_ENDLESS:-}$1 in
yes[258]) exit 3 ;;
esac
case $1 in
0) exit 3 ;;
1) kill -SEGV $$ ;;
2) sleep 1000 ;;
3) echo 'Epoch 1: loss 2.3' ;;
4) echo '{"score": NaN}' ;;
5) yes '{"score": 17}' ;;
6) sh "$here/answer.sh" "$1" && echo '{"score": Infinity}' ;;
7) head -c 20000000 /dev/zero && exit 4 ;;
8) trap '' TERM && while :; do sleep 1; done ;;
9) # good, but leaves children behind, one of which has left the session
    (sleep 1000 &)
    echo '{"score": 99}'
    setsid sleep 1000 >/dev/null 2>&1 &
    sh "$here/answer.sh" "$1"
    echo "{'score': 99}"
    ;;
10) echo '{"score": "17"}' ;;
11) kill -KILL $$ ;;
*) sh "$here/answer.sh" "$1" ;;
esac
TRAINER
good=(9 12 13 14 15)

# Each run's processes are marked, at any depth; the mark is in no other's environment.
mark=$folder/$$

# marked COMMAND...
marked() {
    NAS_MARK=$mark "$@"
}

# all_ended: no marked process runs. (The environment of one that nobody has waited for is empty.)
all_ended() {
    ! grep -lqsF "NAS_MARK=$mark" /proc/[0-9]*/environ
}

# expect_all_ended: at once, since a run ends after its trainers.
expect_all_ended() {
    all_ended ||
        fail "processes are left: $(grep -lsF "NAS_MARK=$mark" /proc/[0-9]*/environ | sed 's,environ,cmdline,' | xargs cat | tr '\0' ' ')"
}

# archs INDEX...: the names of these places of the pool.
archs() {
    local i
    for i in "$@"; do sed -n "$((i + 2))s/,.*//p" pool.csv; done
}

# expect_judged RUN.h5 BEST GOOD...: the best is that place of the pool; these were judged, and all the others failed.
expect_judged() {
    "$ROBOTNAS" report "$1" --json >report.json
    archs "${@:2}" >expected
    python3 - "$n_arch" <<'PYTHON' || fail "not as expected: $1"
import json
import sys

best, *good = open("expected").read().split("\n")[:-1]
repeat = json.load(open("report.json"))["repeats"][0]
evaluations = {e["arch"]: e for e in repeat["evaluations"]}
assert len(evaluations) == int(sys.argv[1]), f"{len(evaluations)} evaluations"
assert repeat["best"]["arch"] == best, repeat["best"]
for arch, e in evaluations.items():
    assert e["status"] == ("ok" if arch in good else "failed"), e
    assert (e["target"] is None) == (arch not in good), e
assert repeat["cost"] == 10 * len(good), repeat["cost"]
PYTHON
}

# expect_reasons: the report in file text has, one line each, INDEX REASON of standard input.
expect_reasons() {
    local index reason
    while read -r index reason; do
        archs "$index" >arch
        # the name may go over lines
        python3 - "$reason" <<'PYTHON' || fail "architecture $index is not said to have failed by: $reason"
import sys

text = "".join(line[2:] for line in open("text").read().split("Failed evaluations\n")[1].splitlines())
name = open("arch").read().strip()
sys.exit(name + "  " + sys.argv[1] not in text)
PYTHON
    done
}

# The best of 5 good ones, from between 11 failures.
test_hostile() {
    command_job job.yaml
    expect_exit 0 marked ranks 2 "$ROBOTNAS" search job.yaml
    expect_all_ended
    expect_judged small.h5 15 "${good[@]}"
    same_report small.h5 >hostile
    "$ROBOTNAS" report small.h5 >text
    expect_reasons <<REASONS
0 exit code 3
1 ended by signal 11 (Segmentation fault)
2 time limit of $limit_s s
3 no answer: no line with "score" among 1 line, the last: Epoch 1: loss 2.3
4 its answer is not JSON:
5 time limit of $limit_s s
6 its answer is not JSON:
7 exit code 4
8 time limit of $limit_s s
10 its answer has no finite number as score
11 ended by signal 9 (Killed)
REASONS
    for index in 0 1 2 3 4 5 6 7 8 10 11; do
        [ "$(grep -cF "$(archs "$index") failed: " err)" = 1 ] || fail "the log does not say that $index failed"
        [ ! -e "$(printf 'small.h5.d/%06d-s3.work' "$index")" ] || fail "the folder of $index is left"
    done
    for index in 5 7; do # what they print is kept, and only so much of it
        (($(stat -c %s "$(printf 'small.h5.d/%06d-s3.out' "$index")") <= (16 << 20) + 200)) || fail "too much of $index is kept"
    done
}

# The columns of the best, and costs; a missing column is none.
test_columns() {
    python3 - <<'PYTHON' || fail 'the columns are not as the trainer said'
import json

report = json.load(open("report.json"))
assert report["repeats"][0]["best"]["columns"] == {"half": 15.5, "none": None}, report["repeats"][0]["best"]
assert report["summary"]["columns"]["half"]["mean"] == 15.5
assert report["summary"]["cost"]["mean"] == 50
PYTHON
    expect_exit 0 "$ROBOTNAS" export small.h5
    grep -q '"network": null' out || fail 'a network that was not trained here'
    expect_exit 2 "$ROBOTNAS" export small.h5 --format onnx
    expect_line err '^robotnas: small\.h5: this run trained no networks, .*; use --format json$'
    rm -r small.h5*
}

# Neither the ranks nor the order show. Sanitizers are slow and do without.
test_one_rank() {
    expect_exit 0 marked "$ROBOTNAS" search job.yaml
    wait_for all_ended # MPI's own daemon of a single process takes a moment
    expect_report small.h5 hostile
    rm -r small.h5*
}

test_minimise() {
    NO_ENDLESS=yes expect_exit 0 marked ranks 2 "$ROBOTNAS" search job.yaml --set objective.minimise=true --set search.method=random
    expect_judged small.h5 9 "${good[@]}"
    expect_exit 0 "$ROBOTNAS" export small.h5
    grep -qF "$(archs 9)" out || fail 'export knows another best'
    rm -r small.h5*
}

# Answers at the third try, or never; tries are counted.
test_retries() {
    mkdir retries tries
    command_job retries/job.yaml
    cp pool.csv answer.sh retries
    cat >retries/trainer.sh <<'TRAINER'
here=$(dirname "$0")
echo >>"$here/../tries/$1"
[ -z "$(ls -A "$2")" ] || exit 5
: >"$2/left"
[ "$1" != 7 ] || exit 3
[ "$(wc -l <"$here/../tries/$1")" -ge 3 ] || exit 1
sh "$here/answer.sh" "$1"
TRAINER
    local good_ones
    good_ones=$(seq 0 $((n_arch - 1)) | grep -vx 7)
    expect_exit 0 marked ranks 2 "$ROBOTNAS" search retries/job.yaml --set objective.retries=2
    # shellcheck disable=SC2086 # one argument a number
    expect_judged small.h5 15 $good_ones
    "$ROBOTNAS" report small.h5 >text
    echo '7 exit code 3 (3 tries)' | expect_reasons
    [ "$(cat tries/* | wc -l)" = $((3 * n_arch)) ] || fail "not three tries each: $(wc -l tries/*)"
    [ -e small.h5.d/000003-s3.work/left ] || fail 'the folder of a success is gone'
    rm -r small.h5*
}

# A trainer that fills the disk, beside others; all fail that need room meanwhile, and nothing else happens.
test_full_disk() {
    mkdir disk full
    mount -t tmpfs -o size=4m tmpfs disk 2>/dev/null || {
        skip_part 'a trainer that fills the disk: mount is not permitted'
        return
    }
    trap 'umount --lazy "$folder/disk"; leave' EXIT
    command_job full/job.yaml
    cp pool.csv answer.sh full
    cat >full/trainer.sh <<'TRAINER'
here=$(dirname "$0")
case $1 in
[0-3]) cat /dev/zero >"$2/fill" || exit 6 ;;
*) sh "$here/answer.sh" "$1" ;;
esac
TRAINER
    expect_exit 0 marked ranks 2 "$ROBOTNAS" search full/job.yaml --set output=disk/small.h5
    # shellcheck disable=SC2046 # one argument a number
    expect_judged disk/small.h5 15 $(seq 4 15)
    "$ROBOTNAS" report disk/small.h5 >text
    expect_reasons <<<'2 exit code 6'
    umount disk
    trap leave EXIT
}

# An output folder that becomes read-only under a trainer: the run ends for that reason, and goes on once it can write.
test_read_only() {
    mkdir ro read_only
    command_job read_only/job.yaml
    cp pool.csv answer.sh read_only
    cat >read_only/trainer.sh <<'TRAINER'
here=$(dirname "$0")
ro=$here/../ro
[ ! -e "$here/cover" ] || { mount --bind "$ro" "$ro" && mount -o remount,bind,ro "$ro" && rm "$here/cover"; } || exit 5
sh "$here/answer.sh" "$1"
TRAINER
    touch read_only/cover
    mount --bind ro ro 2>/dev/null || {
        skip_part 'an output folder that becomes read-only: mount is not permitted'
        return
    }
    umount ro
    trap 'umount --lazy "$folder/ro" || true; leave' EXIT
    local run=("$ROBOTNAS" search read_only/job.yaml --set output=ro/small.h5)
    expect_exit 1 marked ranks 1 "${run[@]}"
    expect_line err '^robotnas: .*: Read-only file system'
    umount ro
    expect_exit 0 marked ranks 1 "${run[@]}" --resume
    # shellcheck disable=SC2046 # one argument a number
    expect_judged ro/small.h5 15 $(seq 0 15)
    trap leave EXIT
}

# ---- What ends a run ----

# A trainer that hangs as long as the file hang is there, with children in other sessions and deaf to SIGTERM; it first says that
# it runs.
test_endings() {
    mkdir endings
    command_job endings/job.yaml
    cp pool.csv answer.sh endings
    cat >endings/trainer.sh <<'TRAINER'
here=$(dirname "$0")
case $1 in
*[05]) exit 3 ;;
esac
[ ! -e "$here/hang" ] || {
    (setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &)
    trap '' TERM
    : >"$here/running.$1"
    while :; do sleep 1; done
}
sh "$here/answer.sh" "$1"
TRAINER
    job=(endings/job.yaml --set objective.timeout=0)
    expect_exit 0 "$ROBOTNAS" search "${job[@]}"
    same_report small.h5 >undisturbed
    rm -r small.h5*

    begin
    kill -KILL "$(<pid.1)"
    wait "$pid" || true
    ended 'SIGKILL to rank 1'

    begin
    kill -KILL "$pid" # mpiexec: noting_ranks runs in a shell of its own
    wait "$pid" || true
    ended 'SIGKILL to mpiexec'

    begin
    code=0
    kill -TERM "$(<pid.1)"
    wait "$pid" || code=$?
    expect_all_ended
    [ "$code" = 75 ] || fail "exit code $code instead of 75: $(<err)"
    expect_line err '^robotnas: stopped on request after .* small\.h5 is saved, run again with --resume$'
    ended 'SIGTERM to rank 1'

    begin
    code=0
    touch small.h5.stop
    wait "$pid" || code=$?
    expect_all_ended
    [ "$code" = 75 ] || fail "exit code $code instead of 75: $(<err)"
    ended small.h5.stop

    expect_exit 0 ranks 2 "$ROBOTNAS" search "${job[@]}" --resume
    expect_report small.h5 undisturbed
    rm -r small.h5*
}

# begin: in the background on two ranks, until a trainer hangs on each. Sets pid, of mpiexec.
begin() {
    rm -f pid.* endings/running.*
    touch endings/hang
    # shellcheck disable=SC2016 # the ranks expand it
    NAS_MARK=$mark "$MPIEXEC" -n 2 sh -c 'echo $$ >"pid.$OMPI_COMM_WORLD_RANK"; exec "$0" "$@"' \
        "$ROBOTNAS" search "${job[@]}" --resume >out 2>err &
    pid=$!
    wait_for two_run
}

two_run() {
    [ "$(find endings -name 'running.*' | wc -l)" = 2 ]
}

# ended WHAT: nothing of the run is left, and the trainers that hung are no failures.
ended() {
    wait_for all_ended
    rm endings/hang
    "$ROBOTNAS" report small.h5 --json | python3 -c '
import json, sys
for repeat in json.load(sys.stdin)["repeats"]:
    print(*[evaluation["arch"] for evaluation in repeat["evaluations"]], sep="\n")' >judged
    for running in endings/running.*; do
        if grep -qxF "$(archs "${running##*.}")" judged; then fail "$1: a trainer that was ended counts as judged"; fi
    done
    printf '%s: nothing is left\n' "$1"
}

# ---- Refusals ----

# refuse PATTERN SETTING: before anything runs, with the place of the key.
refuse() {
    expect_exit 2 "$ROBOTNAS" search refused/job.yaml
    expect_line err '^'
    expect_line err "^robotnas: refused/job\.yaml:8:12: objective\.command: .*$1"
    if [ -e small.h5 ] || [ -e small.h5.d ] || [ -e ran ]; then fail 'something ran or was written'; fi
}

# with_command COMMAND: the job with this command.
with_command() {
    command_job refused/job.yaml
    python3 - "$1" <<'PYTHON'
import sys

lines = open("refused/job.yaml").read().splitlines()
lines[7] = f"  command: {sys.argv[1]}"
open("refused/job.yaml", "w").write("\n".join(lines) + "\n")
PYTHON
}

test_refusals() {
    mkdir refused
    cp pool.csv refused
    with_command '[touch, ran, "{architecture}"]'
    refuse "{architecture}"
    with_command '[touch, "ran{"]'
    refuse ''
    with_command '[no-such-program-anywhere, "{arch}"]'
    refuse 'no-such-program-anywhere'
    with_command '["{job}/job.yaml", "{arch}"]'
    refuse 'refused/job\.yaml'
    expect_exit 2 ranks 2 "$ROBOTNAS" search job.yaml --set 'objective.command=[no-such-program]'
    expect_line err '^robotnas: --set objective\.command: .*no-such-program'
}

# ---- PyTorch ----

# The shipped job, with less to do.
test_pytorch() {
    local shipped=$ROBOTNAS_SOURCE/jobs/fashion-mnist-pytorch.yaml data=/usr/share/datasets/fashion-mnist
    /usr/bin/python3 -c 'import torch' 2>/dev/null || {
        skip_part 'the job fashion-mnist-pytorch: no /usr/bin/python3 with torch'
        return
    }
    [ -d "$data" ] || {
        skip_part "the job fashion-mnist-pytorch: no $data"
        return
    }
    local less='[/usr/bin/python3, "{job}/pytorch/train_cell.py", --arch, "{arch}", --seed, "{seed}", --data, '"$data"',
        --channels, "4", --cells, "1", --epochs, "1", --batch, "20", --limit, "100"]'
    expect_exit 0 marked ranks 2 "$ROBOTNAS" search "$shipped" --set output=torch.h5 --set "objective.command=$less" \
        --set 'pool.subset={sample: 6}' --set network.channels=4 --set data.limit=200 --set metrics.batch=8 \
        --set search.budget=2 --set search.parallel=2
    expect_all_ended
    "$ROBOTNAS" report torch.h5 --json >report.json
    python3 - <<'PYTHON' || fail "the trainings failed: $(cat torch.h5.d/*.err)"
import json

report = json.load(open("report.json"))
evaluations = report["repeats"][0]["evaluations"]
assert len(evaluations) == 2
assert all(e["status"] == "ok" and 0 <= e["target"] <= 100 for e in evaluations), evaluations
assert 0 <= report["repeats"][0]["best"]["columns"]["test_accuracy"] <= 100
PYTHON
}

for part in hostile columns one_rank minimise retries full_disk read_only endings refusals pytorch; do
    if is_sanitized && [ "$part" = one_rank ]; then
        skip_part 'one rank alone: takes too long with a sanitizer'
        continue
    fi
    printf '%s\n' "-- $part"
    "test_$part"
done
