#!/usr/bin/env bash
# What GPUs compute, on devices that are none: PoCL, and kernels as C. References hold; scores and trainings have the same bits
# whatever runs the kernels, on any number of ranks, in packs of any size.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/gpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/gpus.sh"
skip_sanitized 'PoCL leaks, and kernels are tested one by one'

# ---- References ----

mapfile -t references < <(ls "$ROBOTNAS_SOURCE"/tests/data/reference-*.h5 "$ROBOTNAS_SOURCE"/tests/data/network-*.h5)
for device in "${devices[@]}"; do
    expect_exit 0 "$ROBOTNAS" verify --device "$device" "${references[@]}"
    expect_line out ' values, 0 differ$'
    expect_line out "^device $device"
done

# ---- Scores ----

tiny_job score.yaml
for device in "${devices[@]}"; do
    for how in 1:4 1:1 2:3; do
        rm -f scores.h5*
        NAS_GPU_PACK=${how#*:} expect_exit 0 ranks "${how%:*}" "$ROBOTNAS" score score.yaml --set output=scores.h5 --device "$device"
        [ -e expected ] || scores_of scores.h5 >expected
        expect_scores scores.h5 expected
    done
done
grep -q '^|' expected || fail "no scores: $(<expected)"

# ---- Networks of another space: the same bits in packs of any size, trained too ----

sed -e 's/^pool:.*/pool: {space: darts, subset: {sample: 2}}/' -e 's/cells: 1/cells: 3/' -e '/^metrics:/d' score.yaml >darts.yaml
cat >>darts.yaml <<'JOB'
metrics: {source: compute, names: [grad_norm, grasp, fisher, synflow, nwot], batch: 6}
objective: {kind: train, epochs: 1, batch: 8}
search: {method: robot, budget: 2}
JOB
for how in 1:2 2:1; do
    rm -rf darts.h5*
    NAS_GPU_PACK=${how#*:} expect_exit 0 ranks "${how%:*}" "$ROBOTNAS" search darts.yaml --set output=darts.h5 --device "${devices[-1]}"
    scores_of darts.h5 >darts.scores
    "$ROBOTNAS" report darts.h5 --csv - | sed 's/,[^,]*$//' >>darts.scores
    [ -e darts.expected ] || cp darts.scores darts.expected
    diff darts.expected darts.scores >&2 || fail "others in packs of ${how#*:} on ${how%:*} ranks"
done
! grep -q ',failed' darts.expected || fail "failed: $(<darts.expected)"

# ---- Trainings ----

train_part search.yaml
for device in "${devices[@]}"; do
    for n in 1 2; do
        rm -rf search.h5*
        expect_exit 0 ranks "$n" "$ROBOTNAS" search search.yaml --set metrics.file=scores.h5 --device "$device"
        [ -e trained ] || same_report search.h5 >trained
        expect_report search.h5 trained
    done
done
[ "$(grep -c '"phase"' trained)" = 3 ] || fail "not three trainings: $(<trained)"

# Three candidates of a round at once, one at a time, and on two ranks.
at_once() {
    rm -rf search.h5*
    expect_exit 0 ranks "$1" "$ROBOTNAS" search search.yaml --set metrics.file=scores.h5 --device "$2" --set search.parallel=3
    cat out err >log
    [ -e parallel ] || same_report search.h5 >parallel
    expect_report search.h5 parallel
}
for device in "${devices[@]}"; do
    at_once 1 "$device"
    [ "$(grep -c ', one of 3 at once$' log)" = 3 ] || fail "not three trainings at once: $(<log)"
done
NAS_GPU_PACK=1 at_once 1 "${devices[0]}"
! grep -q ' at once$' log || fail "several at once where one was asked for: $(<log)"
at_once 2 "${devices[0]}"
grep -q ', one of 2 at once$' log || fail "nobody has two of three: $(<log)"

# Two shards are two programs on the device, and others than one.
rm -rf search.h5*
expect_exit 0 "$ROBOTNAS" search search.yaml --set metrics.file=scores.h5 --device "${devices[0]}" --set objective.shards=2
same_report search.h5 >shards
if cmp -s shards trained; then fail 'two shards train like one'; fi
for device in "${devices[@]}"; do
    rm -rf search.h5*
    expect_exit 0 ranks 2 "$ROBOTNAS" search search.yaml --set metrics.file=scores.h5 --device "$device" --set objective.shards=2
    expect_report search.h5 shards
done
