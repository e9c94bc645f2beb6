#!/usr/bin/env bash
# What networks are computed on: GPUs are listed, and named where there are none; a run says what it computes on, and goes on with
# its kind alone.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$(dirname "${BASH_SOURCE[0]}")/scoring.sh"
export NAS_LIBCUDA=$PWD/no-libcuda.so NAS_LIBHIP=$PWD/no-libamdhip.so OCL_ICD_VENDORS=$PWD/no-vendors
mkdir no-vendors

# expect_refusal PATTERN COMMAND...: exit code 2, one line on stderr that matches.
expect_refusal() {
    local pattern=$1
    shift
    expect_exit 2 "$@"
    [ "$(wc -l <err)" = 1 ] || fail "not one line: $*: $(<err)"
    # shellcheck disable=SC2053 # the pattern is one
    [[ $(<err) == robotnas:\ $pattern ]] || fail "expected '$pattern', found '$(<err)': $*"
}

# ---- The list ----

# Without a driver every layer says what is missing, and ranks take the CPU.
expect_exit 0 "$ROBOTNAS" devices --ranks 2
expect_line out "^cuda  *none: $NAS_LIBCUDA is not there: "
expect_line out "^hip  *none: $NAS_LIBHIP is not there: "
expect_line out '^opencl  *none: .'
expect_line out '^rank 0 of this machine: cpu$'
expect_line out '^rank 1 of this machine: cpu$'
CUDA_VISIBLE_DEVICES=3 expect_exit 0 "$ROBOTNAS" devices
expect_line out '^CUDA_VISIBLE_DEVICES=3 limits what is listed$'
expect_exit 0 "$ROBOTNAS" devices --json --ranks 2
python3 - <<'PY' || fail "its JSON: $(<out)"
import json
found = json.load(open("out"))
layers = {layer["layer"]: layer for layer in found["layers"]}
for name in "cuda", "hip", "opencl":
    assert layers[name]["devices"] == [] and layers[name]["reason"], layers[name]
assert found["ranks"] == ["cpu", "cpu"]
PY
expect_refusal "devices: --ranks '0' is not a number of ranks from 1 to 4096" "$ROBOTNAS" devices --ranks 0
expect_refusal "devices: 'gpu' is too much; *" "$ROBOTNAS" devices gpu

# ---- Choices ----

score_job job.yaml
expect_refusal "--set device: there is no device 'tpu'; auto, cpu, gpu, cuda*" "$ROBOTNAS" score job.yaml --device tpu
expect_refusal "--set device: backend: ref counts on the CPU, *" "$ROBOTNAS" score job.yaml --set backend=ref --device gpu
expect_refusal "verify: --device: there is no device 'tpu'; *" "$ROBOTNAS" verify x.h5 --device tpu
expect_refusal "verify: --backend ref counts on the CPU, *" "$ROBOTNAS" verify x.h5 --backend ref --device cuda
[ "$backend" = ref ] || {
    expect_refusal "device: no rank has such a GPU: $NAS_LIBCUDA is not there: *" "$ROBOTNAS" score job.yaml --device cuda
    expect_refusal "device: no rank has such a GPU: no driver finds a GPU; *" "$ROBOTNAS" score job.yaml --device gpu
    [ ! -e small.h5 ] || fail "a run that was refused has left a state"
    expect_exit 0 "$ROBOTNAS" check --score job.yaml
    expect_line out '^# device:      auto: no GPU here: '
    expect_line out '^#  *[0-9]* MiB on a GPU for the largest network while it is scored: .* GiB for a pack of 64$'
}
expect_exit 0 "$ROBOTNAS" check --score job.yaml --device cpu
expect_line out '^# device:      cpu$'

# ---- A run and its kind ----

# Left open it takes the CPU, says so, and records it.
expect_exit 0 "$ROBOTNAS" score job.yaml
[ "$backend" = ref ] || expect_line err 'computing on the CPU: no rank has a GPU$'
expect_exit 0 "$ROBOTNAS" report small.h5 --json
[ "$(python3 -c 'import json; print(json.load(open("out"))["timing"]["device"])')" = cpu ] || fail "the report's device"

# stopped NAME.h5 [OPTION]...: a run with the options, stopped after its first step.
stopped() {
    local state=$1
    shift
    rm -f "$state" "$state".prev
    touch "$state.stop"
    expect_exit 75 "$ROBOTNAS" score job.yaml --set output="$state" --set pool.subset='{sample: 4}' "$@"
}

# One on the CPU stays there.
resume=("$ROBOTNAS" score job.yaml --set 'pool.subset={sample: 4}' --resume)
stopped cpu.h5
[ "$backend" = ref ] || {
    expect_exit 2 "${resume[@]}" --set output=cpu.h5 --device gpu
    expect_line err 'device: this run has computed on the CPU so far, whose values differ from those of GPUs in their last bits; .* --fresh$'
}
expect_exit 0 "${resume[@]}" --set output=cpu.h5

# ---- Threads that stand for a GPU, in builds with tests ----

[ "$backend" = cpu ] || { skip_part "the cpu backend is not built in"; exit 0; }
"$ROBOTNAS" devices | grep -q '^threads ' || { skip_part "this build has no layer of threads"; exit 0; }
export NAS_GPU_CACHE=$PWD/cache
expect_exit 0 "$ROBOTNAS" verify --device threads "$ROBOTNAS_SOURCE/tests/data/reference-8channels.h5"
expect_line out '^device threads '
expect_line out '^[1-9][0-9]* values, 0 differ$'
stopped gpu.h5 --device threads
expect_line err 'computing on GPUs: 1 of 1 rank has one; rank 0 has threads '
expect_exit 2 "${resume[@]}" --set output=gpu.h5 --device cpu
expect_line err 'device: this run has computed on GPUs so far, whose values differ from those of the CPU in their last bits; .* --fresh$'
expect_exit 2 "${resume[@]}" --set output=gpu.h5 # left open: a GPU as before, and threads are none that a run would take by itself
expect_line err 'device: this run has computed on GPUs so far, and no rank has one: no driver finds a GPU; '
expect_exit 0 "${resume[@]}" --set output=gpu.h5 --device threads
expect_exit 0 "$ROBOTNAS" report gpu.h5 --json
golden=$(sed -n 's/^#define NAS_GPU_GOLDEN UINT64_C(0x\(.*\))$/\1/p' "$ROBOTNAS_SOURCE/worker/engine/gpu/pack/golden.h")
[ "$(python3 -c 'import json; t = json.load(open("out"))["timing"]; print(t["device"], t["golden"])')" = "gpu $golden" ] ||
    fail "the report's device, or its golden hash, is not gpu $golden"

# A network that does not fit is refused before a run begins, in the words of check.
export NAS_GPU_THREADS_MEMORY=1000000
expect_refusal "--set device: the pool's largest network takes * MiB while it is scored, and threads has room for 0 MiB; *" \
    "$ROBOTNAS" check --score job.yaml --device threads
expect_exit 2 "$ROBOTNAS" score job.yaml --set output=small_gpu.h5 --device threads
expect_line err "the pool's largest network takes .* MiB while it is scored, and threads "
[ ! -e small_gpu.h5 ] || fail "a run that does not fit has left a state"
