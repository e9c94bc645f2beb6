#!/usr/bin/env bash
# The engine against reference values: every value of the shipped files agrees on every backend; a value that is wrong is named
# with exit code 1; files that are no references are refused; what is dumped is a reference again.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
shipped=("$ROBOTNAS_SOURCE"/tests/data/reference-*.h5)
mixed=$ROBOTNAS_SOURCE/tests/data/reference-mixed.h5

backends=(ref)
if "$ROBOTNAS" verify --backend cpu "$mixed" >out 2>&1 || ! grep -q 'not built in' out; then
    backends+=(cpu)
fi

# expect_agreement COMMAND...: every value agrees.
expect_agreement() {
    expect_exit 0 "$@"
    [ ! -s err ] || fail "stderr is not empty: $*"
    expect_line out '^[1-9][0-9]* values, 0 differ$'
}

# expect_refusal PATTERN COMMAND...: exit code 2, one line on stderr that matches.
expect_refusal() {
    local pattern=$1
    shift
    expect_exit 2 "$@"
    [ "$(wc -l <err)" = 1 ] || fail "not one line: $*"
    # shellcheck disable=SC2053 # the pattern is one
    [[ $(<err) == robotnas:\ $pattern ]] || fail "expected '$pattern', found '$(<err)': $*"
}

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
expect_refusal "small.h5: attribute 'arch' is not there" "$ROBOTNAS" verify small.h5

# edited NAME STATEMENT: a copy of reference-mixed.h5, edited.h5, after a statement about its dataset or attribute NAME.
edited() {
    cp "$mixed" edited.h5
    "$python" - "$1" "$2" <<'PY'
import sys, h5py, numpy
with h5py.File('edited.h5', 'r+') as file:
    name = sys.argv[1]
    exec(sys.argv[2])
PY
}

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

    edited input 'del file[name]; file["expected/losses"] = [1.0]'
    expect_agreement "$ROBOTNAS" verify edited.h5 "$mixed"
    expect_line out '^edited.h5: skipped, values of training$'
else
    echo 'SKIPPED: edited references: no Python with h5py'
fi

# ---- Large references, where they are ----

large=$ROBOTNAS_SHARED/oracle/ref
if [ -d "$large" ]; then
    expect_agreement "$ROBOTNAS" verify "$large"/*.h5
    expect_line out '^train-1.h5: skipped'
    expect_agreement "$ROBOTNAS" verify "$large"/small-*.h5 --backend ref
    is_sanitized || expect_agreement "$ROBOTNAS" verify "$large"/full-2.h5 --backend ref
else
    echo "SKIPPED: large references: they are not at $large"
fi
