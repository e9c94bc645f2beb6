#!/usr/bin/env bash
# Every kernel, in every variant that scoring and training need, compiles for NVIDIA's and AMD's devices and to SPIR-V: by NVRTC for
# sm_80, sm_90 and sm_100, hiprtc for gfx90a, clang for gfx942, clang and llvm-spirv; those of tiny networks for sm_90 and to SPIR-V
# alone. No device is needed. A work-item that spills more than 16 bytes of its registers fails; whatever spills is listed. Prints the
# table of docs/gpu.md: registers of a work-item and bytes of local memory of a group.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

: "${GPU_SOURCES:?}" "${RTC:?}" "${FAKE_CUDA_NVRTC=}"
skip_sanitized "the compilers are not this program's, and what they compile is the same text"
most_spilled=16
NVRTC=$FAKE_CUDA_NVRTC
export NVRTC RTC

for tool in clang-15 llvm-spirv-15 spirv-val llvm-readelf-15 clang-19; do
    command -v $tool >/dev/null || fail "$tool is missing: scripts/install-deps.sh --tests"
done
HIPRTC=$(find /usr/lib /opt/rocm*/lib -name libamdhip64.so -print -quit 2>/dev/null || true)
export HIPRTC
[ -n "$HIPRTC" ] || fail "libamdhip64.so is missing: scripts/install-deps.sh --tests"

targets=(gfx90a gfx942 spirv)
if [ -n "$NVRTC" ]; then
    targets=(sm_80 sm_90 sm_100 "${targets[@]}")
else
    skip_part "NVRTC is neither in CUDA's folders nor NVIDIA's wheel (pip install nvidia-cuda-nvrtc)"
fi

# nvidia TARGET NAME: lines "KERNEL REGISTERS LOCAL SPILLED" out of what ptxas says.
nvidia() {
    "$RTC" nvrtc "$NVRTC" "$2.cl" "$2.$1" "--gpu-architecture=$1" --fmad=false --std=c++17 -default-device \
        --ptxas-options=-v >"$2.$1.log"
    awk '/Compiling entry function/ { split($0, part, "\047"); kernel = part[2] }
        /bytes spill stores/ { for (i = 1; i < NF; i++) if ($i == "spill" && $(i + 1) ~ /^stores/) spilled = $(i - 2) }
        / Used / {
            local = 0
            for (i = 1; i < NF; i++) { if ($i == "Used") registers = $(i + 1); if ($(i + 1) ~ /^bytes$/ && $(i + 2) ~ /^smem/) local = $i }
            print kernel, registers, local, spilled
        }' "$2.$1.log"
}

# amd: the same out of the metadata on stdin, whose kernels have their fields in the order of the alphabet.
amd() {
    awk '$1 == ".group_segment_fixed_size:" { local = $2 }
        $1 == ".name:" && $2 !~ /\./ { kernel = $2 }
        $1 == ".vgpr_count:" { registers = $2 }
        $1 == ".vgpr_spill_count:" { print kernel, registers, local, 4 * $2 }'
}

gfx90a() {
    "$RTC" hiprtc "$HIPRTC" "$1.cl" "$1.gfx90a" --offload-arch=gfx90a -ffp-contract=off -std=c++17 -O3 >"$1.gfx90a.log"
    llvm-readelf-15 --notes "$1.gfx90a" | amd
}

# Without ROCm's headers, which know it only since version 6.
gfx942() {
    clang-19 -x hip --cuda-device-only --offload-arch=gfx942 -nogpulib -nogpuinc -DNAS_BARE_HIP -std=c++17 -ffp-contract=off -O3 \
        -S "$1.cl" -o "$1.s" 2>"$1.gfx942.log"
    amd <"$1.s"
}

# llvm-spirv 15 does not take what clang makes at -O1: `freeze`.
spirv() {
    clang-15 -x cl -cl-std=CL1.2 --target=spir64 -O0 -Xclang -disable-O0-optnone -Xclang -finclude-default-header \
        -emit-llvm -c "$1.cl" -o "$1.bc" 2>"$1.spirv.log"
    llvm-spirv-15 --spirv-max-version=1.2 "$1.bc" -o "$1.spv" 2>>"$1.spirv.log"
    spirv-val --target-env opencl2.2 "$1.spv" >>"$1.spirv.log"
}

# build TARGET NAME: what the target's compiler has to say of NAME.cl, in NAME.TARGET.kernels.
build() {
    case $1 in
    sm_*) nvidia "$1" "$2" ;;
    *) "$1" "$2" ;;
    esac >"$2.$1.kernels" || {
        head -n 20 "$2.$1.log" >&2
        printf '%s does not compile for %s\n' "$2" "$1" >&2
        return 1
    }
}
export -f nvidia amd gfx90a gfx942 spirv build

"$GPU_SOURCES" . >variants
while read -r name size _; do
    for target in "${targets[@]}"; do
        [[ $size = full || $target = sm_90 || $target = spirv ]] && echo "$target $name"
    done
done <variants >todo
# shellcheck disable=SC2016 # the shells expand it
xargs -P "$(nproc)" -L 1 bash -c 'set -euo pipefail; build "$@"' build <todo || fail "not all kernels compile"
printf '%d sources, %d compilations\n\n' "$(wc -l <variants)" "$(wc -l <todo)"

# A row each kernel of each source; a column a target: registers, bytes of local memory where they differ, spilled bytes.
python3 - "$most_spilled" "${targets[@]}" <<'TABLE'
import sys

most, targets = int(sys.argv[1]), [t for t in sys.argv[2:] if t != "spirv"]
rows, spilled, faults = [], [], 0


def label(kernel, words):
    """A convolution by its shape: what is written, and from how many pixels by which stride."""
    of = dict(word.split("=") for word in words if "=" in word)
    if "OUTPUTS" in of:
        return f"{kernel} of {of['OUTPUTS']} channels a work-item"
    if "K" not in of:
        return kernel
    what = " of images" if of.get("IMAGE_ADJOINT") == "1" else ""
    what += " adjoint" if of.get("ADJOINT") == "1" else ""
    what += f" of {of['CI']} x {of['CO']} channels" if kernel == "weights" else ""
    return f"{kernel} {of['K']}x{of['K']}{what}, stride {of['STRIDE']}, {of['H']} x {of['W']}"


for line in open("variants"):
    name, size, *words = line.split()
    cells, wanted = {}, [t for t in targets if size == "full" or t == "sm_90"]
    for target in wanted:
        for found in open(f"{name}.{target}.kernels"):
            kernel, registers, local, spill = found.split()
            cells.setdefault(kernel, {})[target] = (int(registers), int(local))
            if int(spill):
                spilled.append(f"{label(kernel, words)}, {target}: {spill} bytes")
                faults += int(spill) > most
    if wanted and not cells:
        sys.exit(f"FAILED: {name} has no kernels")
    for kernel, of in cells.items():
        if set(of) != set(wanted):
            sys.exit(f"FAILED: {name}: {kernel} is not in all of {wanted}")
        rows.append((size, label(kernel, words), of))
print("| kernel | local memory |", " | ".join(targets), "|")
print("|---|---|" + "---|" * len(targets))
for size, row, of in rows:
    local = max(l for _, l in of.values())
    if size == "full":
        print(f"| {row} | {local} |", " | ".join(str(of[t][0]) for t in targets), "|")
    if local > 48 * 1024:
        sys.exit(f"FAILED: {row} takes {local} bytes of local memory")
print(f"\n{len(spilled)} spill registers" + (":" if spilled else ""))
for line in spilled:
    print(" ", line)
if faults:
    sys.exit(f"FAILED: {faults} spill more than {most} bytes a work-item")
TABLE
