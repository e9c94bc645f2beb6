#!/usr/bin/env bash
# Scoring of a pool too large to be listed on every rank: what it takes, by a space that is made up and metrics that cost
# nothing. docs/scaling.md has the same at 10^7 architectures.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
! is_sanitized || skip "a sanitizer keeps what is freed"

: "${MADE_UP:?}"
score_job job.yaml
settings=(--set pool.subset=all --set 'metrics.names=[snip]' --set checkpoint.interval=60 --fresh)

# score_made_up RANKS N: score N made-up architectures; each rank's peak in KiB, its own peak in bytes and its largest message in
# bytes go into tally.RANK.
score_made_up() {
    rm -f tally.*
    MADE_UP_COUNT=$2 MADE_UP_TALLY=tally expect_exit 0 ranks "$1" "$MADE_UP" score job.yaml "${settings[@]}"
    grep -q "Scored $2 of $2 architectures, 0 failed" out || fail "not all $2 are scored: $(<out)"
}

score_made_up 1 100000
scores_of small.h5 >alone
[ "$(sed -n '2p;100001p' alone)" = $'0000000,0,ok\n0099999,14285.571428571429,ok' ] || fail "names or values are wrong"

# ---- Chunks: what is done is left out, a pool that is a part of its space is sent with its numbers ----

if grep -q NAS_FAULT "$MADE_UP"; then
    code=0
    NAS_FAULT=score:3:KILL MADE_UP_COUNT=100000 ranks 1 "$MADE_UP" score job.yaml "${settings[@]}" \
        --set checkpoint.interval=0 >out 2>err || code=$?
    [ $code = 137 ] || fail "exit code $code of a killed run"
    MADE_UP_COUNT=100000 expect_exit 0 ranks 2 "$MADE_UP" score job.yaml "${settings[@]/--fresh/--resume}"
    grep -Eq 'going on after [1-9][0-9]* scored' err || fail "nothing was resumed: $(<err)"
    expect_scores small.h5 alone
fi

MADE_UP_COUNT=100000 expect_exit 0 ranks 2 "$MADE_UP" score job.yaml "${settings[@]}" \
    --set 'pool.subset={sample: 90000}' --set output=sample.h5
scores_of sample.h5 | sed 1d >sample
[ "$(wc -l <sample)" = 90000 ] || fail "a sample of 90000 has $(wc -l <sample) scores"
[ "$(comm -13 <(sort alone) <(sort sample) | wc -l)" = 0 ] || fail "a sample is scored otherwise"

# One of two metrics is known: the other alone is computed, which makes it the first.
MADE_UP_COUNT=100000 expect_exit 0 ranks 2 "$MADE_UP" score job.yaml "${settings[@]}" \
    --set 'metrics.names=[snip, grasp]' --set output=two.h5 --reuse small.h5
grep -q ' 0 architectures taken over from small.h5, of 100000 more in part' err || fail "nothing is reused: $(<err)"
diff <(sed '1d; s/^\([^,]*\),\([^,]*\)/&,\2/' alone) <(scores_of two.h5 | sed 1d) >&2 || fail "what was known is not there"

# ---- A disk that is full for a moment ----

# One write fails, each time a later one. A save while ranks score is made again when they meet; the last one, or the first, ends
# the run, which then goes on.
mkdir disk
n_again=0
for ((i = 1; i <= 6; i++)); do
    code=0
    MADE_UP_COUNT=100000 ranks 1 env LD_PRELOAD="$NAS_QUOTA" QUOTA_FOLDER="$PWD/disk" QUOTA_WRITES=$i QUOTA_FAILURES=1 \
        "$MADE_UP" score job.yaml "${settings[@]}" --set checkpoint.interval=0 --set output=disk/full.h5 >out 2>err || code=$?
    if grep -q 'cannot write disk/full.h5.tmp: Disk quota exceeded; .*; saved at the second attempt$' err; then
        n_again=$((n_again + 1))
        [ $code = 0 ] || fail "exit code $code after a save that was made good: $(<err)"
    elif [ $code != 0 ]; then
        expect_line err '^robotnas: cannot write disk/full.h5.tmp: Disk quota exceeded; '
        MADE_UP_COUNT=100000 expect_exit 0 ranks 1 "$MADE_UP" score job.yaml "${settings[@]/--fresh/--resume}" --set output=disk/full.h5
    fi
    expect_scores disk/full.h5 alone
    rm disk/*
done
((n_again > 0)) || fail 'no save was made again'

# ---- Memory and messages ----

# The pool's length is in no rank's memory but rank 0's, and in no message. On several ranks what the program itself holds is looked
# at: what MPI takes for messages depends on who waits for whom, and differed by 12 MB on a busy machine. Where a rank comes to hold
# the same as ever, the rest is exact; what rank 0 gathers, of the 65,536 architectures at hand, has up to 2 MiB. A rank alone is
# looked at with its libraries, too, of which HDF5 has the file in memory; what is freed goes back to the system.
few=100000 many=300000
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=131072

# expect_bytes MOST FEW MANY WHOSE: of so many bytes for few and for many architectures, each adds no more than MOST.
expect_bytes() {
    local bytes=$((($3 - $2 + (many - few) / 2) / (many - few)))
    printf '%s: %d bytes more an architecture, of at most %d\n' "$4" $bytes "$1"
    ((bytes <= $1)) || fail "$4 takes $bytes bytes an architecture, more than $1"
}

mkdir few
for n in 1 4; do
    score_made_up $n $few
    expect_scores small.h5 alone
    mv tally.* few
    score_made_up $n $many
    for ((rank = 0; rank < n; rank++)); do
        read -r peak_few own_few _ <few/tally.$rank
        read -r peak_many own_many message <tally.$rank
        ((n > 1)) || expect_bytes 42 $((peak_few << 10)) $((peak_many << 10)) 'a single rank with its libraries' # 38
        ((rank > 0)) && most=0 || most=$((n == 1 ? 18 : 32))                                                   # 0, 17, 17
        expect_bytes "$most" "$own_few" "$own_many" "rank $rank of $n itself"
        ((n == 1 || (message > 0 && message <= 4 << 20))) || fail "rank $rank has a message of $message bytes"
    done
done
