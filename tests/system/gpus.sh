# shellcheck shell=bash
# What the tests of GPUs share besides lib.sh, which source first: devices that are here, and jobs that are small enough for them.
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

has_cpu || skip 'backend: cpu, which yields to GPUs, is not built in'

# devices: those of the layers $layers, all where it is unset, that can be had here without a GPU; at least one.
devices=()
for device in ${layers:-opencl threads}; do
    if "$ROBOTNAS" devices | grep "^${device}[: ]" >listed && ! grep -q ' none: ' listed; then
        devices+=("$device")
    else
        skip_part "--device $device: $(tr -s ' ' <listed)"
    fi
done
[ ${#devices[@]} -gt 0 ] || skip 'no device that runs kernels'

# tiny_job FILE: a job that scores four cells of 4 channels on 6 gray images of 8 x 8, which it makes beside the job.
tiny_job() {
    [ -e tiny ] || python3 "$ROBOTNAS_SOURCE/tests/system/idx.py" tiny 8 48
    cat >cells.txt <<'CELLS'
|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|avg_pool_3x3~2|
|nor_conv_1x1~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_3x3~0|none~1|nor_conv_1x1~2|
|skip_connect~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|avg_pool_3x3~1|skip_connect~2|
|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|
CELLS
    cat >"$1" <<JOB
name: tiny
seed: 3
output: tiny.h5
backend: cpu
pool: {space: nas-bench-201, subset: {file: cells.txt}}
network: {channels: 4, cells: 1}
data: {format: idx, train: [tiny, tiny.labels]}
metrics: {source: compute, names: [grad_norm, snip, grasp, fisher, synflow, jacob_cov, nwot, plain, l2_norm], batch: 6}
JOB
}

# train_part FILE: a search of three trainings of two epochs of such cells, by scores that metrics.file names.
train_part() {
    cat >"$1" <<JOB
name: tiny
seed: 3
output: search.h5
backend: cpu
pool: {space: nas-bench-201, subset: {file: cells.txt}}
network: {channels: 4, cells: 1}
data: {format: idx, train: [tiny, tiny.labels]}
metrics: {source: scores, names: [grad_norm, snip, synflow]}
objective: {kind: train, epochs: 2, batch: 8, rate: 0.05, flip: true, crop: 1, cutout: 2}
search: {method: random, budget: 3}
JOB
}
