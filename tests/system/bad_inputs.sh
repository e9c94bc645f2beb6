#!/usr/bin/env bash
# Bad input of every kind is refused: exit code 2, one line on stderr that says where and what, nothing on stdout, no file
# changed, in no time. A row of the tables below is one kind: its name, what the line must match, and what makes it.
# shellcheck disable=SC2016 # what sed and job files know by $ is meant as it stands
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
here=$ROBOTNAS_SOURCE/tests/system

# shellcheck source=tests/system/refusals.sh
. "$here/refusals.sh"

# ---- How a kind is tried ----

# case_begin: a folder with a good job, job.yaml, and its table, table.csv, of 40 architectures. Line numbers in the patterns
# below are those of this job.
case_begin() {
    cd "$folder"
    rm -rf case
    mkdir case
    cd case
    head -n 41 "$example" >table.csv
    cat >job.yaml <<'JOB'
name: small
seed: 3
output: run.h5
pool:
  space: table
  table: table.csv
  encoding: nas-bench-201
metrics:
  names: [grad_norm, snip]
  transform: {snip: log}
objective:
  kind: table
  column: valid_accuracy
  cost: flops
search: {method: robot, budget: 4}
JOB
}

# refused_job KIND PATTERN: job.yaml as it lies there, by both commands that read jobs. Starting MPI takes seconds under a
# sanitizer, so that search gets every eighth kind there.
n_jobs=0
refused_job() {
    refused "$1" "$2" "$ROBOTNAS" check job.yaml
    n_jobs=$((n_jobs + 1))
    if ! is_sanitized || ((n_jobs % 8 == 0)); then refused "$1" "$2" "$ROBOTNAS" search job.yaml; fi
}

# bad_job KIND PATTERN EDIT: the good job after an edit by sed.
bad_job() {
    case_begin
    sed -E -i "$3" job.yaml
    refused_job "$1" "$2"
}

# bad_table KIND PATTERN EDIT: the good table after an edit by sed.
bad_table() {
    case_begin
    sed -E -i "$3" table.csv
    refused_job "$1" "$2"
}

# bad_set KIND PATTERN SET: the good job with an override.
bad_set() {
    case_begin
    refused "$1" "$2" "$ROBOTNAS" check job.yaml --set "$3"
    refused "$1" "$2" "$ROBOTNAS" search job.yaml --set "$3"
}

# bad_file KIND PATTERN COMMAND...: the same bad file in the place of the job, the table and the state file. COMMAND makes the
# file whose name is its last argument; PATTERN follows the name.
bad_file() {
    local kind=$1 pattern=$2
    shift 2
    case_begin
    rm job.yaml
    "$@" job.yaml
    refused_job "$kind as job" "*job.yaml$pattern"
    case_begin
    rm table.csv
    "$@" table.csv
    refused_job "$kind as table" "*table.csv$pattern"
    state_begin
    rm run.h5
    "$@" run.h5
    refused_state "$kind as state file" "*run.h5$pattern"
}

# ---- Command line ----

case_begin
refused 'no command' 'a command is missing; see robotnas --help' "$ROBOTNAS"
refused 'unknown command' "there is no command 'serach'; see robotnas --help" "$ROBOTNAS" serach job.yaml
for command in search check; do
    refused 'job missing' "$command: JOB.yaml is missing; see robotnas $command --help" "$ROBOTNAS" "$command"
    refused 'two jobs' "$command: *'other.yaml'*" "$ROBOTNAS" "$command" job.yaml other.yaml
    refused 'unknown option' "$command: *'--fast'*--help" "$ROBOTNAS" "$command" --fast job.yaml
    refused 'unknown letter' "$command: there is no option '-x'; see *--help" "$ROBOTNAS" "$command" -xy job.yaml
    refused 'value missing' "$command: *value is missing after '--set'*" "$ROBOTNAS" "$command" job.yaml --set
done
refused 'contradiction' '*--resume and --fresh exclude each other' "$ROBOTNAS" search job.yaml --resume --fresh
refused 'impossible ranks' "*--ranks '0'*" "$ROBOTNAS" check job.yaml --ranks 0
refused 'ranks no number' "*--ranks 'many'*" "$ROBOTNAS" check job.yaml --ranks many
refused 'ranks empty' "*--ranks ''*" "$ROBOTNAS" check job.yaml --ranks ''
refused 'run missing' 'report: RUN.h5 is missing*' "$ROBOTNAS" report --json
refused 'unknown benchmark' "*no benchmark 'speed'*" "$ROBOTNAS" bench speed
refused 'benchmark of nothing' "*--arch '0'*" "$ROBOTNAS" bench rank --arch 0
refused 'job not there' '*nowhere.yaml: No such file*' "$ROBOTNAS" check nowhere.yaml
refused 'job not there' '*nowhere.yaml: No such file*' "$ROBOTNAS" search nowhere.yaml

bad_set 'override without value' '--set search.budget: expected key.path=value*' search.budget
bad_set 'override without key' '--set =4: expected key.path=value*' =4
bad_set 'override of no key' '--set serach.budget: unknown key; did you mean search.budget[?]' serach.budget=4
bad_set 'override of wrong type' '--set search.budget: expected an integer*found few' search.budget=few
bad_set 'override by a variable not set' '--set output: the environment variable NO_SUCH_NAME is not set*' 'output=${NO_SUCH_NAME}/run.h5'
bad_set 'override that is no YAML' '--set metrics.names: not YAML*' 'metrics.names=[snip'
bad_set 'override by an alias' '--set seed: aliases*' 'seed=*one'

# ---- Job file ----

bad_job 'unknown key' 'job.yaml:2:1: seeds: unknown key; did you mean seed[?]' 's/^seed:/seeds:/'
bad_job 'unknown nested key' 'job.yaml:15:25: search.budgets: unknown key; did you mean search.budget[?]' 's/budget:/budgets:/'
bad_job 'key in the wrong group' 'job.yaml:16:1: budget: unknown key; did you mean search.budget[?]' '$abudget: 4'
bad_job 'key with dots' 'job.yaml:16:1: search.seed: keys nest*' '$asearch.seed: 4'
bad_job 'duplicate key' 'job.yaml:3:1: the key seed is there twice, first in line 2*' '2aseed: 4'
bad_job 'duplicate nested key' 'job.yaml:6:3: the key space is there twice*' '5a\  space: table'
bad_job 'required key missing' 'job.yaml: search.budget: this key is required; expected an integer*' 's/, budget: 4//'
bad_job 'list for a scalar' 'job.yaml:2:7: seed: expected an integer*found a list' 's/^seed: 3/seed: [3]/'
bad_job 'mapping for a scalar' 'job.yaml:12:9: objective.kind: expected one of table, train, command, found a mapping' 's/kind: table/kind: {table: 1}/'
bad_job 'scalar for a list' 'job.yaml:9:10: metrics.names: expected a list*found snip' 's/names: .*/names: snip/'
bad_job 'scalar for a mapping' 'job.yaml:15:9: search: expected a mapping*' 's/^search: .*/search: robot/'
bad_job 'list of lists' 'job.yaml:9:11: metrics.names: expected a text in the list, found a list' 's/names: .*/names: [[snip]]/'
bad_job 'list for a job' 'job.yaml:1:1: expected a mapping*' '1,$s/^/- /;1,$s/^- .*/- snip/'
bad_job 'null' 'job.yaml:2:6: seed: expected an integer*found nothing' 's/^seed: 3/seed:/'
bad_job 'text for a number' 'job.yaml:2:7: seed: expected an integer*found three' 's/^seed: 3/seed: three/'
bad_job 'fraction for an integer' 'job.yaml:2:7: seed: expected an integer*found 3.5' 's/^seed: 3/seed: 3.5/'
bad_job 'octal' 'job.yaml:2:7: seed: expected an integer*found 010' 's/^seed: 3/seed: 010/'
bad_job 'negative' 'job.yaml:2:7: seed: expected an integer from 0*found -3' 's/^seed: 3/seed: -3/'
bad_job 'huge number' 'job.yaml:2:7: seed: expected an integer*found 9999999999999999999999' 's/^seed: 3/seed: 9999999999999999999999/'
bad_job 'huge exponent' 'job.yaml:15:33: search.budget: expected an integer*found 1e999' 's/budget: 4/budget: 1e999/'
bad_job 'no budget' 'job.yaml:15:33: search.budget: expected an integer from 1*found 0' 's/budget: 4/budget: 0/'
bad_job 'NaN' 'job.yaml:16:24: checkpoint.interval: expected a number*found .nan' '$acheckpoint: {interval: .nan}'
bad_job 'infinity' 'job.yaml:16:24: checkpoint.interval: expected a number*found 1e999' '$acheckpoint: {interval: 1e999}'
bad_job 'no truth value' 'job.yaml:15:13: objective.minimise: expected true or false*found perhaps' '14a\  minimise: perhaps'
bad_job 'unknown choice' 'job.yaml:7:13: pool.encoding: expected one of*found nasbench' 's/encoding: .*/encoding: nasbench/'
bad_job 'unknown transform' 'job.yaml:10:21: metrics.transform: expected one of*found sqrt' 's/snip: log/snip: sqrt/'
bad_job 'transform of no metric' 'job.yaml:10:15: metrics.transform: snap is not in metrics.names; did you mean snip[?]' 's/snip: log/snap: log/'
bad_job 'metric twice' 'job.yaml:9:17: metrics.names: snip is there twice*' 's/grad_norm/snip/'
bad_job 'name that is no name' 'job.yaml:1:7: name: expected a name of letters*found ../small' 's/^name: small/name: ..\/small/'
bad_job 'anchor' 'job.yaml:2:7: anchors*' 's/^seed: 3/seed: \&three 3/'
bad_job 'alias' 'job.yaml:2:7: aliases*' 's/^seed: 3/seed: *three/'
bad_job 'tag' 'job.yaml:2:7: tags*' 's/^seed: 3/seed: !!int 3/'
bad_job 'second document' 'job.yaml:16:1: a second document*' '$a---\nname: other'
bad_job 'unquoted architecture' 'job.yaml:9:7: a value that begins with | needs quotes*' '7a\  missing:\n    - |nor_conv_3x3~0|+|none~0|none~1|'
bad_job 'tab' 'job.yaml:5:1: a tab in the indentation*' 's/^  space/\tspace/'
bad_job 'tab after spaces' 'job.yaml:9:3: a tab in the indentation*' 's/^  names/  \tnames/'
bad_job 'tab in the middle of a group' 'job.yaml:6:1: a tab in the indentation*' 's/^  table/\ttable/'
bad_job 'NUL byte' 'job.yaml:2:8: not text in UTF-8: control characters*' 's/^seed: 3/seed: 3\x00/'
bad_job 'no UTF-8' 'job.yaml:1:8: not text in UTF-8*' 's/^name: small/name: s\xffmall/'
bad_job 'control character' 'job.yaml:1:7: *control character*' 's/^name: small/name: "s\\x07mall"/'
bad_job 'nested too deep' 'job.yaml:16:*nested too deep*' '$adeep: [[[[[[[[[[1]]]]]]]]]]'
bad_job 'thousands of entries' 'job.yaml:9:*more than 1000 entries*' "s/names: .*/names: [$(seq -s, 2000)]/"
bad_job 'unknown method' "job.yaml:15:18: search.method: expected one of *robot*, found robt; did you mean robot?" 's/method: robot/method: robt/'
bad_job 'rea without encoding' 'job.yaml:7:13: pool.encoding: method rea *needs to know the positions*' 's/encoding: .*/encoding: none/;s/robot/rea/'
bad_job 'reinforce without encoding' 'job.yaml: pool.encoding (default): method reinforce *' '/encoding/d;s/robot/reinforce/'
bad_job 'robot without metrics' 'job.yaml: metrics.names (default): method robot weighs metrics*' '/names|transform/d;s/^metrics:/metrics: {}/'
bad_job 'single without metric' 'job.yaml: search.metric (default): method single needs*' 's/robot/single/'
bad_job 'single with no metric of its own' "job.yaml:15:*search.metric: 'jacob_cov' is not one of metrics.names" 's/robot/single, metric: jacob_cov/'
bad_job 'metric without use' 'job.yaml:15:*search.metric: method robot has no use for it*' 's/robot/robot, metric: snip/'
bad_job 'budget beyond the pool' "job.yaml:15:33: search.budget: 41 is more than the pool's 40 architectures" 's/budget: 4/budget: 41/'
bad_job 'environment variable not set' 'job.yaml:6:10: pool.table: the environment variable NO_SUCH_NAME is not set*' 's/table\.csv/${NO_SUCH_NAME}\/table.csv/'
bad_job 'environment variable not closed' 'job.yaml:6:10: pool.table: expected the name of a variable*' 's/table\.csv/"${HOME"/'
bad_job 'variable of the output not set' 'job.yaml:3:9: output: the environment variable NO_SUCH_NAME is not set*' 's/run\.h5/${NO_SUCH_NAME}\/run.h5/'
bad_job 'typographic quotes' 'job.yaml:6:10: a typographic quote stands in *' 's/table\.csv/\xe2\x80\x9ctable.csv\xe2\x80\x9d/'
bad_job 'variable without braces' 'job.yaml:3:9: output: a variable is written ${NAME}*' 's/run\.h5/$HOME\/run.h5/'
bad_job 'command in a path' 'job.yaml:6:10: pool.table: a variable is written ${NAME}*' 's/table\.csv/$(pwd)\/table.csv/'
bad_job 'home of another' 'job.yaml:3:9: output: ~ stands for the own home folder only*' 's/run\.h5/~nobody\/run.h5/'
bad_job 'table not there' 'job.yaml:6:10: pool.table: cannot open nowhere.csv: No such file*' 's/table\.csv/nowhere.csv/'
bad_job 'table below a file' '*job.yaml/table.csv: Not a directory*' 's/table\.csv/job.yaml\/table.csv/'
bad_job 'cut short' 'job.yaml:*' '9,$d;s/encoding: .*/encoding: [nas-/'
bad_job 'no YAML' 'job.yaml:2:*not YAML*' 's/^seed: 3/seed: 3: 4/'

# wide FILE: in UTF-16, as some editors save text.
wide() {
    iconv -f UTF-8 -t UTF-16 "$1" >wide
    mv wide "$1"
}
case_begin
wide job.yaml
refused_job 'job in UTF-16' 'job.yaml:1: this text is in UTF-16; save it as UTF-8'
case_begin
wide table.csv
refused_job 'table in UTF-16' '*table.csv:1: this text is in UTF-16; save it as UTF-8'

case_begin
{
    echo 'a0: &a0 [lol]'
    for i in {1..9}; do
        printf 'a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n' "$i" "$i" $((i - 1)){,,,,,,,,}
    done
} >job.yaml
refused_job 'anchors that explode' 'job.yaml:1:5: anchors*'

# ---- Table ----

bad_table 'ragged row' '*table.csv:3: *' '3s/$/,1/'
bad_table 'short row' '*table.csv:3: *' '3s/,[^,]*$//'
bad_table 'header alone' '*table.csv: *no rows*' '2,$d'
bad_table 'no such column' "*table.csv:1: no column 'snip'; nearest is 'snap'*" '1s/snip/snap/'
bad_table 'no architectures' "*table.csv:1: no column 'arch'*" '1s/^arch,/name,/'
bad_table 'column twice' "*table.csv:1: *both called 'snip'" '1s/grad_norm/snip/'
bad_table 'architecture twice' '*table.csv:4: architecture *stands in line 3 already' '3h;4{g}'
bad_table 'architecture empty' '*table.csv:3: *' '3s/^[^,]*//'
bad_table 'text for a value' "*table.csv:3: column 'grad_norm': 'few' is not a number" '3s/^([^,]*),[^,]*/\1,few/'
bad_table 'hexadecimal' "*table.csv:3: column 'grad_norm': '0x10' is not a number" '3s/^([^,]*),[^,]*/\1,0x10/'
bad_table 'spelling of missing' "*table.csv:3: column 'grad_norm': 'N/A' is not a number; *set pool.missing: [[]'N/A']" '3s/^([^,]*),[^,]*/\1,N\/A/'
bad_table 'decimal comma' "*table.csv:3: column 'grad_norm': '0,5' is not a number; write numbers such as 1234.5*" '3s/^([^,]*),[^,]*/\1,"0,5"/'
bad_table 'semicolons' "*table.csv:1: no column 'arch'; semicolons separate the fields here*" 's/,/;/g'
bad_table 'tabs for commas' "*table.csv:1: no column 'arch'; tabs separate the fields here*" 's/,/\t/g'
bad_table 'column twice but for blanks' "*table.csv:1: *both called 'snip'" '1s/grad_norm/ snip /'
bad_table 'quote left open' '*table.csv:3: *quot*' '3s/^/"/'
bad_table 'quote inside a field' '*table.csv:3: bad quoting*' '3s/^[^,]*/a"b/'
bad_table 'NUL in a row' '*table.csv:3: a NUL byte*' '3s/,/,\x00/'
bad_table 'metric all missing' "job.yaml:9:10: metrics.names: metric 'grad_norm' has no value for any architecture; take it out of metrics.names" '2,$s/^([^,]*),[^,]*/\1,/'
bad_table 'metric nan everywhere' "job.yaml:9:10: metrics.names: metric 'grad_norm' has no value for any architecture; take it out of metrics.names" '2,$s/^([^,]*),[^,]*/\1,NaN/'
bad_table 'transform that leaves nothing' "job.yaml:10:14: metrics.transform: transform log leaves metric 'snip' no value: none of the 40 in *table.csv is above 0*" \
    '2,$s/^(([^,]*,){2})/\1-/'
bad_table 'objective all missing' "job.yaml:13:11: objective.column: 'valid_accuracy' has no value for any architecture" '2,$s/^(([^,]*,){12})[^,]*/\1/'
case_begin
mkdir run.h5
refused_job 'directory as output' 'run.h5 is a directory; a file was expected'
bad_set 'folder as output' '--set output: ./s/ is a folder; write a file in it, as ./s/run.h5' output=./s/
# An output that is an input would be lost with the second save.
for output in table.csv job.yaml; do
    bad_set "$output as output" "--set output: $output is the job's *, which the run would replace*" "output=$output"
    refused "$output as output, anew" "--set output: $output is the job's *" "$ROBOTNAS" search job.yaml --fresh --set "output=$output"
done
ln -s table.csv run.h5
refused 'link to the table as output' "job.yaml:3:9: output: run.h5 is the job's pool.table*" "$ROBOTNAS" search job.yaml --resume
case_begin
sed -i 's/robot/rea/' job.yaml
sed -i '3s/^[^,]*/|none~0|/' table.csv
refused_job 'architecture that the encoding does not know' "*table.csv:3: *'|none~0|'*"

# ---- State file ----

case_begin
"$ROBOTNAS" search job.yaml >/dev/null 2>&1
cp run.h5 "$folder/good.h5"
n_bytes=$(stat -c %s run.h5)

# state_begin: the good job and its finished run, without the file before it.
state_begin() {
    case_begin
    cp "$folder/good.h5" run.h5
}

# What a command writes for its user does not replace a run.
state_begin
ln -s run.h5 table-of-run.csv
for target in run.h5 table-of-run.csv; do
    refused "report over a run, $target" "$target is the state file of a run*" "$ROBOTNAS" report run.h5 --csv "$target"
    refused "export over a run, $target" "$target is the state file of a run*" "$ROBOTNAS" export run.h5 --output "$target"
done

# refused_state KIND PATTERN: run.h5 as it lies there, by everything that reads state files.
refused_state() {
    refused "$1" "$2" "$ROBOTNAS" report run.h5
    refused "$1" "$2" "$ROBOTNAS" report --json run.h5
    refused "$1" "$2" "$ROBOTNAS" search job.yaml --resume
    refused "$1" "$2" "$ROBOTNAS" search job.yaml --set output=new.h5 --reuse run.h5
}

# bad_state KIND PATTERN COMMAND...: the good state file after a command on it.
bad_state() {
    local kind=$1 pattern=$2
    shift 2
    state_begin
    "$@"
    refused_state "$kind" "$pattern"
}

bad_state 'state cut to nothing' 'run.h5 is empty, no state file; *--fresh' truncate -s 0 run.h5
bad_state 'state cut in the user block' 'run.h5 is cut short: 100 bytes are left; *--fresh' truncate -s 100 run.h5
bad_state 'state cut to the user block' "run.h5 is cut short: 512 of $n_bytes bytes are left; *--fresh" truncate -s 512 run.h5
bad_state 'state cut by a byte' "run.h5 is cut short: $((n_bytes - 1)) of $n_bytes bytes are left; *--fresh" truncate -s -1 run.h5
bad_state 'state with more behind it' "run.h5 is damaged: it has $((n_bytes + 1)) bytes instead of $n_bytes; *--fresh" truncate -s +1 run.h5
bad_state 'state with a hole' 'run.h5 is damaged: its content does not match its digest; *--fresh' fallocate -p -o 512 -l 512 run.h5
bad_state 'state of a newer version' 'run.h5 has format version 4, this program reads 2 to 3: use the newer robotnas*' \
    python3 "$here/statefile.py" version run.h5 4
bad_state 'state of no version' 'run.h5 has format version 0, this program reads 2 to 3: use the older robotnas*' \
    python3 "$here/statefile.py" version run.h5 0
bad_state 'a table for a state' 'run.h5 is not a state file of robotnas; *move it away*' cp table.csv run.h5
bad_state 'HDF5 of another program' 'run.h5 is not a state file of robotnas; *move it away*' sh -c "tail -c +513 '$folder/good.h5' >run.h5"
cp run.h5 before
for options in "search job.yaml --fresh" "search job.yaml" "check job.yaml"; do
    # shellcheck disable=SC2086 # several words
    refused "another file as output, $options" 'run.h5 is not a state file of robotnas; move it away or choose another output' "$ROBOTNAS" $options
    cmp run.h5 before || fail "$options touched it"
done

for from in 0 0 64 4096 4096 4096 4096 4096; do
    bit=$((from + (RANDOM * 32768 + RANDOM) % (8 * n_bytes - from)))
    [ "$from" != 0 ] || bit=$((RANDOM % 4096))
    bad_state "state with bit $bit flipped" 'run.h5 *' python3 "$here/statefile.py" flip run.h5 "$bit"
done

state_begin
refused 'a job for its run' "job.yaml is not a state file of robotnas; a job's run is at its output (robotnas check*" "$ROBOTNAS" report job.yaml
refused 'run there already' 'run.h5: a run is there already; --resume*--fresh*' "$ROBOTNAS" search job.yaml
refused "another job's state" "run.h5: belongs to another job*'small'*" "$ROBOTNAS" search job.yaml --resume --set seed=4
refused "another budget's state" 'run.h5: this run has a budget of 4, the job says 5*--reuse run.h5*' \
    "$ROBOTNAS" search job.yaml --resume --set search.budget=5
refused "another objective's state" "--reuse run.h5: its objective is not this job's*" \
    "$ROBOTNAS" search job.yaml --reuse run.h5 --set output=new.h5 --set objective.column=test_accuracy
sed -i '$d' table.csv
refused "another table's state" 'run.h5: the table *table.csv is not the one this run began with*' "$ROBOTNAS" search job.yaml --resume

state_begin
cp run.h5 run.h5.prev
truncate -s 100 run.h5
truncate -s 0 run.h5.prev
refused_state 'both state files bad' '*run.h5 is cut short*no help: *run.h5.prev is empty*--fresh'

if python_of_h5py=$(python_with h5py); then
    bad_content() {
        bad_state "state with $1" "run.h5: inconsistent state file: *$2*" "$python_of_h5py" "$here/statefile.py" edit run.h5 "$3"
    }
    bad_content 'no evaluations' evaluations 'del f["evaluations"]'
    bad_content 'texts for values' value 'del f["evaluations/value"]; f["evaluations/value"] = [[b"high"]] * 4'
    bad_content 'integers for values' value 'del f["evaluations/value"]; f["evaluations/value"] = [[1], [2], [3], [4]]'
    bad_content 'too few values' value 'del f["evaluations/value"]; f["evaluations/value"] = [[0.5]]'
    bad_content 'a table for a column' cost 'del f["evaluations/cost"]; f["evaluations/cost"] = [[0.5] * 4] * 4'
    bad_content 'another number of goals' value 'del f["evaluations/value"]; f["evaluations/value"] = [[0.5] * 2] * 4'
    bad_content 'a folder for a column' value 'del f["evaluations/value"]; f.create_group("evaluations/value")'
    bad_content 'an infinite value' value 'f["evaluations/value"][0] = float("inf")'
    bad_content 'an architecture beyond the pool' arch 'f["evaluations/arch"][0] = 40'
    bad_content 'a repeat that is not there' repeat 'f["evaluations/repeat"][0] = 1'
    bad_content 'an observation of a repeat that is not there' repeat 'f["observations/repeat"][0] = 1'
    bad_content 'no repeats' repeats 'del f["repeats"]'
    bad_content 'too many goals' n_goals 'f.attrs.modify("n_goals", 5)'
    bad_content 'a budget as text' budget 'f.attrs["budget"] = "four"'
    bad_content 'no budget' budget 'del f.attrs["budget"]'
else
    skip_part "state files with wrong content: python3-h5py is not there"
fi

# ---- What is no readable file at all ----

link_to_itself() {
    ln -s "$1" "$1"
}

head -c 100000000 /dev/urandom >"$folder/garbage"
printf 'ROBOTNAS' | dd of="$folder/garbage" conv=notrunc status=none
bad_file 'empty file' '*empty*' truncate -s 0
bad_file 'directory' ' is a directory; a file was expected' mkdir
bad_file 'FIFO' ' is not a regular file' mkfifo
bad_file 'device' ' is not a regular file' ln -s /dev/zero
bad_file 'link to itself' ': *symbolic links' link_to_itself
bad_file '100 MB of garbage' '*' ln "$folder/garbage"

checksummed_garbage() {
    cp "$folder/garbage" "$1"
    python3 "$here/statefile.py" version "$1" 3
}
state_begin
checksummed_garbage run.h5
refused_state '100 MB of garbage with a digest' 'run.h5: inconsistent state file: *'
case_begin
head -c 100000000 /dev/zero | tr '\0' x >table.csv
refused_job '100 MB without a line end as table' '*table.csv:1: a row of more than 1 MiB*'

robotnas=$(for_everybody)
if as_nobody "$robotnas" --version >"$folder/said/out" 2>&1; then
    state_begin
    chmod a+rx .
    chmod a+r ./*
    chmod 0 run.h5
    refused 'unreadable as state file' 'cannot open run.h5: Permission denied' as_nobody "$robotnas" report run.h5
    chmod 0 table.csv
    refused 'unreadable as table' 'job.yaml:6:10: pool.table: cannot open *table.csv: Permission denied' as_nobody "$robotnas" check job.yaml
    chmod 0 job.yaml
    refused 'unreadable as job' 'cannot open job.yaml: Permission denied' as_nobody "$robotnas" check job.yaml
else
    skip_part "unreadable files: $(head -n 1 "$folder/said/out")"
fi

# ---- On two ranks: still one line ----

state_begin
refused 'bad option on two ranks' "search: *'--fast'*" ranks 2 "$ROBOTNAS" search --fast job.yaml
refused 'bad job on two ranks' '*nowhere.yaml*' ranks 2 "$ROBOTNAS" search nowhere.yaml
refused 'bad state on two ranks' '*belongs to another job*' ranks 2 "$ROBOTNAS" search job.yaml --resume --set seed=4
sed -i '3s/$/,1/' table.csv
refused 'bad table on two ranks' '*table.csv:3: *' ranks 2 "$ROBOTNAS" search job.yaml --fresh

end_of_refusals
