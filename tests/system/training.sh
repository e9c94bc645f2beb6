# shellcheck shell=bash
# What the tests of trainings share besides lib.sh and scoring.sh, which source first: images, jobs of small trainings, and their
# candidates' files.

# train_job FILE: a job of 8 trainings of 3 epochs of 10 steps, two at a time, by scores that it makes first; images and scores
# are left beside the job.
train_job() {
    [ -e images.bin ] || python3 "$ROBOTNAS_SOURCE/tests/system/images.py" images.bin 200 1
    [ -e test.bin ] || python3 "$ROBOTNAS_SOURCE/tests/system/images.py" test.bin 60 2
    score_job score.yaml
    [ -e scores.h5 ] || expect_exit 0 "$ROBOTNAS" score score.yaml --set output=scores.h5 --set network.channels=4 \
        --set 'metrics.names=[grad_norm, snip, synflow, jacob_cov]'
    # shellcheck disable=SC2154 # scoring.sh says which backend
    cat >"$1" <<JOB
name: small
seed: 3
output: small.h5
backend: $backend
pool: {space: nas-bench-201, subset: {sample: 24}}
network: {channels: 4, cells: 1}
data:
  format: cifar-binary
  train: [images.bin]
  test: [test.bin]
metrics:
  source: scores
  file: scores.h5
  names: [grad_norm, snip, synflow, jacob_cov]
  transform: {synflow: log}
objective:
  kind: train
  epochs: 3
  batch: 16
  rate: 0.05
  flip: true
  crop: 4
search:
  method: robot
  budget: 8
  parallel: 2
JOB
}

# expect_candidates RUN.h5: each evaluation of the run that was made there has its candidate's file, with the same numbers.
expect_candidates() {
    local python
    if python=$(python_with h5py); then
        "$python" "$ROBOTNAS_SOURCE/tests/system/candidates.py" "$1" || fail "$1 and its candidates' files differ"
    else
        skip_part 'a look into the files: no Python with h5py'
    fi
}

# n_evaluations FILE: of a report in it.
n_evaluations() {
    grep -c '"phase"' "$1" || true
}
