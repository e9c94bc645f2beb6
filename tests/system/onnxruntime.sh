#!/usr/bin/env bash
# What onnxruntime computes of ONNX files is what the engine does on `ref`: of the networks that PyTorch exported, by the statistics
# of a batch, and of random networks of all operations that the program exports, by running ones.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'it compares what the program computes with what onnxruntime does'
python=$(python_with 'onnxruntime, onnx, h5py') || skip 'no Python with onnxruntime, onnx and h5py'

for network in cells joined mixed; do
    cp "$ROBOTNAS_SOURCE/tests/data/network-$network.onnx" .
    expect_exit 0 "$ROBOTNAS" verify "$ROBOTNAS_SOURCE/tests/data/network-$network.h5" --backend ref --dump "network-$network.h5"
done
# Of some the tool says that no file is like them.
for ((number = 0; number < 100; number++)); do
    mkdir "any$number"
    "$EXPORT_ONNX" "any$number" "any:$number" train 3 9 7 4 1 5 2>err && continue
    grep -q 'has no file' err || fail "network $number: $(<err)"
    rmdir "any$number"
done
[ "$(find . -name 'any*' | wc -l)" -ge 10 ] || fail 'too few networks'
"$python" "$ROBOTNAS_SOURCE/tests/system/onnxruntime_check.py" network-*.h5 any* || fail 'logits differ'
