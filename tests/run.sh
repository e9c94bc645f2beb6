#!/usr/bin/env bash
# From a fresh Debian 12 machine to a passed test suite: installs packages, builds, runs every test, and lists what was skipped
# and why.
#
# usage: tests/run.sh [--preset dev|asan|tsan|coverage] [--label unit|mpi|system]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=dev
select=()
targets=()
while [ $# -gt 0 ]; do
    case $1 in
    --preset) preset=$2 ;;
    --label) select=(-L "$2") ;;
    *)
        sed -n '5p' "$0" >&2
        exit 2
        ;;
    esac
    shift 2
done

# ThreadSanitizer suits neither Criterion, which forks, nor MPI: one test is made for it.
if [ "$preset" = tsan ]; then
    select=(-R '^system\.threads$')
    targets=(--target robotnas)
fi

# On Debian everything comes from packages: what else a developer has first in PATH decides nothing. The tests themselves run
# with the system's folders everywhere (CMakeLists.txt).
if command -v dpkg-query >/dev/null; then
    PATH=/usr/sbin:/usr/bin:/sbin:/bin
    scripts/install-deps.sh --tests
fi
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" "${targets[@]}"
# One test more than processors: some wait most of their time.
results=build/$preset/results.xml
code=0
ctest --test-dir "build/$preset" --output-on-failure --parallel "$(($(nproc) + 1))" "${select[@]}" \
    --output-junit "$PWD/$results" --test-output-size-passed 10000000 --test-output-size-failed 10000000 || code=$?
tests/skipped.py "$results"
exit "$code"
