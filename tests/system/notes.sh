#!/usr/bin/env bash
# What nothing forbids and nobody may have meant is said: by check as a line "# note: ...", by a run when it starts. It is
# said of what is there, and of nothing else.
# shellcheck disable=SC2016 # what jobs know by $ is meant as it stands
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
here=$ROBOTNAS_SOURCE/tests/system

# notes_of JOB [OPTION]...: the notes of check, in a file notes.
notes_of() {
    expect_exit 0 "$ROBOTNAS" check "$@"
    sed -n 's/^# note: //p' out >notes
}

# noted PATTERN: exactly one note matches.
noted() {
    expect_line notes "$1"
}

awk 'BEGIN {print "arch,m1,m2,m3,acc"; for (i = 1; i <= 30; i++) print "a" i "," i % 7 ",5," i - 10 "," i * 7 % 31}' >table.csv
cat >job.yaml <<'JOB'
name: small
pool: {space: table, table: table.csv}
metrics: {names: [m1, m3]}
objective: {kind: table, column: acc}
search: {method: robot, budget: 4}
JOB

notes_of job.yaml
[ ! -s notes ] || fail "notes about a job that has no fault"

# ---- Metrics and objective of a table ----

notes_of job.yaml --set 'metrics.names=[m1, m2]'
noted '^metric m2 is the same for every architecture: it tells nothing apart and gets no weight$'
[ "$(wc -l <notes)" = 1 ] || fail "more notes than one"
notes_of job.yaml --set 'metrics.names=[m2]' --set 'metrics.transform={m2: exp}'
noted '^metric m2 is the same for every architecture after transform exp: '
noted '^no metric tells architectures apart: the search follows the order of the pool$'
notes_of job.yaml --set 'metrics.names=[m2]' --set 'metrics.transform={m2: exp}' --set search.method=pool-gp
noted '^metric m2 is the same for every architecture: it tells nothing apart and is left out$'
noted '^metrics.transform has no effect: method pool-gp goes by the ranks of what is measured$'
noted '^no metric tells architectures apart: the search draws at random$'
notes_of job.yaml --set 'metrics.names=[]' --set search.method=pool-gp --set search.repeats=2
noted '^no metrics and no pool.encoding: the search draws at random$'
[ "$(wc -l <notes)" = 1 ] || fail "more notes than one"
notes_of job.yaml --set search.method=pool-gp --set search.repeats=2
noted '^search.repeats: method pool-gp hides nothing of a pool below 100, so that its repeats go the same way until one draws: their deviation says nothing$'
notes_of job.yaml --set search.method=pool-gp --set search.repeats=2 --set search.hidden=0
noted '^search.repeats: method pool-gp hides nothing where search.hidden is 0, so that '
notes_of job.yaml --set search.method=pool-gp
[ ! -s notes ] || fail "a note about a single repeat"
notes_of job.yaml --set 'metrics.transform={m3: log}'
noted '^metric m3 has 20 values after transform log of 30, which must be above 0; the others count as its lowest$'

notes_of job.yaml --set 'metrics.names=[m1, acc]' --set 'objective.report=[m1]' --set objective.cost=m3
noted "^metric acc is the objective's own column: the search would be told what it is to find$"
noted '^metric m1 is a column that is reported as a result: the search would be told it before$'
[ "$(wc -l <notes)" = 2 ] || fail "more notes than two"
notes_of job.yaml --set objective.cost=m3
[ ! -s notes ] || fail "a note about the column of costs"
notes_of job.yaml --set 'metrics.names=[m1, acc]' --set search.method=random
[ ! -s notes ] || fail "a note about metrics that the method does not look at"

sed -E '3,$s/^([^,]*),[^,]*/\1,/' table.csv >one.csv
notes_of job.yaml --set pool.table=one.csv
noted '^metric m1 is known for one architecture only: it tells nothing apart and gets no weight$'
[ "$(wc -l <notes)" = 1 ] || fail "more notes than one"

sed -E '3,7s/^([^,]*),[^,]*/\1,/; 4,5s/,[^,]*$/,nan/' table.csv >holes.csv
notes_of job.yaml --set pool.table=holes.csv --set search.method=pool-gp
noted '^metric m1 has values for 25 of 30 architectures; the others count as the middle of the pool$'
notes_of job.yaml --set pool.table=holes.csv
noted '^metric m1 has values for 25 of 30 architectures; the others count as its lowest$'
noted '^objective.column: acc has values for 28 of 30 architectures; '
[ "$(wc -l <notes)" = 2 ] || fail "more notes than two"

"$ROBOTNAS" search job.yaml --set pool.table=holes.csv --set 'metrics.names=[m1, m2]' >page 2>log
expect_line log 'note: metric m1 has values for 25 of 30 architectures; '
expect_line log 'note: metric m2 is the same for every architecture: '
expect_line page '^  m2  *-  tells nothing apart$'
"$ROBOTNAS" report small.h5 --json >weights.json
python3 -c '
import json
weights = json.load(open("weights.json"))["repeats"][0]["weights"]
assert weights["m2"] is None and -1 <= weights["m1"] <= 1, weights'

# ---- Output ----

notes_of job.yaml
noted '^output: a run is at small.h5 already; --resume goes on with it, --fresh starts anew$'
notes_of job.yaml --set output=table.csv/run.h5
noted '^output: nothing can be written into table.csv: Not a directory$'
notes_of job.yaml --set output=new/folder/run.h5
[ ! -s notes ] || fail "notes about an output in a new folder"
[ ! -e new ] || fail "check makes folders"

# ---- A command ----

sed -i 's/kind: table, column: acc/kind: command, command: [sh, "~\/train.sh", "$DATA", "{arch}"]/' job.yaml
notes_of job.yaml --set output=other.h5
noted '^objective.command: the argument ~/train.sh is passed on as it stands; no shell '
noted '^objective.command: the argument $DATA is passed on as it stands; no shell '
notes_of job.yaml --set output=other.h5 --set 'objective.command=[sh, -c, "echo $HOME {arch}"]'
[ ! -s notes ] || fail "notes about a script"

# ---- Scores: of a part of the pool, with another seed, network and images ----

python3 "$here/idx.py" gray 16 16
python3 "$here/idx.py" other 16 16
cat >score.yaml <<'JOB'
name: scored
seed: 1
pool: {space: nas-bench-201, subset: {sample: 8}}
network: {channels: 4, cells: 1}
data: {format: idx, train: [gray, gray.labels]}
metrics: {source: compute, names: [params, flops], batch: 4}
JOB
"$ROBOTNAS" score score.yaml >/dev/null 2>&1
cat >search.yaml <<'JOB'
name: search
seed: 1
pool: {space: nas-bench-201, subset: {sample: 8}}
network: {channels: 4, cells: 1}
data: {format: idx, train: [gray, gray.labels]}
metrics: {source: scores, file: scored.h5, names: [params, flops]}
objective: {kind: train, epochs: 400, batch: 4}
search: {method: robot, budget: 2}
JOB
notes_of search.yaml
[ ! -s notes ] || fail "notes about scores of the same seed, network and images"
notes_of search.yaml --set seed=2 --set pool.subset=all --set network.channels=8 --set 'data.train=[other, other.labels]'
noted '^metrics.file: .*scored.h5 has scores for 8 of the pool.s 15625 architectures; the others count as the lowest$'
noted '^metrics.file: scored with seed 1, this job has 2$'
noted '^metrics.file: scored with network.channels 4, this job has 8$'
noted '^metrics.file: scored with data.train .*gray.*, this job has .*other'
[ "$(wc -l <notes)" = 4 ] || fail "$(cat notes)"
