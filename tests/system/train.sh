#!/usr/bin/env bash
# Searches that train their candidates: the same report on any number of ranks, for every number of shards, of candidates at a
# time and of groups; what the files hold; and what export, report and check say of them.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/scoring.sh
source "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
# shellcheck source=tests/system/training.sh
source "$ROBOTNAS_SOURCE/tests/system/training.sh"

train_job job.yaml
job=job.yaml

# run N COORDINATOR SETTING...: with N ranks.
run() {
    local n=$1 settings=() setting
    for setting in "coordinator=$2" "${@:3}"; do settings+=(--set "$setting"); done
    rm -rf small.h5*
    if [ "$n" = 1 ]; then
        expect_exit 0 "$ROBOTNAS" search "$job" "${settings[@]}"
    else
        expect_exit 0 ranks "$n" "$ROBOTNAS" search "$job" "${settings[@]}"
    fi
}

# check WHERE... -- SETTING...: on one rank and, WHERE, on so many with that coordinator (2:shared) the report is the same. It is
# left in the file alone.
check() {
    local where=()
    while [ "$1" != -- ]; do
        where+=("$1")
        shift
    done
    run 1 shared "${@:2}"
    same_report small.h5 >alone
    if is_sanitized; then where=("${where[@]:0:1}"); fi
    for at in "${where[@]}"; do
        run "${at%:*}" "${at#*:}" "${@:2}"
        expect_report small.h5 alone
    done
    printf 'the same on one rank and on %s: %s\n' "${where[*]}" "${*:2}"
}

# expect_other FILE: the report in it differs from that in the file alone, so that what made it has an effect.
expect_other() {
    if cmp -s "$1" alone; then fail "$1 is the same without shards or with other ones"; fi
}

test_ranks_and_shards() {
    check 2:dedicated 4:shared 4:dedicated -- search.parallel=3
    cp alone one-shard
    check 4:dedicated 2:shared 4:shared -- search.parallel=1 objective.shards=2 search.budget=4
    cp alone two-shards
    expect_other one-shard
    check 4:dedicated 2:shared 4:shared -- search.parallel=3 objective.shards=4 search.budget=4
    expect_other two-shards
}

# Groups work on a repeat each; trainings are spread over all ranks all the same.
test_groups() {
    check 2:shared 4:shared -- search.repeats=2 search.budget=3 search.groups=2
    grep -q '"seed": 4' alone || fail 'there is one repeat'
    expect_candidates small.h5
}

test_ref() {
    check 2:shared -- backend=ref objective.shards=2 search.budget=2 objective.epochs=1
}

# Metrics and trainings in one run.
test_compute() {
    sed 's/source: scores/source: compute/;/file: scores/d' job.yaml >compute.yaml
    job=compute.yaml
    check 2:shared -- metrics.batch=20 search.budget=2 objective.epochs=1
    job=job.yaml
    grep -q '"scores"' alone || fail 'the run says nothing of its scores'
}

# Without images held out the test images validate, and are no column; without test images there is none either.
test_columns() {
    local columns
    for columns in 'validation=0.2:train_loss valid_loss test_accuracy' 'validation=0:train_loss valid_loss'; do
        run 1 shared search.budget=2 objective.epochs=1 "objective.${columns%%:*}"
        [ "$(columns_of small.h5)" = "${columns#*:}" ] || fail "${columns%%:*} reports $(columns_of small.h5)"
    done
    run 1 shared search.budget=2 objective.epochs=1 'data.test=[]'
    [ "$(columns_of small.h5)" = 'train_loss valid_loss' ] || fail "without test images it reports $(columns_of small.h5)"
}

columns_of() {
    "$ROBOTNAS" report "$1" --json | python3 -c 'import json, sys; print(*json.load(sys.stdin)["summary"]["columns"])'
}

# A run as it is, for what follows.
test_files() {
    run 2 shared
    expect_candidates small.h5
    [ "$(find small.h5.d -type f -name '*-s3.h5' | wc -l)" = 8 ] || fail "not 8 candidates: $(ls small.h5.d)"
    [ "$(find small.h5.d -type f | wc -l)" = 8 ] || fail "other files too: $(ls small.h5.d)"
}

test_export() {
    local best
    "$ROBOTNAS" report small.h5 --json >report.json
    best=$(python3 -c 'import json; print(json.load(open("report.json"))["repeats"][0]["best"]["arch"])')
    expect_exit 0 "$ROBOTNAS" export small.h5 --output best.json
    [ ! -s out ] || fail 'it writes to standard output too'
    expect_exit 0 "$ROBOTNAS" export small.h5 --arch "$best" --format json
    cmp out best.json >&2 || fail 'the best is not what it is by its name'
    python3 - <<'PYTHON' || fail 'the export is not what the report says'
import json

export, report = json.load(open("best.json")), json.load(open("report.json"))
best = report["repeats"][0]["best"]
assert export["arch"] == best["arch"] == "+".join(
    "|" + "".join(f"{edge['operation']}~{edge['from']}|" for edge in export["cell"] if edge["to"] == to) for to in (1, 2, 3))
assert abs(export["evaluation"]["target"] - best["target"]) < 1e-9
assert list(export["evaluation"]["columns"]) == list(best["columns"]) == ["train_loss", "valid_loss", "test_accuracy"]
network = export["network"]
assert [network[key] for key in ("image_channels", "height", "width", "channels", "cells", "classes")] == [3, 32, 32, 4, 1, 10]
assert len(network["mean"]) == len(network["std"]) == 3 and network["parameters"] > 0
assert "kind: train" in export["provenance"]["job"]
PYTHON
    expect_exit 0 "$ROBOTNAS" export small.h5 --format onnx --output best.onnx
    [ "$(stat -c %s best.onnx)" -gt 1000 ] || fail 'the model is empty'
    expect_exit 0 "$ROBOTNAS" export small.h5 --format onnx
    cmp out best.onnx >&2 || fail 'standard output is another model'
    expect_exit 2 "$ROBOTNAS" export small.h5 --arch '|none~0|'
    expect_line err "^robotnas: small\.h5: no successful evaluation of '|none~0|'"
    mkdir elsewhere
    cp small.h5 elsewhere
    expect_exit 0 "$ROBOTNAS" export elsewhere/small.h5
    grep -q '"network": null' out || fail 'a network of whose training nothing is left'
    expect_exit 2 "$ROBOTNAS" export elsewhere/small.h5 --format onnx
    expect_line err '^robotnas: elsewhere/small\.h5\.d/0[0-9]*-s3\.h5: not there, '
}

test_against() {
    expect_exit 0 "$ROBOTNAS" search job.yaml --set output=random.h5 --set search.method=random --set search.budget=2
    expect_exit 0 "$ROBOTNAS" report small.h5
    cp out text
    expect_exit 0 "$ROBOTNAS" report small.h5 --against random.h5
    head -n "$(wc -l <text)" out | cmp - text >&2 || fail 'the report before the comparison is another'
    tail -n 2 out >lines
    expect_line lines '^  small, robot  *8  *1 '
    expect_line lines '^  small, random  *2  *1 '
    expect_exit 0 "$ROBOTNAS" report random.h5 --against small.h5 random.h5 # any number of them
    tail -n 5 out >lines
    expect_line lines '^  small, robot  *8  *1 '
    [ "$(grep -c '^  small, random, random\.h5$' lines)" = 2 ] || fail "runs of one name: $(<lines)"
    expect_exit 2 "$ROBOTNAS" report small.h5 --against scores.h5
    expect_line err '^robotnas: scores\.h5: this run searched nothing to compare$'
    expect_exit 2 "$ROBOTNAS" report small.h5 --against random.h5 --json
}

# 200 images less a fifth, three times each.
test_check() {
    expect_exit 0 "$ROBOTNAS" check job.yaml --ranks 4
    expect_line out '^#  *and [1-9][0-9]* MiB for the tensors of a network while it is trained$'
    expect_line out '^# evaluations: 8 trainings of 480 images each$'
    expect_line out '^# training:  *about [0-9.e-]* rank hours at 100 GFLOP/s a rank, [0-9.e-]* hours with 2 ranks at work$'
    expect_line out '^#  *the images are on every rank: 1 MiB$'
    expect_exit 0 "$ROBOTNAS" check job.yaml --ranks 6 --set objective.shards=4
    expect_line out '^# training: .* hours with 4 ranks at work$'
    expect_exit 0 "$ROBOTNAS" check job.yaml --ranks 4 --set objective.shards=4 --set coordinator=dedicated
    expect_line out '^# training: .* hours with 3 ranks at work$'
    expect_exit 0 "$ROBOTNAS" check job.yaml --ranks 64 --set search.repeats=3
    expect_line out '^# training: .* hours with 6 ranks at work$'
    # A cell whose convolutions are dead takes less than one whose are not.
    cat >memory.yaml <<JOB
name: memory
backend: $backend
data: {format: cifar-binary, train: [images.bin]}
pool: {space: nas-bench-201, subset: {file: cells.txt}}
network: {channels: 8, cells: 2}
objective: {kind: train, epochs: 1, batch: 64}
search: {method: random, budget: 1}
JOB
    echo '|none~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|' >cells.txt
    for cells in dead both; do
        expect_exit 0 "$ROBOTNAS" check memory.yaml
        sed -n 's/^#  *and \([0-9]*\) MiB for the tensors of a network while it is trained$/\1/p' out >"$cells"
        echo '|nor_conv_1x1~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_1x1~2|' >>cells.txt
    done
    [ "$(<dead)" -lt "$(<both)" ] || fail "memory: $(<dead) MiB, then $(<both)"
}

# Before anything runs, and naming the key.
test_refusals() {
    refuse '--set data\.train: .*nowhere\.bin: No such file' 'data.train=[nowhere.bin]'
    refuse '--set objective.shards: 3 equal parts of a batch of 16 images' objective.shards=3
    refuse '--set objective.batch: 160 of 200 training images are left' objective.batch=161
    refuse '--set objective.validation: with 0 the test images validate, and there are none' objective.validation=0 'data.test=[]'
}

# refuse PATTERN SETTING...
refuse() {
    local settings=() setting
    for setting in "${@:2}"; do settings+=(--set "$setting"); done
    rm -rf small.h5*
    expect_exit 2 "$ROBOTNAS" search job.yaml "${settings[@]}"
    expect_line err '^'
    expect_line err "^robotnas: $1"
    [ ! -e small.h5 ] || fail 'a refused search left a state'
}

for part in ranks_and_shards groups ref compute columns files export against check refusals; do
    printf '%s\n' "-- $part"
    "test_$part"
done
