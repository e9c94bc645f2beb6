#!/usr/bin/env bash
# The engine against reference values of networks in ONNX files: every value agrees, losses of a training besides where their
# images are named; what is missing is said in one line.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/references.sh
. "$(dirname "${BASH_SOURCE[0]}")/references.sh"
large=$ROBOTNAS_SHARED/oracle/ref-onnx
images=$ROBOTNAS_SHARED/data/cifar-10-batches-bin/data_batch_1.bin

# ---- Large references, where they are ----

if [ -d "$large" ] && ! is_sanitized; then
    expect_agreement "$ROBOTNAS" verify "$large"/*.h5 --backend ref
    [ "$(grep -c '  left out: losses of 6 steps; .*--images$' out)" = 2 ] || fail 'losses that are left out are not named'
    if [ -f "$images" ]; then
        expect_agreement "$ROBOTNAS" verify "$large"/darts-1.h5 "$large"/transnas-macro-1.h5 --images "$images" --backend ref
        [ "$(grep -c 'the worst of 6 losses that agree' out)" = 2 ] || fail 'no losses'
    else
        skip_part "losses of networks of ONNX files: CIFAR-10 is not at $images"
    fi
else
    skip_part "references of ONNX files: they are not at $large, or the program is sanitized"
fi
