#!/usr/bin/env bash
# On CIFAR-10 itself: cells at the size of the published metrics score within a gigabyte and as they should; a search that
# computes its metrics joins the published accuracies.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
need_tables
export ROBOTNAS_DATA=$ROBOTNAS_SHARED/data/cifar-10-batches-bin
[ -d "$ROBOTNAS_DATA" ] || skip "CIFAR-10 is not at $ROBOTNAS_DATA"

# ---- Full size ----

n_cells=3
! is_sanitized && [ "$backend" = cpu ] || n_cells=1
head -n "$n_cells" >cells <<'CELLS'
|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|
|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|
|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|
CELLS
job=$ROBOTNAS_SOURCE/jobs/score-cifar10.yaml
peak=$(peak_kib "$ROBOTNAS" score "$job" --set 'pool.subset={file: cells}' --set output=full.h5 --set "backend=$backend" \
    --set 'metrics.names=[grad_norm, snip, grasp, fisher, synflow, jacob_cov, nwot, plain, l2_norm, params, flops]')
printf 'the most memory: %d KiB\n' "$peak"
is_sanitized || ((peak <= 1024 * 1024)) || fail "scoring takes more than a gigabyte"
scores_of full.h5 >full.csv
python3 - full.csv <<'PYTHON'
import csv, math, sys

cells = list(csv.DictReader(open(sys.argv[1])))
for cell in cells:
    value = {name: float(cell[name]) for name in list(cell)[1:-1]}
    print(value)
    assert cell["status"] == "ok"
    dead = cell["arch"].startswith("|none~0|")  # its only way to the output begins at node 1, which has no input
    assert 0 < value["nwot"] < 2000
    assert 10 < value["l2_norm"] < 10000
    assert 5e4 < value["params"] < 2e6 and 5e6 < value["flops"] < 3e8
    assert dead == math.isnan(value["jacob_cov"]) and dead == (value["grad_norm"] == 0)
    if not dead:
        assert 1 < math.log(value["synflow"]) < 400 and -1000 < value["jacob_cov"] < 0
        assert 0.1 < value["grad_norm"] < 1000 and 0.1 < value["snip"] < 10000
        assert 0 < value["fisher"] < 1000 and abs(value["grasp"]) < 10000 and abs(value["plain"]) <= value["snip"]
PYTHON

# ---- Joined with the published accuracies ----

cat >job.yaml <<JOB
name: joined
seed: 1
backend: $backend
pool: {space: nas-bench-201, subset: {sample: 30}}
metrics: {source: compute, names: [grad_norm, snip, synflow, jacob_cov, nwot], transform: {synflow: log}, batch: 16}
network: {channels: 8, cells: 1}
data: {format: cifar-binary, train: ["\${ROBOTNAS_DATA}/data_batch_1.bin"]}
objective:
  kind: table
  table: \${ROBOTNAS_TABLES}/nb201-accuracy.csv
  column: cifar10_valid_acc_12ep
  cost: train_seconds_12ep
  report: [cifar10_test_acc]
search: {method: robot, budget: 10, repeats: 3}
JOB
expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml
"$ROBOTNAS" report joined.h5 --json >joined.json
python3 - joined.json <<'PYTHON'
import json, sys

report = json.load(open(sys.argv[1]))
assert report["complete"] and report["n_arch"] == 30 and report["scores"]["failed"] == 0
for repeat in report["repeats"]:
    assert len(repeat["evaluations"]) == 10 and all(e["status"] == "ok" for e in repeat["evaluations"])
    assert repeat["best"]["target"] > 50 and repeat["best"]["columns"]["cifar10_test_acc"] > 80
PYTHON
