#!/usr/bin/env bash
# Bad input to scoring, and to a search that takes scores, is refused as refusals.sh promises.
# shellcheck disable=SC2016 # what sed and job files know by $ is meant as it stands
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
here=$ROBOTNAS_SOURCE/tests/system
# shellcheck source=tests/system/scoring.sh
. "$here/scoring.sh"
# shellcheck source=tests/system/refusals.sh
. "$here/refusals.sh"

# ---- Good inputs, and how a kind is tried ----

mkdir good
cd good
score_job job.yaml
search_part >>job.yaml
small_job table.yaml
"$ROBOTNAS" score job.yaml --set output=scores.h5 >out 2>&1 || fail "the good job: $(<out)"
objective_table scores.h5 objective.csv
archs_of scores.h5 >list
rm out scores.h5.prev
cd ..

# case_begin: a folder with a good job, its images, the table of its objective, its scores, and a list of what it scores. Line
# numbers in the patterns below are those of this job.
case_begin() {
    cd "$folder"
    rm -rf case
    cp -r good case
    cd case
}

# refused_score KIND PATTERN [OPTION...]: job.yaml as it lies there, by the commands that score. Starting MPI takes seconds under
# a sanitizer, so that the second gets every eighth kind there.
n_jobs=0
refused_score() {
    local kind=$1 pattern=$2
    shift 2
    refused "$kind" "$pattern" "$ROBOTNAS" check job.yaml --score "$@"
    n_jobs=$((n_jobs + 1))
    if ! is_sanitized || ((n_jobs % 8 == 0)); then refused "$kind" "$pattern" "$ROBOTNAS" score job.yaml "$@"; fi
}

# bad_score KIND PATTERN EDIT: the good job after an edit by sed.
bad_score() {
    case_begin
    sed -E -i "$3" job.yaml
    refused_score "$1" "$2"
}

# bad_file KIND PATTERN COMMAND...: the good job after a command on its files.
bad_file() {
    local kind=$1 pattern=$2
    shift 2
    case_begin
    "$@"
    refused_score "$kind" "$pattern"
}

# bad_list KIND PATTERN COMMAND...: the same, where the job scores what the file list says.
bad_list() {
    local kind=$1 pattern=$2
    shift 2
    case_begin
    sed -i 's/sample: 24/file: list/' job.yaml
    "$@"
    refused_score "$kind" "$pattern"
}

# bad_idx KIND PATTERN SIDE COMMAND...: the same, where the job scores on gray images of SIDE x SIDE.
bad_idx() {
    local kind=$1 pattern=$2 side=$3
    shift 3
    case_begin
    sed -i 's/cifar-binary/idx/;s/images.bin/gray, gray.labels/' job.yaml
    python3 "$here/idx.py" gray "$side" 40
    "$@"
    refused_score "$kind" "$pattern"
}

# refused_search KIND PATTERN [OPTION...]: job.yaml as it lies there, by the commands that search, on the scores of scores.h5.
refused_search() {
    local kind=$1 pattern=$2
    shift 2
    sed -i 's/source: compute/source: scores\n  file: scores.h5/' job.yaml
    refused "$kind" "$pattern" "$ROBOTNAS" check job.yaml "$@"
    if ! is_sanitized; then refused "$kind" "$pattern" "$ROBOTNAS" search job.yaml "$@"; fi
}

# bad_search KIND PATTERN COMMAND...: the good job after a command on its files.
bad_search() {
    local kind=$1 pattern=$2
    shift 2
    case_begin
    "$@"
    refused_search "$kind" "$pattern"
}

# byte AT VALUE FILE: set a byte, of FILE.
byte() {
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x "$2")" | dd of="$3" bs=1 seek="$1" conv=notrunc status=none
}

# ---- Command line ----

case_begin
refused 'job missing' 'score: JOB.yaml is missing; see robotnas score --help' "$ROBOTNAS" score
refused 'two jobs' "score: *'other.yaml'*" "$ROBOTNAS" score job.yaml other.yaml
refused 'unknown option' "score: *'--fast'*--help" "$ROBOTNAS" score --fast job.yaml
refused 'contradiction' '*--resume and --fresh exclude each other' "$ROBOTNAS" score job.yaml --resume --fresh
refused 'job not there' '*nowhere.yaml: No such file*' "$ROBOTNAS" score nowhere.yaml
refused 'two forms of a report' 'report: --json, --csv and --against exclude each other' "$ROBOTNAS" report scores.h5 --json --csv scores.csv
refused 'scores that are there' 'scores.h5: a run is there already;*' "$ROBOTNAS" score job.yaml --set output=scores.h5
refused "another job's scores" "scores.h5: belongs to another job*'small'*" "$ROBOTNAS" score job.yaml --set output=scores.h5 \
    --resume --set seed=4
"$ROBOTNAS" search table.yaml --set output=table.h5 >out 2>&1 || fail "the job on a table: $(<out)"
refused 'scores of a run that scored nothing' '*has no scores of its own to write' "$ROBOTNAS" report table.h5 --csv-scores -
refused 'two runs' "report: one RUN.h5 is enough, 'table.h5' is too much; --against compares runs" "$ROBOTNAS" report scores.h5 table.h5

# ---- Job file ----

bad_score 'unknown metric' "job.yaml:10:*metrics.names: *no metric 'grad' to compute; the metrics are *" 's/grad_norm/grad/'
bad_score 'metric twice' 'job.yaml:10:*metrics.names: snip is there twice*' 's/grad_norm/snip/'
bad_score 'no metrics' 'job.yaml:10:*metrics.names: *' 's/names: .*/names: []/'
bad_score 'no batch' 'job.yaml:11:10: metrics.batch: expected an integer from 1*found 0' 's/batch: 20/batch: 0/'
bad_score 'unknown choice of images' 'job.yaml:12:*metrics.choice: expected one of random, per-class, found first' '11a\  choice: first'
bad_score 'unknown backend' 'job.yaml:4:10: backend: expected one of ref, cpu, found gpu' 's/^backend: .*/backend: gpu/'
bad_score 'unknown coordinator' 'job.yaml:5:14: coordinator: expected one of *' '4acoordinator: absent'
bad_score 'no channels' 'job.yaml:12:*network.channels: expected an integer from 1*' 's/channels: 8/channels: 0/'
bad_score 'too many cells' 'job.yaml:12:*network.cells: expected an integer*to 64*' 's/cells: 1/cells: 65/'
bad_score 'unknown convention' 'job.yaml:12:*network.convention: expected one of score, train*' 's/cells: 1/convention: both/'
bad_score 'pool of a table' 'job.yaml:*' 's/space: .*/space: table\n  table: objective.csv/;/subset/d'
bad_score 'metrics of a table' 'job.yaml:9:*metrics.source: *compute' 's/source: compute/source: table/'
bad_score 'metrics of another run' 'job.yaml:9:*metrics.source: *compute' 's/source: compute/source: scores\n  file: scores.h5/'
bad_score 'empty sample' 'job.yaml:7:*pool.subset*' 's/sample: 24/sample: 0/'
bad_score 'sample larger than the space' '*15626*15625*' 's/sample: 24/sample: 15626/'
bad_score 'sample of text' 'job.yaml:7:*pool.subset*few' 's/sample: 24/sample: few/'
bad_score 'unknown subset' 'job.yaml:7:*pool.subset*' 's/subset: .*/subset: best/'
bad_score 'two subsets' 'job.yaml:7:*pool.subset*' 's/sample: 24/sample: 24, file: list/'
bad_score 'classes that are not there' 'job.yaml:*' 's/space: .*/space: transnas-macro/;s/subset: .*/subset: unique/'
bad_score 'no format of images' 'job.yaml: data.format: this key is required*' '/format/d'
bad_score 'unknown format of images' 'job.yaml:14:*data.format: expected one of cifar-binary, idx, hdf5, found png' 's/cifar-binary/png/'
bad_score 'images not named' 'job.yaml: data.train: this key is required*' '/train/d'
bad_score 'list of no images' 'job.yaml:15:*data.train: *' 's/images.bin//'
bad_score 'mean of two channels' 'job.yaml:15:*data.train: 2 numbers of mean for images of 3 channels' '15a\  mean: [0.5, 0.5]'
bad_score 'standard deviation of four channels' 'job.yaml:15:*data.train: 4 numbers of std for images of 3 channels' '15a\  std: [0.5, 0.5, 0.5, 0.5]'
bad_score 'mean and deviation that differ' 'job.yaml:17:*data.std: has 1 numbers and data.mean 3*' '15a\  mean: [0.5, 0.5, 0.5]\n  std: [0.5]'
bad_score 'mean that is no number' 'job.yaml:16:*data.mean: *' '15a\  mean: [0.5, high, 0.5]'
bad_score 'mean nan' 'job.yaml:16:*data.mean: *' '15a\  mean: [0.5, .nan, 0.5]'
bad_score 'no deviation' 'job.yaml:16:*data.std: *' '15a\  std: [0.5, 0, 0.5]'
bad_score 'batch of more than all images' 'job.yaml:11:*metrics.batch: *301*300*' 's/batch: 20/batch: 301/'
bad_score 'batch of more than the limit' 'job.yaml:11:*metrics.batch: *20*10*' '15a\  limit: 10'
bad_score 'batch that classes cannot share' 'job.yaml:11:*metrics.batch: *multiple of 10*' 's/batch: 20/batch: 16\n  choice: per-class/'
bad_score 'classes that CIFAR has not' 'job.yaml:15:*data.train: 7 classes*10 or 100*' '15a\  classes: 7'
bad_score 'environment variable not set' 'job.yaml:15:*data.train: the environment variable NO_SUCH_NAME is not set*' 's/images\.bin/"${NO_SUCH_NAME}\/images.bin"/'

# ---- Images ----

bad_file 'images not there' '*images.bin: No such file*' rm images.bin
bad_file 'images that are a folder' '*images.bin is a directory*' sh -c 'rm images.bin; mkdir images.bin'
bad_file 'images that are a FIFO' '*images.bin is not a regular file' sh -c 'rm images.bin; mkfifo images.bin'
bad_file 'no images' '*images.bin: 0 bytes*' truncate -s 0 images.bin
bad_file 'images cut short' '*images.bin: 921899 bytes; expected one or more records of 3073 bytes*' truncate -s -1 images.bin
bad_file 'images of CIFAR-100' '*images.bin: whole records of CIFAR-100*' truncate -s $((3074 * 100)) images.bin
bad_file 'label out of range' '*images.bin: image 2 *label 10; expected 0 to 9' byte $((3073 * 2)) 10 images.bin
few_of_nine() {
    local i
    for ((i = 9; i < 300; i += 10)); do byte $((3073 * i)) 8 images.bin; done
    sed -i 's/batch: 20/batch: 20\n  choice: per-class/' job.yaml
}
bad_file 'class without images' 'job.yaml:11:*metrics.batch: *class 9 has 0' few_of_nine
bad_file 'images in another form' '*images.bin*' sed -i s/cifar-binary/hdf5/ job.yaml

bad_idx 'size that three stages cannot halve' 'job.yaml:15:*data.train: images of 30 x 30; *multiple of 4' 30 true
bad_idx 'images without labels' 'job.yaml:15:*data.train: *pairs*' 32 sed -i 's/, gray.labels//' job.yaml
bad_idx 'labels for images' '*gray: begins with 0x00000801*' 32 cp gray.labels gray
bad_idx 'fewer labels than images' '*gray.labels*' 32 truncate -s -1 gray.labels
bad_idx 'gray images cut short' '*gray: *' 32 truncate -s -1 gray
bad_idx 'compressed images cut short' '*gray: *' 32 sh -c 'gzip gray; head -c 1000 gray.gz >gray; rm gray.gz'

# ---- Lists of architectures ----

bad_list 'list not there' '*list: No such file*' rm list
bad_list 'empty list' '*list: no architecture in it*' truncate -s 0 list
bad_list 'list of comments' '*list: no architecture in it*' sed -i 's/^/# /' list
bad_list 'line that is no architecture' "*list:3: *'best'*" sed -i 3s/.*/best/ list
bad_list 'line with an unknown operation' '*list:3: *' sed -i '3s/~0|/5x5~0|/' list
bad_list 'architecture twice' '*list:9: *is on line 2 already' sh -c 'sed -i "2s/.*/(0, 0, 0, 0, 0, 0)/;9s/.*/(0, 0, 0, 0, 0, 0)/" list'
bad_list 'architecture in two forms' '*list:9: *is on line 2 already' \
    sed -i '2s/.*/(1, 0, 0, 2, 1, 0)/;9s/.*/|none~0|+|skip_connect~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|/' list
bad_list 'NUL in a list' '*list: a NUL byte in it*' sed -i '3s/$/\x00/' list
bad_list 'list that is a folder' '*list is a directory*' sh -c 'rm list; mkdir list'

# ---- Scores for a search ----

bad_search 'scores not there' '*scores.h5*' rm scores.h5
bad_search 'scores that are no state file' '*scores.h5 is not a state file of robotnas; *' cp objective.csv scores.h5
bad_search 'scores cut short' '*scores.h5 is cut short*' truncate -s -1 scores.h5
bad_search 'scores with a bit flipped' '*scores.h5 is damaged*' python3 "$here/statefile.py" flip scores.h5 20000
bad_search 'scores of a run that scored nothing' '*scores.h5: this run scored nothing*' sh -c "
    '$ROBOTNAS' search table.yaml --set output=scores.h5 --fresh >/dev/null 2>&1; rm -f scores.h5.prev"
bad_search 'scores without the metric' "job.yaml:*metrics.names: *scores.h5 has no metric 'grad_norm'" sh -c "
    '$ROBOTNAS' score job.yaml --set 'metrics.names=[synflow]' --set output=scores.h5 --fresh >/dev/null 2>&1; rm scores.h5.prev"
bad_search 'scores of other architectures' '*scores.h5: none of its 1 architectures is in the pool of 24' sh -c "
    echo '(0, 0, 0, 0, 0, 0)' >one
    '$ROBOTNAS' score job.yaml --set 'pool.subset={file: one}' --set output=scores.h5 --fresh >/dev/null 2>&1; rm scores.h5.prev"
bad_search 'unfinished scores' '*scores.h5: only * of 24 architectures are scored; finish it with robotnas score --resume' sh -c "
    touch scores.h5.stop
    '$ROBOTNAS' score job.yaml --set output=scores.h5 --fresh >/dev/null 2>&1; rm -f scores.h5.prev"
bad_search 'scores for a table' 'job.yaml:*metrics.source: scores are of a space*' sed -i \
    's/space: .*/space: table\n  table: objective.csv/;/subset/d;s/table: objective.csv, column/column/' job.yaml
case_begin
sed -i 's/source: compute/source: table/' job.yaml
refused 'columns for a space' 'job.yaml:9:*metrics.source: columns of a table need pool.space table*' "$ROBOTNAS" check job.yaml

# ---- Objectives of a space ----

bad_search 'objective without table' 'job.yaml: objective.table: this key is required*' sed -i 's/table: objective.csv, //' job.yaml
bad_search 'objective not there' '*objective.csv: No such file*' rm objective.csv
bad_search 'objective without architectures' "*objective.csv:1: no column 'arch'*" sed -i 1s/arch/name/ objective.csv
bad_search 'objective without the column' "*objective.csv:1: no column 'accuracy'*" sed -i 1s/accuracy/acc/ objective.csv
bad_search 'objective of other architectures' '*objective.csv: none of its 1 architectures is in the pool of 24' \
    sed -i '3,$d;2s/.*/"(0, 0, 0, 0, 0, 0)",1,1,1/' objective.csv
bad_search 'objective of no architecture' "*objective.csv:3: *'best'*" sed -i '3s/^"[^"]*"/best/' objective.csv
twice() {
    local name
    name=$(sed -n 2p list)
    sed -i "2s/^[^,]*/$name/" objective.csv
}
bad_search 'objective twice in two forms' '*objective.csv:*: the same architecture as line *, *' twice
bad_search 'objective all missing' "job.yaml:*objective.column: 'accuracy' has no value*" sed -i -E '2,$s/,[0-9.]+(,[0-9]+,[0-9]+)$/,\1/' objective.csv
bad_search 'budget beyond the pool' "job.yaml:*search.budget: 25 is more than the pool's 24 architectures" sed -i 's/budget: 8/budget: 25/' job.yaml

# ---- On two ranks: still one line ----

case_begin
refused 'images not there on two ranks' '*nowhere.bin: No such file*' ranks 2 "$ROBOTNAS" score job.yaml --set 'data.train=[nowhere.bin]'
refused 'unknown metric on two ranks' "*no metric 'grad'*" ranks 2 "$ROBOTNAS" score job.yaml --set 'metrics.names=[grad]'
python3 "$here/idx.py" gray 30 40
refused 'size of images on two ranks' '*30*multiple of 4*' ranks 2 "$ROBOTNAS" score job.yaml --set data.format=idx \
    --set 'data.train=[gray, gray.labels]'

end_of_refusals
