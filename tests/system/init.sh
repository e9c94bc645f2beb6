#!/usr/bin/env bash
# robotnas init: what it writes for tables, images and trainers passes check, whatever the names are.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# expect_refusal PATTERN: the last command said one line on stderr, and that; and wrote nothing.
expect_refusal() {
    local line
    line=$(<err)
    # shellcheck disable=SC2053 # the pattern is one
    [[ $line == robotnas:\ $1 && $(wc -l <err) = 1 ]] || fail "expected 'robotnas: $1', found: $line"
    [ ! -s out ] || fail "something is written all the same: $(<out)"
}

# init ARGUMENT...: on standard output and into job.yaml, which passes check; leaves what that prints in checked.
init() {
    rm -f job.yaml
    expect_exit 0 "$ROBOTNAS" init "$@" --output job.yaml
    [ ! -s out ] || fail "init --output prints: $(<out)"
    grep -q ' # ' job.yaml || fail "no comments"
    # Comments behind values begin in one column, where those are short.
    awk '/^ *#/ || !/ # / { next } { at = index($0, " # ") } at != 37 && !(at > 37 && /[^ ]  # /) { print; bad = 1 } END { exit bad }' job.yaml ||
        fail "comments that do not line up"
    expect_exit 0 "$ROBOTNAS" check job.yaml
    cp out checked
}

# ---- Tables ----

init --table "$example"
expect_line checked '^  names: \[grad_norm, snip, grasp, fisher, plain, l2_norm, synflow, jacob_cov, nwot, params, flops\]$'
expect_line checked '^  encoding: nas-bench-201$'
expect_line job.yaml '^  # For methods .*: transform: {synflow: log}$'
expect_line job.yaml '^  repeats: 5 '
if grep -q '# note: metrics.transform' checked; then fail 'it writes what its method has no use for'; fi
expect_line checked '^  column: valid_accuracy$'
expect_line job.yaml 'column: valid_accuracy .*a guess'
expect_exit 0 "$ROBOTNAS" search job.yaml --set search.repeats=1 --set output=run.h5
init --table "$example" --objective valid_loss
expect_line checked '^  minimise: true$'
if grep -q 'a guess' job.yaml; then fail "what was said is called a guess"; fi

# Names that YAML takes for something else, missing values, columns of no use, empty rows of a spreadsheet.
cat >odd.csv <<'CSV'
,,,
architecture,a: b,"it's ""quoted""",#c,| d,- e,"f, [g]",true,7,ä $x ${y},~home,{arch},const,note,"val_acc: ""top-1""",GPU seconds,Test Acc.
|nor_conv_3x3~0|: #,1,2,NA,4,5,6,7,8,9,1,2,3,ok,91.5,10,90
x: y,2,3,4,-,6,7,8,9,10,2,3,3,bad,92.5,11,91
"z, w",3,4,5,6,7,8,9,10,11,3,4,3,,93.5,12,92
,,,,,
CSV
init --table odd.csv
expect_line job.yaml '^  repeats: 1 .*# of a pool below 100'
python3 - checked <<'PYTHON'
import re, sys
text = open(sys.argv[1]).read()
value = lambda key: re.search(rf"^  {key}: (.*)$", text, re.M)[1]
names = ['a: b', 'it\'s "quoted"', '#c', '| d', '- e', 'f, [g]', 'true', '7', 'ä $x ${y}', '~home', '{arch}']
quote = lambda s: '"' + s.replace('\\', '\\\\').replace('"', '\\"') + '"'
assert value("names") == "[" + ", ".join(map(quote, names)) + "]", value("names")
assert value("column") == quote('val_acc: "top-1"'), value("column")
assert value("cost") == quote("GPU seconds"), value("cost")
assert value("report") == "[" + quote("Test Acc.") + "]", value("report")
assert value("missing") == '[NA, "-"]', value("missing")
assert value("arch") == "architecture", value("arch")
PYTHON
expect_exit 0 "$ROBOTNAS" search job.yaml --set output=run.h5 --fresh
mkdir "odd folder: #1" "a\$b"
cp "$example" "odd folder: #1/~t.csv"
cp "$example" "a\$b/t.csv"
init --table "odd folder: #1/~t.csv"
init --table "a\$b/t.csv"
cp "$example" '~t.csv'
init --table '~t.csv'
# In another folder: its paths are relative to that.
expect_exit 0 "$ROBOTNAS" init --table '~t.csv' --output "odd folder: #1/job.yaml"
expect_exit 0 "$ROBOTNAS" check "odd folder: #1/job.yaml"
expect_exit 0 "$ROBOTNAS" init --table odd.csv
cp out stdout.yaml
expect_exit 0 "$ROBOTNAS" check stdout.yaml

printf 'arch,x,y\na,1,2\nb,2,3\n' >plain.csv
expect_exit 2 "$ROBOTNAS" init --table plain.csv
expect_refusal 'plain.csv: no column looks like the result of an architecture; --objective COLUMN names it'
init --table plain.csv --objective y
expect_line checked '^  names: \[x\]$'
tr , ';' <plain.csv >semicolons.csv
expect_exit 2 "$ROBOTNAS" init --table semicolons.csv
expect_refusal 'semicolons.csv: semicolons separate the fields here; save the table as CSV with commas*'
expect_exit 2 "$ROBOTNAS" init --table plain.csv --objective z
expect_refusal "plain.csv: there is no column 'z', which --objective names"
expect_exit 2 "$ROBOTNAS" init --table plain.csv --objective arch
expect_refusal "plain.csv:2: column 'arch', which --objective names: 'a' is not a number"
# What is left out is said, in the file.
printf 'arch,Params,flops,same,rank,acc\n,,,,,\na,"11,200",1,7,1,2\nb,3,2,7,2,3\n,,,,,\n' >left.csv
init --table left.csv
expect_line job.yaml "^# Left out: Params, line 3: '11,200' is no number\$"
expect_line job.yaml '^# Left out: same: the same in every row$'
expect_line job.yaml '^# Left out: rank: no metric by its name$'
expect_line job.yaml '^  budget: 2 '
printf 'arch,flops,acc\na,1,93.02%%\nb,2,94%%\n' >percent.csv
expect_exit 2 "$ROBOTNAS" init --table percent.csv
expect_refusal "percent.csv: no column looks like *; left out: acc, line 2: '93.02%' is no number"
expect_exit 2 "$ROBOTNAS" init --table percent.csv --objective acc
expect_refusal "percent.csv:2: column 'acc', which --objective names: '93.02%' is not a number; *"
printf 'arch,x,acc\na,1,2\na,2,3\n' >twice.csv
expect_exit 2 "$ROBOTNAS" init --table twice.csv
expect_refusal 'twice.csv:3: *'
: >empty.csv
expect_exit 2 "$ROBOTNAS" init --table empty.csv
expect_refusal 'empty.csv: a header and rows below it were expected*'

# What is there stays, a link to nowhere too.
echo precious >job.yaml
expect_exit 2 "$ROBOTNAS" init --table "$example" --output job.yaml
expect_refusal 'job.yaml is there already and is not replaced'
[ "$(<job.yaml)" = precious ] || fail "a job file was replaced"
ln -s nowhere link.yaml
expect_exit 2 "$ROBOTNAS" init --table "$example" --output link.yaml
[ ! -e nowhere ] || fail "a link was followed"

# Names that are positions, as a whole; and without metrics that is all there is to learn from.
printf 'arch,acc\n"(1, 0)",1\n"(0, 2)",2\n' >positions.csv
init --table positions.csv
expect_line checked '^  encoding: digits$'
if grep -q 'draws at random' job.yaml; then fail 'it does not see what there is to learn from'; fi
for row in '"(1, 0, 2)",3' 'c,3' ',3'; do
    printf 'arch,acc\n"(1, 0)",1\n%s\n' "$row" >no_positions.csv
    code=0
    "$ROBOTNAS" init --table no_positions.csv >out 2>err || code=$?
    if grep -q '^  encoding:' out; then fail "positions of $row: $code"; fi
done
printf 'arch,acc\na,1\nb,2\n' >nothing.csv
init --table nothing.csv
expect_line job.yaml '^  method: pool-gp .*it draws at random$'

# ---- Trainers ----

init --trainer "sh -c 'echo \"{{\\\"score\\\": 1}}\"' 'it'\''s: #1' | \\# {seed}"
python3 - checked <<'PYTHON'
import sys
line = next(l for l in open(sys.argv[1]) if l.startswith("  command: "))
assert line.endswith(', "it\'s: #1", "|", "#", "{seed}", "--arch", "{arch}", "--seed", "{seed}", "--device", "{device}"]\n'), line
PYTHON
expect_exit 0 "$ROBOTNAS" search job.yaml --set output=trained.h5 --set search.budget=2
init --trainer 'sh train.sh {arch}' --table "$example"
expect_line checked '^  command: \[sh, train.sh, "{arch}"\]$'
expect_line checked '^  method: pool-gp$'
expect_exit 2 "$ROBOTNAS" init --trainer 'no-such-program {arch}'
expect_refusal '*no-such-program*'
for bad in '' ' ' "sh 'x"; do
    expect_exit 2 "$ROBOTNAS" init --trainer "$bad"
    expect_refusal '*'
done

# ---- Images ----

python3 "$ROBOTNAS_SOURCE/tests/system/images.py" data_batch_1.bin 300 1
mkdir -p download/cifar-10-batches-bin
cp data_batch_1.bin download/cifar-10-batches-bin
cp data_batch_1.bin download/cifar-10-batches-bin/test_batch.bin
for folder_of in download download/cifar-10-batches-bin/; do
    init --images "$folder_of"
    expect_line checked '^  format: cifar-binary$'
    expect_line checked '^  test: \[.*/test_batch.bin\]$'
    expect_line checked '^  batch: 16$' # an epoch of 240 images has 15 steps
done
init --images download --trainer 'sh train.sh'
expect_line checked '^  kind: command$'
expect_line checked '^  method: pool-gp$'


mkdir idx
python3 "$ROBOTNAS_SOURCE/tests/system/idx.py" x 12 200
cp x idx/train-images-idx3-ubyte
cp x.labels idx/train-labels-idx1-ubyte
gzip -c x >idx/t10k-images-idx3-ubyte.gz
gzip -c x.labels >idx/t10k-labels-idx1-ubyte.gz
init --images idx
expect_line checked '^  train: \[.*/idx/train-images-idx3-ubyte, .*/idx/train-labels-idx1-ubyte\]$'
expect_line checked '^  test: \[.*/idx/t10k-images-idx3-ubyte.gz, .*/idx/t10k-labels-idx1-ubyte.gz\]$'
expect_line checked '^  flip: false$'
expect_line checked '^  crop: 0$'

# Pictures: what it says to run first makes what the job names.
mkdir -p next.d "it's pictures"
ln -s "$ROBOTNAS" next.d/robotnas
for split in train val; do python3 "$ROBOTNAS_SOURCE/tests/system/class_folders.py" "it's pictures/$split" 8 16 1 ant bee; done
for given in "it's pictures" "it's pictures/train"; do
    rm -f job*
    expect_exit 0 "$ROBOTNAS" init --images "$given" --output job.yaml
    grep '^  robotnas convert ' err >commands
    expect_line err '^robotnas: the pictures are converted first'
    expect_exit 0 env PATH="$PWD/next.d:$PATH" sh -eu commands
    expect_exit 0 "$ROBOTNAS" check job.yaml
done
[ "$(wc -l <commands)" = 1 ] || fail "a folder of classes is taken for splits: $(<commands)"
expect_exit 0 "$ROBOTNAS" init --images "it's pictures/train"
expect_line out '^    - train\.h5$'
mkdir converted
mv job-train.h5 converted/my-train.h5
init --images converted
init --images converted/my-train.h5
cp converted/my-train.h5 converted/my-test.h5
init --images converted
expect_line checked '^  test: \[.*/my-test.h5\]$'

mkdir nothing
expect_exit 2 "$ROBOTNAS" init --images nothing
expect_refusal 'nothing: no training images are found: *'
expect_exit 2 "$ROBOTNAS" init --images nowhere
expect_refusal 'cannot open nowhere: *'
expect_exit 2 "$ROBOTNAS" init --images "$example"
expect_refusal '*'

# ---- The command line ----

for bad in "" "--images a --table b" "--objective x --images a" "--table $example extra" "--frobnicate" "--table"; do
    # shellcheck disable=SC2086 # words
    expect_exit 2 "$ROBOTNAS" init $bad
    expect_refusal 'init: *'
done
