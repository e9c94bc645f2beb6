#!/usr/bin/env bash
# Networks of any kind: spaces beside NAS-Bench-201 are scored, trained and exported, and files of ONNX are counted and measured
# on the spot.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

# ---- A search in the space of DARTS: metrics, trainings of several candidates, and the winner as a file ----

score_job darts.yaml
sed -i -e 's/^name: .*/name: darts/' -e 's/nas-bench-201/darts/' -e 's/sample: 24/sample: 6/' -e 's/cells: 1/cells: 3/' \
    -e 's/channels: 8/channels: 4/' -e 's/batch: 20/batch: 8/' darts.yaml
cat >>darts.yaml <<'JOB'
objective: {kind: train, epochs: 1, batch: 50}
search: {method: pool-gp, budget: 3}
JOB
expect_exit 0 "$ROBOTNAS" check darts.yaml
grep -q '^# device: ' out || fail "check says of devices: $(grep device out)"
for n in 1 2; do
    expect_exit 0 ranks "$n" "$ROBOTNAS" search darts.yaml --set "output=darts$n.h5"
    scores_of "darts$n.h5" >"scores$n"
    "$ROBOTNAS" report "darts$n.h5" --csv - | sed 's/,[^,]*$//' >"evaluations$n"
done
diff scores1 scores2 >&2 || fail 'two ranks have other scores than one'
diff evaluations1 evaluations2 >&2 || fail 'two ranks have other evaluations than one'
[ "$(wc -l <scores1)" = 7 ] || fail "scores: $(<scores1)"
grep -q ',failed' evaluations1 && fail "evaluations: $(<evaluations1)"

expect_exit 0 "$ROBOTNAS" export darts1.h5 --format onnx --output best.onnx

# ---- The others ----

for space in transnas-micro transnas-macro; do
    sed -e '/^objective\|^search/d' -e "s/space: darts/space: $space/" -e 's/, cells: 3//' darts.yaml >$space.yaml
    expect_exit 0 "$ROBOTNAS" score $space.yaml --set "output=$space.h5"
    scores_of $space.h5 >scores
    [ "$(grep -c '^64-' scores)" = 6 ] || fail "$space: $(<scores)"
    "$ROBOTNAS" report $space.h5 --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
assert report["scores"]["failed"] == 0, report["scores"]' || fail "$space: architectures failed"
done

# ---- A GPU is asked for that cannot compute a metric ----

sed -e '/^objective\|^search/d' -e 's/space: darts/space: nas-bench-201/' -e 's/names: \[.*\]/names: [snip, swap]/' darts.yaml >swap.yaml
expect_exit 2 "$ROBOTNAS" check --score swap.yaml --device gpu
grep -q 'device: metrics.names: swap: gpu cannot compute it yet; .* set cpu' err || fail "check --device gpu: $(<err)"

# ---- Files ----

expect_exit 0 "$ROBOTNAS" check best.onnx
grep -q '^best.onnx: images of 3 x 32 x 32, 10 classes' out || fail "check best.onnx: $(<out)"
grep -q '^  memory  .* MiB for a batch of 64$' out || fail "check best.onnx: $(<out)"

measure() { expect_exit 0 "$ROBOTNAS" score best.onnx --backend ref --batch 4 --csv - "$@"; }
measure
head -n 1 out | grep -q '^onnx,parameters,multiply_adds,.*grad_norm.*nwot' || fail "columns: $(<out)"
head -n 1 out | grep -q 'swap\|zico\|az_\|zen\|ntk' && fail "metrics of other images, unasked: $(<out)"
cp out first
measure
diff first out >&2 || fail 'measured again, values differ'
cp best.onnx renamed.onnx
expect_exit 0 "$ROBOTNAS" score renamed.onnx --backend ref --batch 4 --csv -
diff <(sed 1d first | cut -d, -f2-) <(sed 1d out | cut -d, -f2-) >&2 || fail 'values depend on the name of the file'
for other in '--seed 1' '--weights uniform' '--weights file' '--batch 5'; do
    # shellcheck disable=SC2086 # options
    measure $other
    cmp -s first out && fail "$other changes nothing"
done
measure --metrics zen,ntk
head -n 1 out | grep -q '^onnx,parameters,multiply_adds,zen,ntk$' || fail "columns: $(<out)"
expect_exit 0 "$ROBOTNAS" score best.onnx renamed.onnx --metrics params,flops --csv two.csv
[ "$(wc -l <two.csv)" = 3 ] || fail "two networks: $(<two.csv)"

# The best's own numbers: what is written is the network that was scored.
best=$("$ROBOTNAS" export darts1.h5 | python3 -c 'import json, sys; print(json.load(sys.stdin)["arch"])')
"$ROBOTNAS" report darts1.h5 --csv-scores - | BEST=$best python3 -c '
import csv, os, sys
scored = next(row for row in csv.DictReader(sys.stdin) if row["arch"] == os.environ["BEST"])
measured = next(csv.DictReader(open("first")))
for name in "params", "flops":
    assert float(measured[name]) == float(scored[name]), (name, measured[name], scored[name])' || fail 'the file is of another network'

# ---- What is wrong is said in a line ----

refuse() { # refuse PATTERN ARGUMENT...
    local pattern=$1
    shift
    expect_exit 2 "$ROBOTNAS" "$@"
    [ "$(wc -l <err)" = 1 ] || fail "more than a line: $(<err)"
    grep -q "$pattern" err || fail "not '$pattern': $(<err)"
}
head -c 1000 best.onnx >cut.onnx
: >empty.onnx
refuse 'cut.onnx: ' check cut.onnx
refuse 'empty.onnx: ' score empty.onnx
refuse 'none.onnx: No such file' check none.onnx
refuse "'darts.yaml' is no ONNX file" check best.onnx darts.yaml
refuse "there is no metric 'accuracy'" score best.onnx --metrics accuracy
refuse "'params' is named twice" score best.onnx --metrics params,params
refuse "'0' is no whole number from 1 to 4096" score best.onnx --batch 0
refuse 'none of kaiming, uniform and file' score best.onnx --weights zero
refuse "unknown option '--metrics'\|--metrics" check best.onnx --metrics params
