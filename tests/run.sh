#!/usr/bin/env bash
# From a fresh Debian 12 machine to a passed test suite: installs packages, builds, runs every test, and lists what was skipped
# and why.
#
# usage: tests/run.sh [--preset dev|asan|tsan|coverage] [--label unit|mpi|system | --quick | --rest | --only NAME]
#   --label LABEL  tests of one kind; what takes minutes runs by its label alone: oclgrind, gpu-long
#   --quick        unit tests and the shortest system tests, under a minute once all is built
#   --rest         what a run with --preset asan did not cover
#   --only NAME    one test, by its whole name (unit.gp, mpi.comm.2) or the middle of it (gp, comm); builds what it needs, no more
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    sed -n '5,9p' tests/run.sh >&2
    exit 2
}

long='oclgrind|gpu-long' # labels of what takes minutes, and runs only when it is named
preset=dev
select=()
only=
targets=()
while [ $# -gt 0 ]; do
    case $1 in
    --preset | --label | --only) [ $# -gt 1 ] || usage ;;
    esac
    case $1 in
    --label | --quick | --rest | --only) [ ${#select[@]} = 0 ] || usage ;;
    esac
    case $1 in
    --preset) preset=$2 && shift ;;
    --label) select=(-L "^($2)\$") && shift ;;
    --quick) select=(-L '^(unit|quick)$') ;;
    --rest) select=(-LE "^(sanitized|$long)\$") ;;
    --only)
        only=$2 && shift
        [[ $only =~ ^[a-z0-9_.]+$ ]] || usage
        select=(-R "(^|[.])${only//./[.]}([.]|\$)")
        ;;
    *) usage ;;
    esac
    shift
done

[ ${#select[@]} != 0 ] || select=(-LE "^($long)\$")

# ThreadSanitizer suits neither Criterion, which forks, nor MPI: two tests are made for it.
if [ "$preset" = tsan ]; then
    select=(-R '^system\.(threads|gpu_races)$')
    targets=(robotnas gpu_race robotnas-gpu-bench)
fi

# On Debian everything comes from packages: what else a developer has first in PATH decides nothing. The tests themselves run
# with the system's folders everywhere (CMakeLists.txt).
if command -v dpkg-query >/dev/null; then
    PATH=/usr/sbin:/usr/bin:/sbin:/bin
    scripts/install-deps.sh --tests
fi
cmake --preset "$preset" >/dev/null

# target_of TEST: what builds it.
target_of() {
    case $1 in
    system.*) echo system_tests ;;
    mpi.*) sed -E 's/^mpi\.(.*)\.[0-9]+$/test_mpi_\1/' <<<"$1" ;;
    fuzz.*) echo "fuzz_${1#fuzz.}" ;;
    *) echo "test_${1#unit.}" ;;
    esac
}
if [ -n "$only" ]; then
    mapfile -t names < <(ctest --test-dir "build/$preset" -N "${select[@]}" | sed -n 's/^ *Test *#[0-9]*: //p')
    [ ${#names[@]} != 0 ] || {
        echo "tests/run.sh: no test is called '$only'; ctest --test-dir build/$preset -N lists them" >&2
        exit 2
    }
    mapfile -t targets < <(for name in "${names[@]}"; do target_of "$name"; done | sort -u)
fi
cmake --build --preset "$preset" ${targets[@]:+--target "${targets[@]}"}

# One test more than processors: some wait most of their time.
results=build/$preset/results.xml
code=0
ctest --test-dir "build/$preset" --output-on-failure --parallel "$(($(nproc) + 1))" "${select[@]}" \
    --output-junit "$PWD/$results" --test-output-size-passed 10000000 --test-output-size-failed 10000000 || code=$?
tests/skipped.py "$results"
exit "$code"
