#!/usr/bin/env bash
# Image folders: converted, they are read, scored and the same every time; what is no image folder is refused; a conversion that
# is stopped leaves nothing behind.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
# shellcheck source=tests/system/refusals.sh
. "$ROBOTNAS_SOURCE/tests/system/refusals.sh"

classes=(ant 'bumble bee' cat übermut)
make_folders() {
    python3 "$ROBOTNAS_SOURCE/tests/system/class_folders.py" "$@"
}

# ---- Converted and scored ----

make_folders train 12 32 1 "${classes[@]}"
make_folders test 3 32 2 "${classes[@]}"
expect_exit 0 "$ROBOTNAS" convert train train.h5 --size 16
diff out - <<'SAID' || fail 'it says otherwise'
train.h5: 48 images of 4 classes, 3 x 16 x 16
label   images  class
    0       12  ant
    1       12  bumble bee
    2       12  cat
    3       12  übermut
SAID
[ ! -s err ] || fail "it says: $(<err)"
expect_exit 0 "$ROBOTNAS" convert test/ data/test.h5 --size 16x16 --classes-from train.h5
[ "$(head -n 1 out)" = 'data/test.h5: 12 images of 4 classes, 3 x 16 x 16' ] || fail "it says: $(<out)"
[ "$(echo data/*)" = data/test.h5 ] || fail "something is left: $(echo data/*)"

# A link to nothing yet is no file that is there; its target is written, and keeps its mode. A pipe in the way is not waited for.
mkdir scratch
ln -s scratch/linked.h5 linked.h5
expect_exit 0 "$ROBOTNAS" convert train linked.h5 --size 16
expect_exit 2 "$ROBOTNAS" convert train linked.h5 --size 16
expect_line err '^robotnas: linked\.h5 is there already; --force replaces it$'
chmod 400 scratch/linked.h5
mkfifo scratch/linked.h5.tmp pipe.h5
expect_exit 0 timeout 60 "$ROBOTNAS" convert train linked.h5 --size 16 --force
[ -L linked.h5 ] || fail 'the link was replaced'
[ "$(stat -c %a scratch/linked.h5)" = 400 ] || fail 'the mode was lost'
cmp train.h5 scratch/linked.h5 || fail 'other images through a link'
[ "$(echo scratch/*)" = scratch/linked.h5 ] || fail "something is left: $(echo scratch/*)"
expect_exit 2 timeout 60 "$ROBOTNAS" convert train pipe.h5 --size 16 --force
expect_line err '^robotnas: pipe\.h5 is not a regular file$'
rm -r linked.h5 pipe.h5 scratch

# In another language: the mean of every four pixels.
if python=$(python_with h5py); then
    "$python" - <<'PYTHON' || fail 'the images are not the means of the files'
import glob
import zlib

import h5py

with h5py.File("train.h5") as file:
    images, labels = file["images"][:], file["labels"][:]
    classes = file["classes"][()].decode().split("\n")
paths = sorted(glob.glob("train/*/*.png"), key=str.encode)
assert [path.split("/")[1] for path in paths] == [classes[label] for label in labels]
assert classes == ["ant", "bumble bee", "cat", "übermut"], classes
for path, image in zip(paths, images):
    data = open(path, "rb").read()
    length = int.from_bytes(data[33:37], "big")
    rows = zlib.decompress(data[41:41 + length])
    for c in range(3):
        for y in range(16):
            for x in range(16):
                places = [(2 * y + v) * 97 + 1 + (2 * x + u) * 3 + c for v in (0, 1) for u in (0, 1)]
                assert image[c, y, x] == (sum(rows[p] for p in places) + 2) // 4, (path, c, y, x)
PYTHON
fi

cat >job.yaml <<JOB
name: folders
seed: 3
output: run.h5
backend: $backend
pool: {space: nas-bench-201, subset: {sample: 4}}
metrics: {source: compute, names: [snip, synflow, jacob_cov, nwot], batch: 16, choice: per-class}
network: {channels: 8, cells: 1}
data: {format: hdf5, train: [train.h5], test: [data/test.h5]}
JOB
expect_exit 0 "$ROBOTNAS" score job.yaml
[ "$(scores_of run.h5 | grep -c ',ok$')" = 4 ] || fail "not everything is scored: $(scores_of run.h5)"

# ---- Cut ----

# The file is sorted by class: what is in front of it is refused, by check as by a run.
for command in check score search; do
    expect_exit 2 "$ROBOTNAS" "$command" job.yaml --set data.limit=20 --set objective.kind=train --set search.budget=1 --set output=cut.h5
    expect_line err '^robotnas: job.yaml:.*: data.train: train.h5: sorted by class, so that the 20 images .* have 2 of 4 classes; '
done
expect_exit 0 "$ROBOTNAS" convert train few.h5 --size 16 --per-class 5
head -n 1 out | grep -q ': 20 images of 4 classes' || fail "it says: $(<out)"
training=(--set objective.kind=train --set objective.batch=8 --set objective.epochs=2 --set search.budget=1)
training+=(--set network.channels=4 --set "data.train=[few.h5]")
expect_exit 0 "$ROBOTNAS" check job.yaml "${training[@]}"
expect_line out '^# note: objective.epochs: 2 x 2 = 4 steps a training tell networks apart poorly; 1000 or more are usual: 500 epochs,'
expect_exit 0 "$ROBOTNAS" search job.yaml "${training[@]}" --set output=few-run.h5
expect_line err 'note: objective.epochs: 2 x 2 = 4 steps a training'

# What is exported says what the labels mean, and nothing of this machine; also of a run that took it over, from elsewhere.
expect_exit 0 "$ROBOTNAS" export few-run.h5
cp out best.json
python3 - <<'PYTHON' || fail "it exports: $(<best.json)"
import json
best = json.load(open("best.json"))
assert best["class_names"] == ["ant", "bumble bee", "cat", "übermut"], best
assert len(best["network"]["mean"]) == len(best["network"]["std"]) == 3
assert not best["evaluation"]["reused"] and best["evaluation"]["reused_from"] is None
PYTHON
expect_exit 0 "$ROBOTNAS" export few-run.h5 --format onnx --output best.onnx
# What a model says in words: so many printable characters in a row are no weights.
python3 -c 'import re, sys
for run in re.findall(rb"[ -~\n]{60,}", open(sys.argv[1], "rb").read()): print(run.decode())' best.onnx >words
grep -q '^objective:' words || fail 'the model does not say its job'
if grep -aF "$folder" best.json best.onnx || grep -E '": "/|(: |\[|, )/' best.json words; then fail 'there is an absolute path'; fi
grep -aq '"ant","bumble bee","cat"' best.onnx || fail 'the model has no names of classes'
mkdir old new newest
mv few-run.h5* old
expect_exit 0 "$ROBOTNAS" search job.yaml "${training[@]}" --set output=new/few-run.h5 --reuse old/few-run.h5
expect_exit 0 "$ROBOTNAS" search job.yaml "${training[@]}" --set output=newest/few-run.h5 --reuse new/few-run.h5
for run in new newest; do
    expect_exit 0 "$ROBOTNAS" export $run/few-run.h5 --format onnx --output again.onnx
    cmp best.onnx again.onnx || fail "$run exports another model"
    expect_exit 0 "$ROBOTNAS" export $run/few-run.h5
    grep -q '"reused_from": "../.*old/few-run.h5"' out || fail "$run does not know where it is from: $(<out)"
done
mv old gone
expect_exit 2 "$ROBOTNAS" export new/few-run.h5 --format onnx
expect_line err '^robotnas: new/few-run.h5: .* was taken over from another run, ../old/few-run.h5, and its parameters lie beside that: '

# Files whose labels mean different things.
cp -r test others
mv others/cat others/cow
expect_exit 0 "$ROBOTNAS" convert others others.h5 --size 16
expect_exit 2 "$ROBOTNAS" check job.yaml "${training[@]}" --set 'data.test=[others.h5]'
expect_line err "others.h5: label 2 is class 'cow', but 'cat' in the first file; convert with --classes-from$"

# ---- The same every time ----

cp train.h5 before.h5
expect_exit 0 "$ROBOTNAS" convert train train.h5 --size 16 --force
cmp train.h5 before.h5
cp -r train moved
expect_exit 0 "$ROBOTNAS" convert moved moved.h5 --size 16
cmp moved.h5 before.h5
expect_exit 0 "$ROBOTNAS" convert train gray.h5 --size 16 --gray
[ "$(head -n 1 out)" = 'gray.h5: 48 images of 4 classes, 1 x 16 x 16' ] || fail "it says: $(<out)"

# ---- Refused ----

mkdir case
cd case
convert=("$ROBOTNAS" convert)
make_folders images 2 8 3 a b
"${convert[@]}" images there.h5 --size 8 >said || fail 'the good folder is refused'
rm said
mkdir -p none one/a empty/a
cp -r images cut
head -c 100 images/b/0001.png >cut/b/0001.png
cp -r images text
echo text >text/b/0001.png
cp -r images empty/b
cp -r images renamed
cp -r renamed/a renamed/A
cp -r images loop
ln -s .. loop/a/up
mkdir parts
cp -r images parts/train
cp -r images parts/valid
refused parts 'parts: train and valid are parts of a data set, not classes; *convert parts/train *' "${convert[@]}" parts out.h5 --size 8
refused no-folder '*FOLDER is missing*' "${convert[@]}" --size 8
refused no-output '*OUT.h5 is missing*' "${convert[@]}" images --size 8
refused no-size '*--size is missing*' "${convert[@]}" images out.h5
refused too-much "*'more' is too much" "${convert[@]}" images out.h5 more --size 8
for size in 0 -1 x 8x 8x8x8 8.5 4097 99999999999999999999; do
    refused bad-size "*--size '$size' is neither N nor HxW*" "${convert[@]}" images out.h5 --size "$size"
done
refused option "*no option '--grey'*" "${convert[@]}" images out.h5 --size 8 --grey
refused output-there 'there.h5 is there already; --force replaces it' "${convert[@]}" images there.h5 --size 8
refused output-folder 'none is a directory*' "${convert[@]}" images none --size 8 --force
refused missing 'cannot read gone: No such file or directory' "${convert[@]}" gone out.h5 --size 8
refused file 'cannot read there.h5: Not a directory' "${convert[@]}" there.h5 out.h5 --size 8
refused no-classes 'none: 0 folders in it*' "${convert[@]}" none out.h5 --size 8
refused one-class 'one: 1 folder in it*' "${convert[@]}" one out.h5 --size 8
refused empty-class 'empty/a: this class has no images' "${convert[@]}" empty out.h5 --size 8
refused cut 'cut/b/0001.png: damaged PNG: *' "${convert[@]}" cut out.h5 --size 8
refused text 'text/b/0001.png: neither JPEG nor PNG;*' "${convert[@]}" text out.h5 --size 8
refused loop 'loop/a/up leads back to loop, which it is in' "${convert[@]}" loop out.h5 --size 8
refused other-classes "renamed: class 'A' is not in there.h5;*" "${convert[@]}" renamed out.h5 --size 8 --classes-from there.h5
refused no-class-file 'cannot open gone.h5: *' "${convert[@]}" images out.h5 --size 8 --classes-from gone.h5
refused bad-class-file "cut/b/0001.png: not an HDF5 file" "${convert[@]}" images out.h5 --size 8 \
    --classes-from cut/b/0001.png
end_of_refusals

# All faults of a run at once, each with its place; what is none of the user's is passed over.
cp -r images faults
echo text >faults/b/0001.png
head -c 100 images/a/0000.png >faults/a/0000.png
touch faults/a/Thumbs.db faults/a/desktop.ini faults/.DS_Store
mkdir faults/__MACOSX $'faults/caf\xe9'
expect_exit 2 "${convert[@]}" faults out.h5 --size 8
[ "$(cut -d ';' -f 1 err)" = "\
robotnas: faults/caf\\xe9: the name of a class is UTF-8 without control characters
robotnas: faults/a/0000.png: damaged PNG: it is cut short
robotnas: faults/b/0001.png: neither JPEG nor PNG
robotnas: faults: 3 faults" ] || fail "it says: $(<err)"
[ ! -e out.h5 ] || fail 'something was written'
cd ..

# ---- Stopped ----

# An image that takes a while, many times.
python3 - <<'PYTHON'
import struct
import zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

side = 6000
with open("large.png", "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
               chunk(b"IDAT", zlib.compress(bytes((3 * side + 1) * side), 1)) + chunk(b"IEND", b""))
PYTHON
mkdir -p slow/a slow/b
for i in {1..200}; do ln -s ../../large.png "slow/a/$i"; done
ln -s ../../large.png slow/b/1
mkdir stopped
for signal in TERM INT USR1; do
    code=0
    "$ROBOTNAS" convert slow stopped/out.h5 --size 16 >out 2>err &
    pid=$!
    wait_for test -e stopped/out.h5.tmp
    kill -"$signal" "$pid"
    wait "$pid" || code=$?
    [ "$code" = 75 ] || fail "exit code $code instead of 75 after SIG$signal: $(<err)"
    expect_line err '^robotnas: stopped at image [0-9]* of 201; stopped/out\.h5 is as it was$'
    [ -z "$(ls -A stopped)" ] || fail "something is left: $(ls -A stopped)"
done

# ---- No space ----

mkdir small
if mount -t tmpfs -o size=256k tmpfs small 2>/dev/null; then
    trap 'umount --lazy "$folder/small"; leave' EXIT
    echo old >small/out.h5
    expect_exit 1 "$ROBOTNAS" convert train small/out.h5 --size 64 --force
    [ "$(<err)" = 'robotnas: cannot write small/out.h5: No space left on device; free space there and run again' ] ||
        fail "it says: $(<err)"
    [ "$(ls -A small)" = out.h5 ] || fail "something is left: $(ls -A small)"
    [ "$(<small/out.h5)" = old ] || fail 'the file is another'
else
    skip_part 'a full disk: mount is not permitted'
fi
