#!/usr/bin/env bash
# Formatting, clang-tidy and shellcheck over the whole project; prints what is wrong and exits 1.
#
# usage: scripts/lint.sh [BUILD]      BUILD: a configured build folder (default build/dev)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/dev}

mapfile -t sources < <(git ls-files '*.c' '*.h')
mapfile -t shell < <(git ls-files '*.sh' '*.sbatch' 'slurm/submit' 'slurm/summary' '.ci/run')

# The headers of kernels are in the language of kernels (worker/engine/gpu/kernels/prelude.h), which clang-format takes for broken C.
mapfile -t formatted < <(printf '%s\n' "${sources[@]}" | grep -v '^worker/engine/gpu/kernels/.*\.h$')
echo "clang-format: ${#formatted[@]} files"
clang-format --dry-run --Werror "${formatted[@]}"

echo "shellcheck: ${#shell[@]} files"
shellcheck --external-sources --source-path=SCRIPTDIR "${shell[@]}"

# Kernels are compiled once an instruction set, by object libraries: one of their entries is enough, and gcc's flags differ.
mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep -E '^(common|worker|coordinator)/.*\.c$' |
    grep -v -e '_kernel\.c$' -e '/absent\.c$')
# What passed is not looked at again until it, a header, or how it is looked at changes.
tidy() {
    local passed
    passed=$build/tidy/$(sha256sum "$1" "$build/tidy/common" | sha256sum | cut -c1-32)
    if [ -e "$passed" ]; then return; fi
    clang-tidy --quiet -p "$build" "$1" 2>/dev/null && : >"$passed"
}
export -f tidy
export build
mkdir -p "$build/tidy"
{
    clang-tidy --version
    cat .clang-tidy "$build/compile_commands.json"
    git ls-files -z --cached --others --exclude-standard '*.h' | xargs -0 cat
} | sha256sum >"$build/tidy/common"
echo "clang-tidy: ${#units[@]} files"
# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -I{} bash -c 'tidy "$1"' - {}
