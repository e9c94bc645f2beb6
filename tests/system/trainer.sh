#!/usr/bin/env bash
# Trainers that go on: what a try leaves in its folder outlives a stop and a kill and nothing else; the shipped PyTorch trainer
# goes on from its checkpoint to the same answer, on what `convert` writes and on the other formats of images.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# ---- The folder {work} ----

# Answers where it finds what it left; else leaves it and waits to be ended.
cat >trainer.sh <<'SH'
if [ -e "$1/half" ]; then echo '{"score": 1}'; exit; fi
touch "$1/half" began
exec sleep 1000
SH
cat >job.yaml <<JOB
name: trainer
pool: {space: table, table: $example}
metrics: {names: [synflow, jacob_cov]}
objective: {kind: command, command: [sh, "{job}/trainer.sh", "{work}"]}
search: {method: random, budget: 1}
JOB

# interrupt SIGNAL OPTION...: run the job until its trainer has begun with nothing, then end it by the signal. Sets code.
interrupt() {
    code=0
    rm -f began
    "$ROBOTNAS" search job.yaml --set output=run.h5 "${@:2}" >out 2>err &
    wait_for test -e began
    kill -"$1" "$!"
    wait "$!" || code=$?
}

interrupt TERM
[ "$code" = 75 ] || fail "exit code $code: $(<err)"
expect_exit 0 "$ROBOTNAS" search job.yaml --set output=run.h5 --resume
interrupt KILL --fresh
expect_exit 0 "$ROBOTNAS" search job.yaml --set output=run.h5 --resume

# ---- train_cell.py ----

python=$(python_with 'torch, h5py') || skip 'the PyTorch trainer: no Python with torch and h5py'
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ROBOTNAS_SOURCE/jobs/pytorch
trainer=$ROBOTNAS_SOURCE/jobs/pytorch/train_cell.py

python3 "$ROBOTNAS_SOURCE/tests/system/class_folders.py" train 20 10 1 ant bee cat
python3 "$ROBOTNAS_SOURCE/tests/system/class_folders.py" test 5 10 2 ant bee cat
expect_exit 0 "$ROBOTNAS" convert train train.h5 --size 10
expect_exit 0 "$ROBOTNAS" convert test test.h5 --size 10 --classes-from train.h5
arch='|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_1x1~2|'
arguments=(--train train.h5 --test test.h5 --channels 4 --cells 1 --epochs 25 --batch 16)
train_cell() {
    "$python" "$trainer" --arch "$arch" --seed 18446744073709551615 "${arguments[@]}" "$@"
}

# The file is sorted by class, and yet what is held out is of all of them. Images of 10 x 10 are halved to 5 and 3.
mkdir whole parts
train_cell --work whole >whole.json
python3 - <<'PY' || fail "its answer: $(<whole.json)"
import json
answer = json.load(open("whole.json"))
assert answer["score"] > 60 and answer["cost"] == 25 * 48 and answer["columns"]["test_accuracy"] >= 0, answer
PY

# Killed, it goes on; of another training, or damaged, a checkpoint is nothing.
"$python" "$trainer" --arch "$arch" --seed 18446744073709551615 "${arguments[@]}" --work parts >part.json 2>said &
wait_for test -e parts/checkpoint.pt
kill -KILL "$!" || true # it may have ended
wait "$!" || true
train_cell --work parts >part.json 2>said
cmp whole.json part.json || fail "another answer: $(<part.json)"
expect_line said '^going on after [0-9]* epochs$'
echo damaged >parts/checkpoint.pt
arguments+=(--epochs 1)
train_cell --work parts >/dev/null 2>said
expect_line said '^parts/checkpoint.pt: .*; beginning anew$'
train_cell --work whole >/dev/null 2>said
expect_line said '^whole/checkpoint.pt: it is of another training; beginning anew$'

# The other formats, plain and by gzip; an order of any numbers of classes.
python3 "$ROBOTNAS_SOURCE/tests/system/images.py" ten.bin 20 1
python3 "$ROBOTNAS_SOURCE/tests/system/idx.py" gray 7 30
gzip -k gray
"$python" - <<'PY' || fail 'the trainer reads otherwise'
import pathlib
import numpy as np
import train_cell as t

ten = np.fromfile("ten.bin", np.uint8).reshape(20, -1)
np.concatenate([np.full((20, 1), 9, np.uint8), ten], 1).tofile("hundred.bin")
for name in ("ten.bin", "hundred.bin"):
    images, labels = t.read_files([pathlib.Path(name)] * 2)
    assert images.shape == (40, 3, 32, 32) and (images[20:].reshape(20, -1) == ten[:, 1:]).all()
    assert (labels == np.tile(ten[:, 0], 2)).all()
for name in ("gray", "gray.gz"):
    images, labels = t.read_files([pathlib.Path(name), pathlib.Path("gray.labels")])
    assert images.shape == (30, 1, 7, 7) and (labels == np.arange(30) % 10).all()
labels = np.repeat([0, 1, 2], [60, 30, 10])
order = t.mixed(labels, 1)
assert sorted(order) == list(range(100)) and (order != t.mixed(labels, 2)).any()
for n in (10, 20, 50):
    share = np.bincount(labels[order[:n]], minlength=3)
    assert (abs(share - n * np.array([0.6, 0.3, 0.1])) <= 1).all(), share
PY

# What was exported as ONNX goes on in PyTorch: the same logits, then less loss.
if "$python" -c 'import onnx' 2>/dev/null; then
    expect_exit 0 "$ROBOTNAS" convert train square.h5 --size 8
    cat >train.yaml <<JOB
name: train
pool: {space: nas-bench-201, subset: {file: cells}}
network: {channels: 4, cells: 2}
data: {format: hdf5, train: [square.h5]}
metrics: {source: compute, names: [flops], batch: 6}
objective: {kind: train, epochs: 2, batch: 16}
search: {method: random, budget: 2}
JOB
    printf '%s\n' "$arch" '|none~0|+|nor_conv_3x3~0|none~1|+|nor_conv_1x1~0|none~1|none~2|' >cells
    expect_exit 0 "$ROBOTNAS" search train.yaml --set output=train-run.h5
    while read -r cell; do
        expect_exit 0 "$ROBOTNAS" export train-run.h5 --arch "$cell" --format onnx --output cell.onnx
        "$python" "$ROBOTNAS_SOURCE/tests/system/from_onnx_check.py" cell.onnx square.h5 || fail "other logits: $cell"
    done <cells
    "$python" "$ROBOTNAS_SOURCE/jobs/pytorch/from_onnx.py" cell.onnx --train square.h5 --batch 8 --epochs 4 --output cell.pt >went
    python3 - <<'PY' || fail "it did not go on: $(<went)"
import json
lines = [json.loads(line) for line in open("went")]
assert [line["epoch"] for line in lines] == list(range(5)) and lines[-1]["loss"] < lines[0]["loss"], lines
PY
    [ -s cell.pt ] || fail 'no parameters'
else
    printf 'SKIPPED: ONNX in PyTorch: no Python with both torch and onnx\n'
fi

# As a job: stopped in the middle of a training, it ends with the same report as without.
cat >cell.yaml <<JOB
name: cell
pool: {space: nas-bench-201, subset: {sample: 4}}
objective:
  kind: command
  command: [$python, $trainer, --arch, "{arch}", --seed, "{seed}", --device, "{device}", --work, "{work}", --train, $folder/train.h5,
            --test, $folder/test.h5, --channels, "4", --cells, "1", --epochs, "25", --batch, "16"]
  report: [test_accuracy]
search: {method: random, budget: 1}
JOB
expect_exit 0 "$ROBOTNAS" search cell.yaml --set output=once.h5
same_report once.h5 >once
code=0
"$ROBOTNAS" search cell.yaml --set output=twice.h5 >out 2>err &
wait_for eval '[ -e twice.h5.d/*.work/checkpoint.pt ]'
kill -TERM "$!" || true # it may have ended
wait "$!" || code=$?
[ "$code" = 75 ] || [ "$code" = 0 ] || fail "exit code $code: $(<err)"
expect_exit 0 "$ROBOTNAS" search cell.yaml --set output=twice.h5 --resume
expect_report twice.h5 once
[ "$code" = 0 ] || grep -q 'going on after' twice.h5.d/*.err || fail "it began anew: $(cat twice.h5.d/*.err)"
