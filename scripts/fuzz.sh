#!/usr/bin/env bash
# Builds the fuzz targets (clang) and runs each for a while, as many at once as there are processors. Fails if one finds
# something: the input is kept in build/fuzz/findings. What a run learnt is kept in build/fuzz/corpus for the next.
#
# usage: scripts/fuzz.sh [SECONDS_PER_TARGET] [TARGET...]      default: 20 s, all targets
#   FUZZ_JOBS    targets at once (default: processors)
#   FUZZ_BUILD   build folder (default: build/fuzz)
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=20
if [[ ${1-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
fi
build=${FUZZ_BUILD:-build/fuzz}
source=tests/fuzz

cmake --preset fuzz -B "$build" >/dev/null
cmake --build "$build" --target fuzz

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(cd $source && printf '%s\n' fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
fi

# Files of the targets, small and written again all the time.
TMPDIR=$(mktemp -d "$(test -w /dev/shm && echo /dev/shm || echo "${TMPDIR:-/tmp}")/robotnas-fuzz-XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

export ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1

# One target; prints a line.
run() {
    local target=$1 seconds=$2 log="$build/log/$1.txt" options=() most_bytes=4096
    mkdir -p "$build/corpus/$target" "$build/findings" "$build/log"
    if [ -e $source/dict/"$target".dict ]; then options+=("-dict=$source/dict/$target.dict"); fi
    case $target in hdf5 | reference | state | candidate) most_bytes=145 ;; esac # a list of edits, see h5_edit.h
    if "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=3000 \
        -max_len=$most_bytes -print_final_stats=1 -artifact_prefix="$build/findings/$target-" "${options[@]}" \
        "$build/corpus/$target" "$source/corpus/$target" >"$log" 2>&1; then
        printf '%-10s %9s inputs  %s\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: //p' "$log")" \
            "$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -1)"
    else
        printf '%-10s FAILED: %s\n' "$target" "$log"
        grep -E 'bug:|ERROR|runtime error|Test unit written' "$log" | head -5
        return 1
    fi
}
export -f run
export build source

failed=0
# shellcheck disable=SC2016 # the inner shell expands them
printf '%s\n' "${targets[@]}" | xargs -P "${FUZZ_JOBS:-$(nproc)}" -I{} bash -c 'run "$1" "$2"' - {} "$seconds" || failed=1
if [ $failed -ne 0 ]; then
    echo "What was found: $build/findings. One alone: $build/tests/fuzz/fuzz_TARGET FILE"
    exit 1
fi
