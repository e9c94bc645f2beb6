#!/usr/bin/env bash
# Oclgrind runs the tests of kernels as an OpenCL device that looks at each access to memory: no two work-items touch the same place
# between two barriers unless both read, none reads beyond an array or what nobody wrote. What it finds is on stderr. Minutes, so by
# --label oclgrind only.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

: "${GPU_RACE:?}" "${GPU_TESTS:?}"
skip_sanitized "Oclgrind's own memory is not looked after as they ask"
icd=$(find /usr/lib -name liboclgrind-rt-icd.so -print -quit 2>/dev/null || true)
[ -n "$icd" ] || skip "oclgrind is missing: scripts/install-deps.sh --tests"

# The only device of OpenCL is then Oclgrind's.
mkdir vendors
echo "$icd" >vendors/oclgrind.icd
export OCL_ICD_VENDORS=$folder/vendors/ OCLGRIND_DATA_RACES=1 OCLGRIND_UNIFORM_WRITES=1 OCLGRIND_LOCAL_MEM_SIZE=65536 NAS_GPU_CACHE=$folder/cache
findings='data race|Invalid (read|write)|Uninitialized|Work-group divergence'

# What it finds is worth something: a planted race is found, at its place, and the kernel without it is clean.
prelude=$ROBOTNAS_SOURCE/worker/engine/gpu/kernels/prelude.h
"$GPU_RACE" "$prelude" none opencl >out 2>err || fail "gpu_race fails without a race: $(<err)"
expect_line out '^sums: 2016 2016 2016$'
if grep -E "$findings" err >&2; then fail 'a finding where no race was planted'; fi
for kind in local rounds global; do
    "$GPU_RACE" "$prelude" "$kind" opencl >out 2>err || true
    grep -q 'data race' err || fail "the planted race is not found: $kind"
done

for test in $GPU_TESTS; do
    "$test" --jobs 1 --filter 'opencl/*' >out 2>err || {
        cat out err >&2
        fail "${test##*/} fails on Oclgrind"
    }
    if grep -E -A 12 "$findings" err >&2; then fail "a finding in ${test##*/}"; fi
    n=$(sed -n 's/.*Tested: .*Passing: [^0-9]*\([0-9]*\).*/\1/p' out err)
    ((n > 0)) || fail "${test##*/} has no test on opencl"
    printf '%s: %d tests, no finding\n' "${test##*/}" "$n"
done
