#!/usr/bin/env bash
# robotnas-gpu-bench, which is carried to machines that have nothing else of this project: it needs the C library alone, and can be
# built without any of the others; it measures what is there, and says what is not.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

: "${GPU_BENCH:?}"
build=$(dirname "$(dirname "$(dirname "$GPU_BENCH")")")

# ---- What it needs ----

# needs_libc_alone PROGRAM
needs_libc_alone() {
    local others
    others=$(ldd "$1" | awk '$1 !~ /^(linux-vdso|libc\.so|libm\.so|libpthread\.so|libdl\.so|.*ld-linux)/ { print $1 }')
    [ -z "$others" ] || fail "$1 needs more than the C library: $others"
}

if is_sanitized; then
    skip_part "without sanitizers only: which libraries it needs, and its build alone"
else
    needs_libc_alone "$GPU_BENCH"
    source=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt")
    launcher=$(sed -n 's/^CMAKE_C_COMPILER_LAUNCHER:[A-Z]*=//p' "$build/CMakeCache.txt")
    expect_exit 0 "${CMAKE:-cmake}" -S "$source" -B alone -G Ninja -DCMAKE_BUILD_TYPE=Debug -DROBOTNAS_GPU_BENCH_ONLY=ON \
        -DCMAKE_C_COMPILER_LAUNCHER="$launcher" -DCMAKE_DISABLE_FIND_PACKAGE_{MPI,HDF5,OpenSSL,ZLIB,JPEG,PNG}=ON
    expect_exit 0 "${CMAKE:-cmake}" --build alone
    expect_exit 0 "${CMAKE:-cmake}" --install alone --prefix prefix
    [ "$(find prefix -type f)" = prefix/bin/robotnas-gpu-bench ] || fail "built alone, this is installed: $(find prefix -type f)"
    needs_libc_alone prefix/bin/robotnas-gpu-bench
    expect_exit 0 prefix/bin/robotnas-gpu-bench --list
fi

# ---- What it says ----

# expect_refusal PATTERN ARGUMENT...: exit code 2, one line on stderr that matches.
expect_refusal() {
    local pattern=$1
    shift
    expect_exit 2 "$GPU_BENCH" "$@"
    # shellcheck disable=SC2053 # the pattern is one
    [[ $(<err) == robotnas-gpu-bench:\ $pattern ]] || fail "expected '$pattern', found '$(<err)': $*"
}
expect_refusal "'--fast' is no option*" --fast
expect_refusal "'--only' is no option, or lacks its value*" --only everything
expect_refusal "there is no device 'cuda:x'*" --device cuda:x
expect_refusal "--device cpu is no GPU*" --device cpu
NAS_LIBCUDA=$PWD/none expect_refusal "$PWD/none is not there*" --device cuda
expect_exit 0 "$GPU_BENCH" --help
expect_line out '^usage: robotnas-gpu-bench '

# ---- What it measures ----

# measured DEVICE [OPTION]: all parts have rates of DEVICE, in tables and in JSON.
measured() {
    expect_exit 0 "$GPU_BENCH" --device "$1" --quick "${@:2}"
    expect_line out '^Launches that do nothing$'
    expect_exit 0 "$GPU_BENCH" --device "$1" --quick "${@:2}" --json
    python3 - "$1" <<'PY' || fail "its JSON: $(<out)"
import json, sys
found = json.load(open("out"))
assert found["device"][0]["device"].startswith(sys.argv[1]), found["device"]
assert len(found["launches"]) >= 1
passes = {row["kernel"] for row in found["convolutions"]}
assert passes == {"forward", "by data", "by weights"}, passes
for part in "launches", "convolutions", "tensors":
    for row in found[part]:
        assert row["microseconds"] > 0, row
assert found["golden"][0]["equal"] == "yes", found["golden"]
for part in "networks", "training":
    assert {row["at_once"] > 1 for row in found[part]} == {False, True}
    assert all(row["milliseconds"] > 0 and row["launches"] > 0 for row in found[part]), found[part]
for part in "convolutions", "tensors":
    assert {row["networks"] for row in found[part]} == {1, 4}
PY
    expect_exit 0 "$GPU_BENCH" --device "$1" --quick --once --only tensors --json
    python3 -c 'import json; assert set(json.load(open("out"))) == {"device", "tensors"}' || fail "more than was asked for: $(<out)"
}

expect_exit 0 "$GPU_BENCH" --list
expect_line out '^ *threads '
if is_sanitized; then
    skip_part "without sanitizers only: rates on OpenCL, whose libraries leak, and launches that are repeated"
elif grep -q '^ *opencl:0' out; then
    measured opencl
else
    skip_part "no device of OpenCL: pocl-opencl-icd is missing"
fi
if is_sanitized; then measured threads --once; else measured threads; fi
