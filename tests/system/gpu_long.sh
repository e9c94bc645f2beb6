#!/usr/bin/env bash
# What takes PoCL minutes: all references; 24 cells in packs of any size, in any order, on any number of ranks; what GPUs find beside
# what the CPU does. By --label gpu-long alone.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/gpus.sh
. "$(dirname "${BASH_SOURCE[0]}")/gpus.sh"
printf '%s\n' "${devices[@]}" | grep -qx opencl || skip 'no device of OpenCL'
unset POCL_EXTRA_BUILD_FLAGS # kernels as users have them

# ---- References ----

references=$ROBOTNAS_SHARED/oracle/ref
if [ -d "$references" ]; then
    for reference in "$references"/*.h5; do
        images=()
        [[ $reference != */train-* ]] || images=(--images "$ROBOTNAS_SHARED/data/cifar-10-batches-bin/data_batch_1.bin")
        expect_exit 0 "$ROBOTNAS" verify --device opencl "$reference" "${images[@]}"
        printf '%s: %s, %d s\n' "${reference##*/}" "$(tail -1 out)" "$SECONDS"
    done
else
    skip_part "the references are not at $references"
fi

# ---- Bits ----

# job N FILE: a job that scores cells on 8 images of 32 x 32 in networks of 16 channels and one cell a stage.
[ -e images.bin ] || python3 "$ROBOTNAS_SOURCE/tests/system/images.py" images.bin 100 1
cat >job.yaml <<'JOB'
name: long
seed: 5
output: long.h5
backend: cpu
pool: {space: nas-bench-201, subset: unique}
network: {channels: 16, cells: 1}
data: {format: cifar-binary, train: [images.bin]}
metrics: {source: compute, names: [grad_norm, snip, grasp, fisher, synflow, jacob_cov], batch: 8}
JOB

# score FILE SETTING...: score it on one rank, or as many as n says, and leave its digest in `digest`, rows in the order of names.
score() {
    rm -f long.h5*
    expect_exit 0 ranks "${n:-1}" "$ROBOTNAS" score job.yaml --set "pool.subset={file: $1}" "${@:2}"
    scores_of long.h5 | sort >rows
    digest=$(sha256sum <rows)
}

# The unique cells, every so many of them.
expect_exit 0 "$ROBOTNAS" score job.yaml --device cpu --set 'metrics.names=[params]' --set output=all.h5
archs_of all.h5 >unique.txt
awk 'NR % 269 == 7' unique.txt | head -24 >24.txt
tac 24.txt >backwards.txt
[ "$(wc -l <24.txt)" = 24 ] || fail "not 24 cells: $(wc -l <24.txt)"
NAS_GPU_PACK=8 score 24.txt --device opencl
expected=$digest
printf '24 cells in packs of 8: %s\n' "$expected"
for how in 24.txt:1:1 24.txt:64:1 backwards.txt:8:1 24.txt:8:2; do
    IFS=: read -r file pack n <<<"$how"
    NAS_GPU_PACK=$pack score "$file" --device opencl
    printf '%s, packs of %s, %s rank(s): %s\n' "$file" "$pack" "$n" "$digest"
    [ "$digest" = "$expected" ] || fail "other bits: $how"
done

# ---- Beside the CPU ----

n=1
awk 'NR % 64 == 5' unique.txt | head -100 >100.txt
score 100.txt --device cpu
cp rows cpu
score 100.txt --device opencl
python3 "$ROBOTNAS_SOURCE/tests/system/gpu_ranks.py" cpu rows || fail 'the CPU and OpenCL rank cells in other orders'
