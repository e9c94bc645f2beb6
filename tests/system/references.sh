# shellcheck shell=bash
# What the tests of `robotnas verify` share. Sourced behind lib.sh.
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

# edited NAME STATEMENT [FILE]: a copy of reference-mixed.h5 or FILE, edited.h5, after a statement about its dataset or
# attribute NAME. With the Python that is in $python.
edited() {
    cp "${3:-$mixed}" edited.h5
    "${python:?}" - "$1" "$2" <<'PY'
import sys, h5py, numpy
with h5py.File('edited.h5', 'r+') as file:
    name = sys.argv[1]
    exec(sys.argv[2])
PY
}
