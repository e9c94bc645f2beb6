#!/usr/bin/env bash
# What becomes of runs on GPUs where something is wrong: packs of no size, a folder that takes no kernels, a GPU that is lost.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
layers=threads
# shellcheck source=tests/system/gpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/gpus.sh"
: "${FAKE_CUDA:?}"
skip_sanitized 'kernels and layers are tested one by one'

# ---- Packs ----

tiny_job job.yaml
for pack in 0 4097 some; do
    NAS_GPU_PACK=$pack expect_exit 2 "$ROBOTNAS" score job.yaml --device threads
    [ "$(wc -l <err)" = 1 ] || fail "not one line: $(<err)"
    expect_line err "^robotnas: NAS_GPU_PACK '$pack' is not a number of architectures at once from 1 to 4096; "
    [ ! -e tiny.h5 ] || fail 'a run that was refused has left a state'
done

# ---- The cache ----

# A place that takes no kernels is said once, and the run goes on; the empty one is meant, and not spoken of.
touch file
mkdir -p closed
chmod 555 closed
everybody=$(for_everybody)
for place in "$PWD/file" "$PWD/closed" ''; do
    rm -rf own
    install -d -m 777 own
    NAS_GPU_CACHE=$place expect_exit 0 as_nobody "$everybody" score job.yaml --device threads --set 'metrics.names=[synflow]' --set output=own/tiny.h5
    [ "$(grep -c ',ok$' <(scores_of own/tiny.h5))" = 4 ] || fail "not four scores: $(scores_of own/tiny.h5)"
    if [ -n "$place" ]; then
        expect_line err "kernels cannot be kept in $place: .*; each start builds them, unless NAS_GPU_CACHE names another folder$"
    else
        ! grep -q 'NAS_GPU_CACHE' err || fail "no cache is spoken of: $(<err)"
    fi
done

# A second start builds none, and computes the same.
for built in '[1-9][0-9]* built, 0 taken' '0 built, [1-9][0-9]* taken'; do
    NAS_GPU_CACHE=$PWD/kept expect_exit 0 "$ROBOTNAS" score job.yaml --device threads --fresh
    expect_line err "kernels: $built from those that earlier runs built$"
    [ -e first ] || scores_of tiny.h5 >first
    expect_scores tiny.h5 first
done
rm -r tiny.h5*

# ---- Trainings that are killed or stopped ----

# Three at once, saved before every step: after the eighth save all have a file, and two are a save ahead of the third.
train_part search.yaml
expect_exit 0 "$ROBOTNAS" score job.yaml --device threads --set 'metrics.names=[grad_norm, snip, synflow]' --set output=scores.h5
search=("$ROBOTNAS" search search.yaml --set metrics.file=scores.h5 --set search.parallel=3 --set checkpoint.interval=0)
expect_exit 0 "${search[@]}" --device threads
[ "$(grep -c ', one of 3 at once$' <(cat out err))" = 3 ] || fail "not three trainings at once: $(cat out err)"
same_report search.h5 >undisturbed
struck() {
    local code=0
    rm -rf search.h5*
    { NAS_FAULT=training:8:$1 "${search[@]}" --device threads >out 2>err || code=$?; } 2>/dev/null
    [ "$code" = "$2" ] || fail "exit code $code instead of $2: $(<err)"
    [ "$(find search.h5.d -name '*.h5' | wc -l)" = 3 ] || fail "not three trainings under way: $(ls search.h5.d)"
    expect_exit 0 "${search[@]}" --device threads --resume
    expect_report search.h5 undisturbed
}
if grep -q NAS_FAULT "$ROBOTNAS"; then
    struck KILL 137
    struck TERM 75
else
    skip_part 'trainings that are killed: the binary has no fault points (-DROBOTNAS_FAULTS=ON)'
fi

# ---- A lost GPU ----

[ -n "${FAKE_CUDA_NVRTC:-}" ] || { skip_part 'a lost GPU: no NVRTC for the driver that is none'; exit 0; }
export NAS_LIBCUDA=$FAKE_CUDA NAS_LIBNVRTC=$FAKE_CUDA NAS_GPU_PACK=1
score=("$ROBOTNAS" score job.yaml --device cuda --set 'metrics.names=[grad_norm, synflow]')
expect_exit 0 ranks 2 "${score[@]}"
scores_of tiny.h5 >expected
for rank in 0 1; do
    # shellcheck disable=SC2016 # the ranks expand it
    LOST_RANK=$rank FAKE_CUDA_WAIT=8:719 expect_exit 1 ranks 2 sh -c \
        '[ "$OMPI_COMM_WORLD_RANK" = "$LOST_RANK" ] || unset FAKE_CUDA_WAIT; exec "$0" "$@"' "${score[@]}" --fresh
    [ "$(grep -c 'CUDA_ERROR_LAUNCH_FAILED' err)" = 1 ] || fail "said more than once, or not: $(<err)"
    expect_line err "^robotnas: rank $rank: .*CUDA_ERROR_LAUNCH_FAILED.*; broken off after [0-9] of 4 architectures; tiny.h5 is saved, run again with --resume$"
    scores_of tiny.h5 >lost
    ! grep -q ',failed$\|,unfit$' lost || fail "something is recorded for the GPU: $(<lost)"
    grep -q ',pending$' lost || fail "nothing is left to do: $(<lost)"
    expect_exit 0 ranks 2 "${score[@]}" --resume
    expect_scores tiny.h5 expected
done

# In the middle of three trainings: all three go on.
rm -rf search.h5*
unset NAS_GPU_PACK
FAKE_CUDA_WAIT=25:719 expect_exit 1 "${search[@]}" --device cuda
expect_line err '^robotnas: device lost, .*CUDA_ERROR_LAUNCH_FAILED'
[ "$(grep -c 'CUDA_ERROR_LAUNCH_FAILED' err)" = 1 ] || fail "said more than once: $(<err)"
[ "$(find search.h5.d -name '*.h5' | wc -l)" = 3 ] || fail "not three trainings under way: $(ls search.h5.d)"
expect_exit 0 "${search[@]}" --device cuda --resume
expect_report search.h5 undisturbed
