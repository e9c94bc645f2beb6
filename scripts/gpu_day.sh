#!/usr/bin/env bash
# What a first hour on a GPU must answer, as one report: whether its bits are those of every device, what its rates are, what the
# vendor's checkers find, and where the program itself is there, scores and trainings. A step that fails, hangs or lacks something
# is said, and the others go on. Exit code 1 where one failed.
#
# usage: scripts/gpu_day.sh FOLDER [--device DEVICE] [--bench PROGRAM] [--robotnas PROGRAM] [--quick]
#   FOLDER              where to: report.md, and the whole output of each step
#   --device DEVICE     as robotnas-gpu-bench takes it; default gpu, the best there is
#   --bench PROGRAM     robotnas-gpu-bench; default: one that was built here, else it is built alone, into FOLDER
#   --robotnas PROGRAM  default: one that was built here, else its steps are left out; none: they are
#   --quick             tiny sizes: whether all of it works
# shellcheck disable=SC2317 # steps call functions by name
set -uo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)

usage() {
    sed -n '6p' "$0" >&2
    exit 2
}

folder='' device=gpu bench='' robotnas='' quick=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=(--quick) ;;
    --device | --bench | --robotnas)
        [ $# -gt 1 ] || usage
        case $1 in
        --device) device=$2 ;;
        --bench) bench=$2 ;;
        --robotnas) robotnas=$2 ;;
        esac
        shift
        ;;
    -*) usage ;;
    *)
        [ -z "$folder" ] || usage
        folder=$1
        ;;
    esac
    shift
done
[ -n "$folder" ] || usage
mkdir -p "$folder" && folder=$(cd "$folder" && pwd) || exit 2
report=$folder/report.md
failed=0

# ---- Steps ----

say() { printf '%s\n' "$@" >>"$report"; }

# skipped TITLE REASON
skipped() {
    say '' "## $1" '' "SKIPPED: $2"
    printf '%s: skipped: %s\n' "$1" "$2"
}

# step NAME TITLE SECONDS COMMAND...: into NAME.txt, and its last lines into the report; 77 means skipped.
step() {
    local name=$1 title=$2 limit=$3 code=0 begin=$SECONDS verdict
    shift 3
    timeout -k 10 "$limit" "$@" >"$folder/$name.txt" 2>&1 </dev/null || code=$?
    if [ "$code" = 77 ]; then
        skipped "$title" "$(sed -n 's/^SKIPPED: //p' "$folder/$name.txt" | head -n 1)"
        return
    fi
    case $code in
    0) verdict=ok ;;
    124 | 137) verdict="FAILED: not done after $limit s" ;;
    *) verdict="FAILED: exit code $code" ;;
    esac
    [ "$code" = 0 ] || failed=1
    say '' "## $title" '' "$verdict, $((SECONDS - begin)) s" '' '```' "$(tail -n 250 "$folder/$name.txt" | cut -c 1-200)" '```'
    printf '%s: %s, %d s\n' "$title" "$verdict" $((SECONDS - begin))
    [ "$code" = 0 ]
}

has() { command -v "$1" >/dev/null 2>&1; }

# ---- Programs ----

printf '# A GPU under robotnas\n\n%s, %s\n' "$(uname -nsrm)" "$(date -u +%FT%TZ)" >"$report"

# built NAME: one that was built here.
built() { find "$source"/build/*/ -name "$1" -type f -perm -u+x -print -quit 2>/dev/null; }

build_alone() {
    cmake -S "$source" -B "$folder/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DROBOTNAS_GPU_BENCH_ONLY=ON &&
        cmake --build "$folder/build" -j 8
}
[ -n "$bench" ] || bench=$(built robotnas-gpu-bench)
if [ -z "$bench" ]; then
    export source folder
    export -f build_alone
    step build 'Build of robotnas-gpu-bench' 600 bash -c build_alone
    bench=$folder/build/worker/gpu_bench/robotnas-gpu-bench
fi
[ -n "$robotnas" ] || robotnas=$(built robotnas)
[ "$robotnas" != none ] || robotnas=
say '' "$bench" "${robotnas:-no robotnas}"

# ---- The device ----

if has nvidia-smi; then step machine 'Machine' 30 nvidia-smi; elif has rocm-smi; then step machine 'Machine' 30 rocm-smi; else
    skipped 'Machine' 'neither nvidia-smi nor rocm-smi is here'
fi
step devices 'Devices' 60 "$bench" --list
step golden 'Golden kernels' 300 "$bench" --device "$device" --golden-only
step rates 'Rates' 600 "$bench" --device "$device" "${quick[@]}"
step json 'Rates, for programs' 600 "$bench" --device "$device" "${quick[@]}" --json
is_cuda=$(grep -c '^ *cuda:' "$folder/golden.txt")

# ---- NVIDIA's tools ----

for tool in memcheck racecheck synccheck initcheck; do
    if [ "$is_cuda" = 0 ]; then skipped "compute-sanitizer $tool" 'not a device of cuda'; elif ! has compute-sanitizer; then
        skipped "compute-sanitizer $tool" 'compute-sanitizer is not here'
    else
        step "$tool" "compute-sanitizer $tool" 300 compute-sanitizer --error-exitcode 3 --tool "$tool" "$bench" --device "$device" --golden-only
    fi
done
if [ "$is_cuda" = 0 ]; then skipped 'Counters' 'not a device of cuda'; elif ! has ncu; then skipped 'Counters' 'ncu is not here'; else
    step counters 'Counters' 600 ncu --clock-control none --section SpeedOfLight --section Occupancy --section LaunchStats \
        --section WarpStateStats --csv -c 60 "$bench" --device "$device" --once --only convs
fi
if [ "$is_cuda" = 0 ]; then skipped 'cuDNN through PyTorch' 'not a device of cuda'; else
    step anchor 'cuDNN through PyTorch' 400 python3 "$source/scripts/gpu_anchor.py" convs launches
fi

# ---- The program ----

if [ -z "$robotnas" ]; then
    for title in 'References' 'Scoring: three cells' 'Training: three cells' 'Bits of some cells' 'Scores of a sample' 'Scores of the pool' \
        'Training by PyTorch'; do
        skipped "$title" 'no robotnas'
    done
    exit "$failed"
fi

references=("$source"/tests/data/reference-*.h5)
step verify 'References' 600 "$robotnas" verify --device "$device" "${references[@]}"
size=()
if [ ${#quick[@]} -gt 0 ]; then
    size=(--batch 6 --channels 4 --cells 1 --repeats 1)
    export NAS_GPU_PACK=2
fi
step score 'Scoring: three cells' 600 "$robotnas" bench score --device "$device" "${size[@]}"
step train 'Training: three cells' 600 "$robotnas" bench train --device "$device" "${size[@]}"
if [ "$is_cuda" = 0 ]; then skipped 'Training by PyTorch' 'not a device of cuda'; else
    step trainings 'Training by PyTorch' 400 python3 "$source/scripts/gpu_anchor.py" training
fi

# Images of noise: speed and bits do not ask what is on them.
python3 - "$folder/images.bin" <<'PY'
import random, sys
draw = random.Random(1)
with open(sys.argv[1], "wb") as out:
    for i in range(256):
        out.write(bytes([i % 10]) + draw.randbytes(3072))
PY

# job NAME SUBSET BATCH CHANNELS CELLS
job() {
    cat >"$folder/$1.yaml" <<JOB
name: $1
seed: 1
output: $folder/$1.h5
pool: {space: nas-bench-201, subset: $2}
metrics: {source: compute, names: [grad_norm, snip, grasp, fisher, synflow, jacob_cov, nwot], batch: $3}
network: {channels: $4, cells: $5}
data: {format: cifar-binary, train: ["$folder/images.bin"]}
JOB
}

# scored NAME DEVICE: scores of a job, and the digest of all but their seconds.
scored() {
    set -o pipefail
    "$robotnas" score "$folder/$1.yaml" --fresh --device "$2" &&
        "$robotnas" report "$folder/$1.h5" --csv-scores - | sed 's/,[^,]*$//' >"$folder/$1.csv" &&
        sha256sum <"$folder/$1.csv" | sed 's/ .*//; s/^/digest /'
}
export robotnas folder
export -f scored
if [ ${#quick[@]} = 0 ]; then job bits '{sample: 20}' 8 16 1; else job bits '{sample: 2}' 6 4 1; fi
step bits 'Bits of some cells' 600 bash -c "scored bits $device"
pocl=$(awk '$1 ~ /^opencl:/ && /pthread/ { print $1; exit }' "$folder/devices.txt")
if [ -z "$pocl" ]; then skipped 'The same on PoCL' 'PoCL is not here; compare the digest above with that of another machine'; elif
    step pocl 'The same on PoCL' 900 bash -c "scored bits $pocl"
then
    ours=$(grep '^digest ' "$folder/bits.txt") theirs=$(grep '^digest ' "$folder/pocl.txt")
    if [ "$ours" = "$theirs" ]; then say '' 'The same bits.'; else
        failed=1
        say '' "FAILED: other bits: $ours, PoCL $theirs"
    fi
fi
if [ ${#quick[@]} -gt 0 ]; then
    skipped 'Scores of a sample' '--quick'
    skipped 'Scores of the pool' '--quick'
    exit "$failed"
fi
job sample '{sample: 300}' 64 16 5
step sample 'Scores of a sample' 600 bash -c "scored sample $device"
job pool unique 64 16 5
step pool 'Scores of the pool' 900 bash -c "scored pool $device"
exit "$failed"
