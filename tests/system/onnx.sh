#!/usr/bin/env bash
# Exported models: valid by ONNX's own checker, of the operations that the architecture needs and no other, and PyTorch
# computes by them the logits that the engine computes.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
: "${EXPORT_ONNX:?}"
for module in onnx torch; do
    python_with "$module" >/dev/null || skip "no Python with $module"
done
python=$(python_with 'onnx, torch') || skip 'no Python with both onnx and torch'

# What every network with a path has, and what one without has.
network=(Sub Div Conv BatchNormalization Relu AveragePool Add GlobalAveragePool Flatten Gemm)
head=(BatchNormalization Relu GlobalAveragePool Flatten Gemm)
zeros=(Shape Gather Concat ConstantOfShape)

# export_network NETWORK ARCH OPERATION...: into a folder of its own, with the operations that its model should have;
# NETWORK: convention, image channels, height, width, channels, cells, classes.
folders=()
export_network() {
    local around=$1 arch=$2 folder=model${#folders[@]}
    shift 2
    mkdir "$folder"
    folders+=("$folder")
    printf '%s\n' "$@" >"$folder/operations"
    # shellcheck disable=SC2086 # one argument a number
    expect_exit 0 "$EXPORT_ONNX" "$folder" "$arch" $around
    [ ! -s err ] || fail "stderr is not empty: $arch"
    printf '%s: %s %s\n' "$folder" "$around" "$arch"
}

convolutions='|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|nor_conv_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|'
pools='|avg_pool_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|skip_connect~0|avg_pool_3x3~1|skip_connect~2|'
copy='|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|'
dead_end='|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|avg_pool_3x3~1|none~2|'
dead_start='|none~0|+|nor_conv_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|'
no_path='|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|none~2|'
all_none='|none~0|+|none~0|none~1|+|none~0|none~1|none~2|'
zeros_only='|none~0|+|none~0|nor_conv_3x3~1|+|none~0|nor_conv_1x1~1|avg_pool_3x3~2|'
mixed='|nor_conv_1x1~0|+|skip_connect~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|nor_conv_3x3~2|'

for convention in score train; do
    small="$convention 3 32 32 8 1 10"
    ones=() # BNs of cells have neither gamma nor beta
    [ "$convention" = train ] || ones=(Constant)
    export_network "$small" "$convolutions" "${network[@]}" "${ones[@]}" Sum
    export_network "$small" "$pools" "${network[@]}" Sum
    export_network "$small" "$copy" "${network[@]}"
    export_network "$small" "$dead_end" "${network[@]}" "${ones[@]}"
    export_network "$small" "$dead_start" "${network[@]}" "${ones[@]}" Sum "${zeros[@]}"
    export_network "$small" "$no_path" "${head[@]}" "${zeros[@]}"
    export_network "$small" "$all_none" "${head[@]}" "${zeros[@]}"
    export_network "$small" "$mixed" "${network[@]}" "${ones[@]}"
    # gray; planes of an odd height and width in the last stage; more than one cell a stage
    export_network "$convention 1 28 28 4 2 7" "$mixed" "${network[@]}" "${ones[@]}"
    export_network "$convention 2 20 12 5 1 3" "$dead_start" "${network[@]}" "${ones[@]}" Sum "${zeros[@]}"
done
export_network 'train 3 32 32 16 5 100' "$convolutions" "${network[@]}" Sum

# No image counts, but the head reads convolutions of zeros.
export_network 'train 3 16 16 8 1 10' "$zeros_only" Conv AveragePool Add "${head[@]}" "${zeros[@]}"

"$python" "$ROBOTNAS_SOURCE/tests/system/onnx_check.py" "${folders[@]}" || fail 'a model is wrong'

# The same bytes from another process.
cp model0/model.onnx first
"$EXPORT_ONNX" model0 "$convolutions" score 3 32 32 8 1 10
cmp first model0/model.onnx >&2 || fail 'other bytes the second time'

# Images that the engine refuses are refused here.
expect_exit 2 "$EXPORT_ONNX" . "$mixed" train 3 15 15 8 1 10
expect_line err '^export_onnx: images of 15 x 15 cannot be halved twice'
