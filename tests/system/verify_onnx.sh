#!/usr/bin/env bash
# The engine against reference values of networks in ONNX files: every value agrees, losses of a training besides where their
# images are named; a value that is wrong is named, and so is what is missing.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/references.sh
. "$(dirname "${BASH_SOURCE[0]}")/references.sh"
data=$ROBOTNAS_SOURCE/tests/data
large=$ROBOTNAS_SHARED/oracle/ref-onnx
images=$ROBOTNAS_SHARED/data/cifar-10-batches-bin/data_batch_1.bin

# ---- Shipped references, one of them with a training on what images.py writes in CIFAR-10's form ----

python3 "$ROBOTNAS_SOURCE/tests/system/images.py" few.bin 16 1
for backend in "${backends[@]}"; do
    expect_agreement "$ROBOTNAS" verify "$data"/network-*.h5 --backend "$backend"
    expect_line out '^  left out: losses of 4 steps; .*--images$'
    expect_agreement "$ROBOTNAS" verify "$data"/network-mixed.h5 --images few.bin --backend "$backend"
    grep -q '^  losses\[' out || fail "$backend: no losses"
done

# ---- What is computed is a reference itself, beside the same network ----

cp "$data"/network-mixed.onnx dump.onnx
for backend in "${backends[@]}"; do
    expect_agreement "$ROBOTNAS" verify "$data"/network-mixed.h5 --images few.bin --backend "$backend" --dump dump.h5
    tail -n 1 out >first
    expect_agreement "$ROBOTNAS" verify dump.h5 --images few.bin --backend "$backend"
    ! grep 'agrees$' out | grep -v ' 0\.0e+00 ' >&2 || fail "$backend differs from itself"
    diff first <(tail -n 1 out) >&2 || fail "$backend: the dump lacks values"
done

# ---- What is wrong or missing ----

head -c $((15 * 3073)) few.bin >fewer.bin
expect_refusal 'fewer.bin: 15 images; *network-mixed.h5 takes 16' "$ROBOTNAS" verify "$data"/network-mixed.h5 --images fewer.bin
cp "$data"/network-mixed.h5 alone.h5
expect_refusal 'alone.h5: it is of a network in an ONNX file, but there is no alone.onnx' "$ROBOTNAS" verify alone.h5
cp "$data"/network-cells.onnx alone.onnx
expect_refusal 'alone.onnx: *' "$ROBOTNAS" verify alone.h5
printf 'no network\n' >alone.onnx
expect_refusal 'alone.onnx: *' "$ROBOTNAS" verify alone.h5

expect_refusal 'verify: --space resnet: expected *' "$ROBOTNAS" verify --space resnet "$data"/network-mixed.h5
expect_refusal "*network-mixed.h5: attribute 'model': 'mixed' is not darts:ARCHITECTURE/CHANNELS/CELLS" \
    "$ROBOTNAS" verify --space darts "$data"/network-mixed.h5
expect_refusal '*reference-mixed.h5: it has no ONNX file *' "$ROBOTNAS" verify --space darts "$data"/reference-mixed.h5

if python=$(python_with h5py); then
    cp "$data"/network-mixed.onnx edited.onnx
    for name in loss logits grad_norm snip grasp fisher synflow log_synflow jacob_cov nwot plain l2_norm params flops \
        input_gradient gradients/shared.weight gradients/bn.bias; do
        edited "expected/$name" 'file[name][...] *= 1.2' "$data"/network-mixed.h5
        for backend in "${backends[@]}"; do
            expect_exit 1 "$ROBOTNAS" verify edited.h5 --images few.bin --backend "$backend"
            expect_line out "^  $name .* DIFFERS\$"
            expect_line err "^robotnas: edited.h5: $name is "
        done
    done
    # wanders INDEX DISTANCE BACKEND...: a loss that far off is named by these backends and agrees for the others.
    wanders() {
        local backend
        edited expected/losses "file[name][$1] += $2" "$data"/network-mixed.h5
        for backend in "${backends[@]}"; do
            if [[ " ${*:3} " == *" $backend "* ]]; then
                expect_exit 1 "$ROBOTNAS" verify edited.h5 --images few.bin --backend "$backend"
                expect_line out "^  losses\\[$1\\] .* DIFFERS\$"
                expect_line out '^34 values, 1 differ$'
            else
                expect_agreement "$ROBOTNAS" verify edited.h5 --images few.bin --backend "$backend"
            fi
        done
    }
    wanders 1 1e-4 ref cpu
    wanders 2 2e-2 ref
    wanders 3 1e-1 ref cpu

    edited model 'del file.attrs[name]' "$data"/network-mixed.h5
    expect_refusal "edited.h5: there is neither an attribute 'arch' nor 'model'; *" "$ROBOTNAS" verify edited.h5
    edited classes 'file.attrs[name] = 6' "$data"/network-mixed.h5
    expect_refusal "edited.onnx: *" "$ROBOTNAS" verify edited.h5
    edited input/images 'del file[name]' "$data"/network-mixed.h5
    expect_refusal "edited.h5: dataset 'input/images' is not there *" "$ROBOTNAS" verify edited.h5
    edited input/images 'value = file[name][:, :, :, 2:]; del file[name]; file[name] = value' "$data"/network-mixed.h5
    expect_refusal '*edited.*' "$ROBOTNAS" verify edited.h5
else
    skip_part 'edited references: no Python with h5py'
fi

# ---- Large references, where they are ----

if [ -d "$large" ] && ! is_sanitized; then
    for backend in "${backends[@]}"; do
        expect_agreement "$ROBOTNAS" verify "$large"/*.h5 --backend "$backend"
        [ "$(grep -c '  left out: losses of 6 steps; .*--images$' out)" = 2 ] || fail 'losses that are left out are not named'
        expect_agreement "$ROBOTNAS" verify --space darts "$large"/darts-2.h5 --backend "$backend"
        expect_agreement "$ROBOTNAS" verify --space transnas-micro "$large"/transnas-micro-*.h5 --backend "$backend"
        [ -f "$images" ] || continue
        expect_agreement "$ROBOTNAS" verify "$large"/darts-1.h5 "$large"/transnas-macro-1.h5 --images "$images" --backend "$backend"
        [ "$(grep -c '^  losses\[' out)" -ge 2 ] || fail 'no losses'
        expect_agreement "$ROBOTNAS" verify --space darts "$large"/darts-1.h5 --images "$images" --backend "$backend"
        expect_agreement "$ROBOTNAS" verify --space transnas-macro "$large"/transnas-macro-1.h5 --images "$images" --backend "$backend"
    done
    [ -f "$images" ] || skip_part "losses of networks of ONNX files: CIFAR-10 is not at $images"
else
    skip_part "references of ONNX files: they are not at $large, or the program is sanitized"
fi
