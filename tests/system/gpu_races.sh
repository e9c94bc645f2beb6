#!/usr/bin/env bash
# Under ThreadSanitizer, on the layer `threads`, where work-items are threads: races that are planted in a kernel are found, at their
# lines, and the kernel without them is clean. The golden set, which has each file of kernels run, is clean, too.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

grep -q __tsan_init "$GPU_RACE" || skip 'the program was not built with -fsanitize=thread (preset tsan)'
prelude=$ROBOTNAS_SOURCE/worker/engine/gpu/kernels/prelude.h

expect_exit 0 "$GPU_RACE" "$prelude" none
expect_line out '^sums: 2016 2016 2016$'

# planted KIND LINE...: found, at one of these lines of the kernel.
planted() {
    local kind=$1 line code=0
    shift
    "$GPU_RACE" "$prelude" "$kind" >out 2>err || code=$?
    [ "$code" = 66 ] || fail "exit code $code instead of 66, ThreadSanitizer's, with a planted race: $kind"
    grep -q 'ThreadSanitizer: data race' err || fail "no race found: $kind"
    for line in "$@"; do
        if grep -q "planted:$line" err; then return; fi
    done
    sed 's/ThreadSanitizer/thread sanitizer/' err >&2
    fail "the race is not where it was planted: $kind"
}
planted local 7
planted rounds 7
planted global 10

# ---- The kernels that users run ----

expect_exit 0 "$GPU_BENCH" --device threads --golden-only
expect_line out ' yes *$'
