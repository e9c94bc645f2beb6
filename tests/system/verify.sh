#!/usr/bin/env bash
# The engine against reference values: every value of the shipped files agrees on every backend; a value that is wrong is named
# with exit code 1; files that are no references are refused; what is dumped is a reference again.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/references.sh
. "$(dirname "${BASH_SOURCE[0]}")/references.sh"
shipped=("$ROBOTNAS_SOURCE"/tests/data/reference-*.h5)
course=$ROBOTNAS_SOURCE/tests/data/reference-course.h5

# ---- Shipped references ----

for backend in "${backends[@]}"; do
    expect_agreement "$ROBOTNAS" verify "${shipped[@]}" --backend "$backend"
    expect_line out "^backend $backend\$"
    for file in "${shipped[@]}"; do
        expect_line out "^$(basename "$file"):"
    done
done
expect_agreement "$ROBOTNAS" verify "${shipped[@]}"
expect_line out "^backend ${backends[-1]}\$"

# ---- What is computed is a reference itself; computed again it is the same to the last bit ----

for backend in "${backends[@]}"; do
    for file in "${shipped[@]}"; do
        expect_agreement "$ROBOTNAS" verify "$file" --backend "$backend" --dump dump.h5
        cp out first
        expect_agreement "$ROBOTNAS" verify dump.h5 --backend "$backend"
        ! grep 'agrees$' out | grep -v ' 0\.0e+00 ' >&2 || fail "$backend: $(basename "$file") differs from itself"
        # as many values as in the file
        diff <(tail -n 1 first) <(tail -n 1 out) >&2 || fail "$backend: the dump of $(basename "$file") lacks values"
    done
done
expect_refusal 'verify: --dump takes one*' "$ROBOTNAS" verify "$mixed" "$mixed" --dump dump.h5

# ---- Files and options that are wrong ----

printf 'no HDF5\n' >garbage.h5
head -c 100000 "$mixed" >truncated.h5
: >empty.h5
expect_refusal 'garbage.h5: *' "$ROBOTNAS" verify garbage.h5
expect_refusal 'truncated.h5: *' "$ROBOTNAS" verify truncated.h5
expect_refusal 'empty.h5: *' "$ROBOTNAS" verify empty.h5
expect_refusal '*nowhere.h5*' "$ROBOTNAS" verify nowhere.h5
expect_refusal 'garbage.h5: *' "$ROBOTNAS" verify "$mixed" garbage.h5
expect_refusal 'verify: REFERENCE.h5 is missing*' "$ROBOTNAS" verify
expect_refusal "verify: there is no backend 'gpu'*" "$ROBOTNAS" verify "$mixed" --backend gpu
small_job job.yaml
"$ROBOTNAS" search job.yaml --set search.repeats=1 >out 2>&1 || fail 'the small job'
expect_refusal "small.h5: there is neither an attribute 'arch' nor 'model'; *" "$ROBOTNAS" verify small.h5

if python=$(python_with h5py); then
    for name in loss logits grad_norm snip grasp fisher synflow log_synflow jacob_cov nwot plain l2_norm params \
        input_gradient gradients/stem/conv/weight gradients/reduction2/bn_b/gamma gradients/head/linear/bias; do
        edited "expected/$name" 'file[name][...] *= 1.1'
        for backend in "${backends[@]}"; do
            expect_exit 1 "$ROBOTNAS" verify edited.h5 --backend "$backend"
            expect_line out "^  $name .* DIFFERS\$"
            expect_line out ' DIFFERS$'
            expect_line err "^robotnas: edited.h5: $name is "
        done
    done
    edited expected/fisher 'file[name][...] = numpy.nan'
    expect_exit 1 "$ROBOTNAS" verify edited.h5
    edited weights/stem/conv/weight 'file[name][...] *= 1.5'
    expect_exit 1 "$ROBOTNAS" verify edited.h5

    edited weights/cell1/edge0/conv/weight 'del file[name]'
    expect_refusal "edited.h5: dataset 'weights/cell1/edge0/conv/weight' is not there" "$ROBOTNAS" verify edited.h5
    edited expected/logits 'value = file[name][:-1]; del file[name]; file[name] = value'
    expect_refusal "edited.h5: dataset 'expected/logits' has not the shape*" "$ROBOTNAS" verify edited.h5
    edited input/labels 'file[name][2] = 10'
    expect_refusal "edited.h5: dataset 'input/labels': 10, of image 2, *" "$ROBOTNAS" verify edited.h5
    edited input/images 'value = file[name][:, :, :6]; del file[name]; file[name] = value'
    expect_refusal 'edited.h5: images of 6 x 8 *' "$ROBOTNAS" verify edited.h5
    edited arch 'file.attrs[name] = "|conv~0|"'
    expect_refusal "edited.h5: attribute 'arch': '|conv~0|' is not *" "$ROBOTNAS" verify edited.h5
    edited channels 'file.attrs[name] = -4'
    expect_refusal "edited.h5: attribute 'channels' *" "$ROBOTNAS" verify edited.h5
    edited convention 'file.attrs[name] = "both"'
    expect_refusal "edited.h5: attribute 'convention' *" "$ROBOTNAS" verify edited.h5

    # ---- Courses of training: how far losses may wander depends on the step and the backend ----

    # wanders INDEX DISTANCE BACKEND...: a loss that far off is named by these backends and agrees for the others.
    wanders() {
        local backend
        edited expected/losses "file[name][$1] += $2" "$course"
        for backend in "${backends[@]}"; do
            if [[ " ${*:3} " == *" $backend "* ]]; then
                expect_exit 1 "$ROBOTNAS" verify edited.h5 --backend "$backend"
                expect_line out "^  losses\\[$1\\] .* DIFFERS\$"
                expect_line out '^20 values, 1 differ$'
                expect_line err "^robotnas: edited.h5: losses\\[$1\\] is "
            else
                expect_agreement "$ROBOTNAS" verify edited.h5 --backend "$backend"
            fi
        done
    }
    wanders 0 1e-4 ref cpu
    wanders 2 1e-4 ref
    wanders 3 1e-2 ref cpu
    wanders 4 1e-2 ref
    wanders 19 0.5 ref cpu

    # the images of two steps change places: the order counts
    edited input/images 'value = file[name][...]; file[name][:16] = value[[*range(8, 16), *range(8)]]' "$course"
    for backend in "${backends[@]}"; do
        expect_exit 1 "$ROBOTNAS" verify edited.h5 --backend "$backend"
        expect_line err '^robotnas: edited.h5: losses\[0\] is '
    done

    edited input/images 'del file[name]' "$course"
    expect_refusal 'edited.h5: a training without images; *--images*' "$ROBOTNAS" verify edited.h5
    expect_refusal '*nowhere*' "$ROBOTNAS" verify edited.h5 --images nowhere
    head -c $((159 * 3073)) /dev/zero >few.bin
    expect_refusal 'few.bin: 159 images; edited.h5 takes 160' "$ROBOTNAS" verify edited.h5 --images few.bin
    edited input/images 'value = file[name][:-1]; del file[name]; file[name] = value' "$course"
    expect_refusal "edited.h5: dataset 'input/images' *" "$ROBOTNAS" verify edited.h5
    edited batch 'del file.attrs[name]' "$course"
    expect_refusal "edited.h5: attribute 'batch' *" "$ROBOTNAS" verify edited.h5
    edited convention 'file.attrs[name] = "score"' "$course"
    expect_refusal "edited.h5: attribute 'convention' *" "$ROBOTNAS" verify edited.h5
    edited expected/losses 'del file[name]; file[name] = 1.0' "$course"
    expect_refusal "edited.h5: dataset 'expected/losses' *" "$ROBOTNAS" verify edited.h5

    # Images that are in a file give the same losses as from CIFAR's binary file.
    "$python" - "$course" <<'PY'
import sys, h5py, numpy
pixels = numpy.random.default_rng(1).integers(0, 256, (160, 3, 32, 32), numpy.uint8)
with h5py.File(sys.argv[1]) as course, h5py.File('inside.h5', 'w') as inside:
    labels = course['input/labels'][:]
    mean, std = numpy.array([[0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]]).reshape(2, 3, 1, 1)
    for name in course:
        course.copy(name, inside)
    inside.attrs.update(course.attrs)
    del inside['input']
    inside['input/images'] = ((pixels / 255 - mean) / std).astype(numpy.float32)
    inside['input/labels'] = labels
with open('images.bin', 'wb') as file:
    for label, image in zip(labels, pixels):
        file.write(bytes([label]) + image.tobytes())
PY
    edited input 'del file[name]' "$course"
    for backend in "${backends[@]}"; do
        expect_exit 1 "$ROBOTNAS" verify inside.h5 --backend "$backend" --dump a.h5
        expect_exit 1 "$ROBOTNAS" verify edited.h5 --images images.bin --backend "$backend" --dump b.h5
        "$python" - <<'PY' || fail "$backend: images in the file and beside it give other losses"
import h5py
a, b = ([list(file[name][...].flat) for name in ('expected/losses', 'input/images', 'input/labels')]
        for file in (h5py.File('a.h5'), h5py.File('b.h5')))
assert a == b and len(set(a[0])) == 20
PY
    done
else
    skip_part 'edited references: no Python with h5py'
fi

# ---- Large references, where they are ----

large=$ROBOTNAS_SHARED/oracle/ref
if [ -d "$large" ]; then
    expect_agreement "$ROBOTNAS" verify "$large"/full-*.h5 "$large"/small-*.h5
    expect_agreement "$ROBOTNAS" verify "$large"/small-*.h5 --backend ref
    is_sanitized || expect_agreement "$ROBOTNAS" verify "$large"/full-2.h5 --backend ref
else
    skip_part "large references: they are not at $large"
fi

images=$ROBOTNAS_SHARED/data/cifar-10-batches-bin/data_batch_1.bin
for file in train-1.h5 train-2.h5; do
    if [ -f "$large/$file" ] && [ -f "$images" ]; then
        for backend in "${backends[@]}"; do
            is_sanitized || expect_agreement "$ROBOTNAS" verify "$large/$file" --images "$images" --backend "$backend"
        done
        expect_refusal "*$file: a training without images; *" "$ROBOTNAS" verify "$large/$file"
    else
        skip_part "$file: it is not at $large, or CIFAR-10 not at $images"
    fi
done
