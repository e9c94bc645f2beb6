#!/usr/bin/env bash
# Memory does not grow with the number of architectures: 200 take at most a tenth more than the 20 first of them, of which one
# is the largest.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
! is_sanitized || skip "a sanitizer keeps what is freed"

score_job job.yaml
settings=(--set 'pool.subset={file: list}' --set network.channels=16)

# peak_of N: the most memory that scoring the first N architectures takes.
peak_of() {
    head -n "$1" all >list
    peak_kib "$ROBOTNAS" score job.yaml "${settings[@]}" --fresh
    [ "$(archs_of small.h5 | wc -l)" = "$1" ] || fail "$1 architectures have not as many scores"
}

{
    echo '(2, 2, 2, 2, 2, 2)'
    for ((i = 0; i < 199; i++)); do
        printf '(%d, %d, %d, %d, %d, %d)\n' $((i % 5)) $((i / 5 % 5)) $((i / 25 % 5)) $((i * 3 % 5)) $((i / 2 % 5)) $((i % 4))
    done
} >all
few=$(peak_of 20)
many=$(peak_of 200)
printf '20 architectures take %d KiB, 200 take %d KiB\n' "$few" "$many"
((many * 10 <= few * 11)) || fail "memory grows with the number of architectures"
