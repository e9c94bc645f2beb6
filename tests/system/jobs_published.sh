#!/usr/bin/env bash
# Every job that ships and reads published data runs to its end.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'the program does here what it does in score and train'
# shellcheck source=tests/system/shipped.sh
. "$ROBOTNAS_SOURCE/tests/system/shipped.sh"
[ -d "$ROBOTNAS_TABLES" ] || [ -d "$ROBOTNAS_DATA" ] || skip "neither the published tables nor CIFAR-10 are in $ROBOTNAS_SHARED/data"

jobs=()
for job in "$ROBOTNAS_SOURCE"/jobs/*.yaml; do ! is_published "$job" || jobs+=("$job"); done
run_jobs "${jobs[@]}"
