#!/usr/bin/env bash
# Runs in which evaluations fail: what is said where nothing succeeds, and when a run gives up.
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
}

failing_job
for part in nothing_succeeded patience patience_of_rounds trainings; do
    printf '%s\n' "-- $part"
    rm -f runs
    "test_$part"
done
