#!/usr/bin/env bash
# Formatting, clang-tidy and shellcheck over the whole project; prints what is wrong and exits 1.
#
# usage: scripts/lint.sh [BUILD]      BUILD: a configured build folder (default build/dev)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/dev}

mapfile -t sources < <(git ls-files '*.c' '*.h')
mapfile -t shell < <(git ls-files '*.sh' '*.sbatch' 'slurm/submit' 'slurm/summary' '.ci/run')

echo "clang-format: ${#sources[@]} files"
clang-format --dry-run --Werror "${sources[@]}"

echo "shellcheck: ${#shell[@]} files"
shellcheck --external-sources --source-path=SCRIPTDIR "${shell[@]}"

# Kernels are compiled once an instruction set, by object libraries: one of their entries is enough, and gcc's flags differ.
mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep -E '^(common|worker|coordinator)/.*\.c$' |
    grep -v -e '_kernel\.c$' -e '/absent\.c$')
echo "clang-tidy: ${#units[@]} files"
printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" 2>/dev/null
