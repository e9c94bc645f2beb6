#!/usr/bin/env bash
# Runs in which evaluations fail: what is said where nothing succeeds, when a run gives up, and how what failed is tried again.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/scoring.sh
source "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
# shellcheck source=tests/system/training.sh
source "$ROBOTNAS_SOURCE/tests/system/training.sh"

awk -F , 'NR == 1 { print "arch,a,b" } NR > 1 && NR <= 17 { print $1 "," NR * 7 % 11 "," NR * 5 % 13 }' "$example" >pool.csv

# failing_job: job.yaml, whose trainer fails unless the file `mended` is there; it notes its runs in the file `runs`.
failing_job() {
    cat >job.yaml <<'JOB'
name: small
seed: 3
output: small.h5
pool: {space: table, table: pool.csv}
metrics: {names: [a, b]}
objective: {kind: command, command: [sh, "{job}/trainer.sh", "{index}"]}
search: {method: robot, budget: 8}
checkpoint: {interval: 0}
JOB
    cat >trainer.sh <<'TRAINER'
cd "$(dirname "$0")" && echo "$1" >>runs
echo starting >&2
[ -e mended ] || { printf '10 %%\r100 %%\rNo module named torch\r\n' >&2 && exit 3; }
echo "{\"score\": $(($1 * 7 % 16)), \"cost\": 10}"
TRAINER
}

# n_runs: of trainers.
n_runs() {
    wc -l <runs
}

# expect_verdict N BEGIN: one error line, of N failures.
expect_verdict() {
    expect_line err '^robotnas: '
    expect_line err "^robotnas: small\.h5: $2none of $1 evaluations succeeded; the first failed: exit code 3; the last line of its \
standard error: No module named torch (small\.h5\.d/0000[0-9]*-s3\.err)"
}

# A finished run in which nothing succeeded has failed, and so has its every resumption, which works on nothing.
test_nothing_succeeded() {
    expect_exit 1 "$ROBOTNAS" search job.yaml --set objective.patience=0
    expect_verdict 8 ''
    expect_line out ', complete$'
    grep -q '^    small\.h5\.d/000.*-s3\.err$' out || fail 'the report does not say where the output of failures is'
    [ "$(grep -c ' failed: exit code 3; its standard error: small\.h5\.d/0000[0-9]*-s3\.err$' err)" = 8 ] ||
        fail 'the log does not say where the output of failures is'
    if grep -q '^Weight' out; then fail 'weights where nothing succeeded'; fi
    cp small.h5 before
    expect_exit 1 ranks 2 "$ROBOTNAS" search job.yaml --set objective.patience=0 --resume
    expect_line err "^robotnas: small\.h5: none of 8 "
    expect_exit 1 "$ROBOTNAS" search job.yaml --resume # what is complete has not given up
    expect_verdict 8 ''
    cmp small.h5 before || fail 'a finished run was written'
    [ "$(n_runs)" = 8 ] || fail "$(n_runs) trainers ran"
    "$ROBOTNAS" report small.h5 --json >report.json
    grep -q '^  "complete": true,$' report.json || fail 'it is not complete'
    grep -q '"weights": null' report.json || fail 'weights where nothing succeeded'
}

# Three failures are enough, or as many as the job says, which it may say anew.
test_patience() {
    expect_exit 1 "$ROBOTNAS" search job.yaml --fresh
    expect_verdict 3 'gave up, '
    expect_line out ', GAVE UP$'
    cp small.h5 before
    expect_exit 1 "$ROBOTNAS" search job.yaml --resume
    expect_verdict 3 'gave up, '
    cmp small.h5 before || fail 'a run that gave up was written'
    [ "$(n_runs)" = 3 ] || fail "$(n_runs) trainers ran"
    "$ROBOTNAS" report small.h5 --json >report.json
    grep -A1 '^  "complete": false,$' report.json | grep -q '^  "gave_up": true,$' || fail 'the report does not say that it gave up'
    expect_exit 1 ranks 2 "$ROBOTNAS" search job.yaml --resume --set objective.patience=5
    [ "$(n_runs)" = 5 ] || fail "$(n_runs) trainers ran"
    touch mended
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume --set objective.patience=0
    [ "$(n_runs)" = 8 ] || fail "$(n_runs) trainers ran"
    if "$ROBOTNAS" report small.h5 --json | grep gave_up; then fail 'it gave up'; fi
    rm mended
}

# A round is recorded as a whole: four failures at once.
test_patience_of_rounds() {
    expect_exit 1 ranks 2 "$ROBOTNAS" search job.yaml --fresh --set search.parallel=4 --set search.method=random
    expect_line err '^robotnas: small\.h5: gave up, none of 4 evaluations succeeded'
    [ "$(n_runs)" = 4 ] || fail "$(n_runs) trainers ran"
}

# Trainings that diverge have no output of their own.
test_trainings() {
    train_job train.yaml
    expect_exit 1 "$ROBOTNAS" search train.yaml --fresh --set objective.rate=1000 --set objective.weight_decay=1 \
        --set objective.patience=2
    expect_line err "^robotnas: small\.h5: gave up, none of 2 evaluations succeeded; the first failed: the loss is not \
finite in step [0-9]* of epoch [0-9]*$"
    touch before
    expect_exit 1 "$ROBOTNAS" search train.yaml --resume --retry-failed --set objective.rate=1000 \
        --set objective.weight_decay=1 --set objective.patience=2
    expect_line err 'retry 1: 2 failed evaluations to be made again, 0 known results$'
    [ "$(find small.h5.d -name '*.h5' -newer before | wc -l)" = 2 ] || fail 'old failures count in a retry'
}

# ---- Trying failures again ----

# flaky_job: job.yaml, of two repeats, whose trainer fails for every fourth architecture unless the file `mended` is there.
flaky_job() {
    failing_job
    sed -i 's/budget: 8/budget: 8, repeats: 2, parallel: 2/; s/"{index}"/"{index}", "{seed}"/' job.yaml
    cat >trainer.sh <<'TRAINER'
cd "$(dirname "$0")" && echo "$1 $2" >>runs
[ -e mended ] || [ $(($1 % 4)) != 0 ] || exit 3
echo "{\"score\": $(($1 * 7 % 16)), \"cost\": 10}"
TRAINER
}

# without_earlier RUN.h5: its report, but for results that the search did not ask for.
without_earlier() {
    same_report "$1" | python3 -c '
import json, sys
report = json.load(sys.stdin)
for repeat in report["repeats"]:
    repeat.pop("earlier", None)
print(json.dumps(report, indent=1))'
}

# statuses RUN.h5 STATUS: how many evaluations have it; candidates of a step under way stand at another depth.
statuses() {
    "$ROBOTNAS" report "$1" --json | grep -c "^          \"status\": \"$2\"" || true
}

# restore: the run with failures, as it was.
restore() {
    rm -rf small.h5* runs
    cp -r failures.h5 small.h5
    cp -r failures.h5.d small.h5.d
}

# expect_retried WHAT: the run is as one in which nothing ever failed; what was known was not made again.
expect_retried() {
    without_earlier small.h5 >found
    diff undisturbed found >&2 || fail "$1: not as a run without failures"
    if sort runs | comm -12 - known.runs | grep .; then fail "$1: the trainer of a known result ran"; fi
}

test_retry() {
    flaky_job
    touch mended
    expect_exit 0 "$ROBOTNAS" search job.yaml --set output=undisturbed.h5
    without_earlier undisturbed.h5 >undisturbed
    rm mended runs
    expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
    [ "$(statuses small.h5 failed)" -gt 1 ] || fail 'nothing failed'
    awk '$1 % 4' runs | sort >known.runs
    cp small.h5 failures.h5
    cp -r small.h5.d failures.h5.d

    expect_exit 2 "$ROBOTNAS" search job.yaml --retry-failed
    expect_line err '^robotnas: search: --retry-failed .* needs --resume$'
    expect_exit 2 "$ROBOTNAS" score job.yaml --resume --retry-failed

    touch mended
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume # failures are final
    cmp small.h5 failures.h5 || fail 'a finished run was written'
    restore
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume --retry-failed
    expect_line err 'retry 1: [0-9]* failed evaluations to be made again, [0-9]* known results$'
    expect_retried 'on one rank'
    if sort runs | uniq -d | grep .; then fail 'a trainer ran twice'; fi
    same_report small.h5 >retried
    "$ROBOTNAS" report small.h5 --json >report.json
    [ "$(grep -c 'before retry 1, .* failed: exit code 3' report.json)" = "$(statuses failures.h5 failed)" ] ||
        fail 'the failures are no events'
    cp small.h5 before
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume --retry-failed
    expect_line err 'no evaluation of small\.h5 failed; there is nothing to retry$'
    cmp small.h5 before || fail 'a finished run was written'
    restore
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --resume --retry-failed
    expect_retried 'on two ranks'
    expect_report small.h5 retried
}

# A method with a posterior goes another way where something has failed; a retry goes back.
test_retry_of_a_posterior() {
    flaky_job
    sed -i 's/robot,/pool-gp,/' job.yaml
    touch mended
    expect_exit 0 "$ROBOTNAS" search job.yaml --fresh --set output=undisturbed.h5
    without_earlier undisturbed.h5 >undisturbed
    rm mended
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --fresh
    [ "$(statuses small.h5 failed)" -gt 1 ] || fail 'nothing failed'
    same_report small.h5 >failures
    rm runs
    expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
    expect_report small.h5 failures
    awk '$1 % 4' runs | sort >known.runs
    touch mended
    rm runs
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume --retry-failed
    expect_retried 'a posterior'
}

# Killed at any instant, --resume alone goes on with a retry that the file knows of.
test_retry_killed() {
    grep -q NAS_FAULT "$ROBOTNAS" || {
        echo 'SKIPPED kills in a retry: the binary has no fault points (-DROBOTNAS_FAULTS=ON)'
        return
    }
    local fault code
    for fault in rename-after:1 step:3 write-middle:4 step:6; do
        restore
        code=0
        { NAS_FAULT=$fault:KILL "$ROBOTNAS" search job.yaml --resume --retry-failed >out 2>err || code=$?; } 2>/dev/null
        [ "$code" = 137 ] || fail "exit code $code instead of 137 at $fault: $(<err)"
        expect_exit 0 "$ROBOTNAS" search job.yaml --resume
        expect_retried "killed at $fault"
        expect_report small.h5 retried
    done
    restore # before the file knows of it, it has not begun
    code=0
    { NAS_FAULT=write-middle:1:KILL "$ROBOTNAS" search job.yaml --resume --retry-failed >out 2>err || code=$?; } 2>/dev/null
    [ "$code" = 137 ] || fail 'it was not killed'
    cmp small.h5 failures.h5 || fail 'the file was written'
}

# What fails again is a failure of the retry, also where that is interrupted; a further retry tries it again.
test_retry_fails_again() {
    restore
    rm mended
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume --retry-failed
    sort runs | uniq >failed.runs
    [ "$(wc -l <failed.runs)" = "$(n_runs)" ] || fail 'a trainer ran twice'
    if comm -12 failed.runs known.runs | grep .; then fail 'the trainer of a known result ran'; fi
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume
    [ "$(wc -l <failed.runs)" = "$(n_runs)" ] || fail 'a trainer ran again'
    touch mended
    rm runs
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --resume --retry-failed
    expect_line err 'retry 2: '
    expect_retried 'the second time'
}

# A failure in a step that was interrupted is in its candidate's file alone: --resume finds it there, a retry does not.
test_retry_of_an_interrupted_step() {
    failing_job
    cat >trainer.sh <<'TRAINER'
cd "$(dirname "$0")" && echo "$1" >>runs
[ -e mended ] || [ "$(wc -l <runs)" != 1 ] || exit 3
[ -e mended ] || { touch small.h5.stop && exec sleep 1000; }
echo "{\"score\": $1}"
TRAINER
    local run=("$ROBOTNAS" search job.yaml --set search.parallel=2 --set search.method=random)
    rm -rf small.h5* mended
    expect_exit 75 "${run[@]}"
    [ "$(statuses small.h5 failed)" = 0 ] || fail 'the step is recorded'
    cp small.h5 stopped.h5
    touch mended
    expect_exit 0 "${run[@]}" --resume
    [ "$(statuses small.h5 failed)" = 1 ] || fail 'the failure was forgotten'
    cp stopped.h5 small.h5
    expect_exit 0 "${run[@]}" --resume --retry-failed
    expect_line err 'retry 1: 1 failed evaluation to be made again, 0 known results$'
    [ "$(statuses small.h5 ok)" = 8 ] || fail 'the failure was found again'
}

# An unfinished run in which nothing failed goes on as by --resume alone.
test_retry_of_nothing() {
    failing_job
    # shellcheck disable=SC2016 # the trainer's own
    sed -i 's/^\[ -e mended \].*/[ "$(wc -l <runs)" != 4 ] || { touch small.h5.stop \&\& exec sleep 1000; }/' trainer.sh
    rm -rf small.h5* runs
    expect_exit 75 "$ROBOTNAS" search job.yaml
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume --retry-failed
    expect_line err 'no evaluation of small\.h5 failed; there is nothing to retry$'
    if "$ROBOTNAS" report small.h5 --json | grep 'retry'; then fail 'a retry of nothing'; fi
    [ "$(statuses small.h5 ok)" = 8 ] || fail 'the run did not go on'
}

# Another run takes no failure over.
test_reuse_of_failures() {
    restore
    expect_exit 0 "$ROBOTNAS" search job.yaml --set output=other.h5 --reuse small.h5
    without_earlier other.h5 >found
    diff undisturbed found >&2 || fail 'not as a run without failures'
    if sort runs | comm -12 - known.runs | grep .; then fail 'what could be taken over was made again'; fi
}

# A run that gave up starts over.
test_retry_after_giving_up() {
    failing_job
    rm -rf small.h5* mended runs
    expect_exit 1 "$ROBOTNAS" search job.yaml
    expect_exit 1 "$ROBOTNAS" search job.yaml --resume --retry-failed
    expect_verdict 3 'gave up, '
    [ "$(n_runs)" = 6 ] || fail "$(n_runs) trainers ran"
    touch mended
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume --retry-failed
    [ "$(statuses small.h5 ok)" = 8 ] || fail 'not all succeeded'
    [ "$(n_runs)" = 14 ] || fail "$(n_runs) trainers ran"
}

failing_job
for part in nothing_succeeded patience patience_of_rounds trainings retry retry_killed retry_fails_again reuse_of_failures \
    retry_of_an_interrupted_step retry_of_nothing retry_after_giving_up retry_of_a_posterior; do
    printf '%s\n' "-- $part"
    rm -f runs
    "test_$part"
done
