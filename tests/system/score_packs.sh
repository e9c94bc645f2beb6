#!/usr/bin/env bash
# Packs, as GPUs take them, by a program whose engine is in front of the CPU's (tests/tools/pack_device.c): the same scores on any
# number of ranks, what becomes of architectures for which there is no memory, and of a run whose device is lost.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
: "${PACKS:?}"

score_job job.yaml
expect_exit 0 "$ROBOTNAS" score job.yaml
scores_of small.h5 >alone
same_report small.h5 >report-alone

for n in 1 2 3; do
    for coordinator in shared dedicated; do
        expect_exit 0 ranks "$n" "$PACKS" score job.yaml --set "coordinator=$coordinator" --fresh
        expect_scores small.h5 alone
        expect_report small.h5 report-alone
    done
done
printf 'packs: the same on 1, 2 and 3 ranks\n'

export PACK_MOST_TASKS=5
expect_exit 0 ranks 2 "$PACKS" score job.yaml --fresh
unset PACK_MOST_TASKS
expect_scores small.h5 alone
printf 'short of memory: the same in parts\n'

# ---- Known metrics ----

expect_exit 0 "$PACKS" score job.yaml --set 'metrics.names=[snip]' --set 'pool.subset={sample: 10}' --set output=few.h5
expect_exit 0 ranks 2 "$PACKS" score job.yaml --fresh --reuse few.h5
scores_of small.h5 | cut -d, -f1-12 >reused
cut -d, -f1-12 alone | diff - reused >&2 || fail "scores that are known in part are others"
printf 'known in part: the same\n'

# ---- What does not fit ----

export PACK_MOST_BYTES=600000
expect_exit 0 ranks 2 "$PACKS" score job.yaml --fresh
unset PACK_MOST_BYTES
scores_of small.h5 >unfit
n=$(grep -c ',unfit$' unfit) || fail "everything fits"
[ "$n" -lt 24 ] || fail "nothing fits"
expect_line err "robotnas: $n of 24 architectures did not fit the GPU, not even alone: they are tried again with --resume; "
grep -q "^Scored $((24 - n)) of 24 architectures, 0 failed, $n did not fit the GPU$" out || fail "the report says otherwise: $(<out)"
grep -v ',unfit$' unfit | diff - <(grep -F -f <(grep -v ',unfit$' unfit | cut -d, -f1) alone) >&2 ||
    fail "what fits has other scores"
"$ROBOTNAS" report small.h5 --json | grep -q "\"unfit\": $n" || fail "the JSON report says otherwise"
expect_exit 0 ranks 2 "$PACKS" score job.yaml --resume
expect_line err "robotnas: $n architectures that did not fit the GPU: tried again$"
expect_scores small.h5 alone
grep -q ' of 24 architectures, complete$' out || fail "the run is not complete: $(<out)"
printf '%d that did not fit: scored when resumed\n' "$n"

# ---- A lost device ----

for rank in 0 1; do
    for after in 0 1; do
        export PACK_LOST_RANK=$rank PACK_LOST_AFTER=$after
        expect_exit 1 ranks 2 "$PACKS" score job.yaml --fresh
        unset PACK_LOST_RANK PACK_LOST_AFTER
        [ "$(grep -c 'the device is lost' err)" = 1 ] || fail "said more than once, or not: $(<err)"
        expect_line err "^robotnas: rank $rank: the device is lost; broken off after [0-9]* of 24 architectures; small.h5 is saved, run again with --resume$"
        scores_of small.h5 >lost
        ! grep -q ',failed$\|,unfit$' lost || fail "something is recorded for the device: $(<lost)"
        grep -q ',pending$' lost || fail "nothing is left to do"
        expect_exit 0 ranks 2 "$ROBOTNAS" score job.yaml --resume
        expect_scores small.h5 alone
    done
done
printf 'a lost device: the rest is scored when resumed\n'

# ---- Rates ----

expect_exit 0 "$PACKS" bench score --backend ref --batch 2 --channels 4 --cells 1 --repeats 1 --json
python3 -c '
import json, sys
found = json.load(open("out"))["architectures"]
assert len(found) == 4 and found[-1]["arch"] == "random", found
assert all(f["at_once"] == 8 and f["arch_per_s"] > 0 and f["arena_bytes"] > 0 for f in found), found'
printf 'bench: rates of packs\n'
