# shellcheck shell=bash
# What the tests of scoring share besides lib.sh, which sources first: images, jobs on small networks, and their scores.

# has_cpu: whether the fast backend is built in.
has_cpu() {
    ! "$ROBOTNAS" verify --backend cpu "$ROBOTNAS_SOURCE/tests/data/reference-nopath.h5" 2>&1 | grep -q 'not built in'
}

backend=ref
! has_cpu || backend=cpu

# score_job FILE: a job that scores 24 cells on 300 images, which it makes beside the job as images.bin.
score_job() {
    [ -e images.bin ] || python3 "$ROBOTNAS_SOURCE/tests/system/images.py" images.bin 300 1
    cat >"$1" <<JOB
name: small
seed: 3
output: small.h5
backend: $backend
pool:
  space: nas-bench-201
  subset: {sample: 24}
metrics:
  source: compute
  names: [grad_norm, snip, grasp, fisher, synflow, jacob_cov, nwot, plain, l2_norm, params, flops]
  batch: 20
network: {channels: 8, cells: 1}
data:
  format: cifar-binary
  train: [images.bin]
checkpoint: {interval: 0}
JOB
}

# search_part: what a job that scores lacks for a search, on a table that objective_table makes.
search_part() {
    cat <<'JOB'
objective: {kind: table, table: objective.csv, column: accuracy, cost: seconds, report: [loss]}
search: {method: robot, budget: 8, repeats: 3}
JOB
}

# objective_table RUN.h5 FILE: a table of what it scored, every other architecture as NASLib writes it.
objective_table() {
    archs_of "$1" | python3 -c '
import re, sys
naslib = ["skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"]
place = [0, 1, 3, 2, 4, 5]
print("arch,accuracy,seconds,loss")
for i, line in enumerate(sys.stdin):
    operation = re.findall("([a-z0-9_]+)~", line)
    code = tuple(naslib.index(operation[p]) for p in place)
    name = f"\"{code}\"" if i % 2 else line.strip()
    print(f"{name},{sum(code) * 7 % 23 + i / 100},{10 + i % 5},{i % 7}")' >"$2"
}

# scores_of RUN.h5: its scores without what equal runs may differ in, the seconds.
scores_of() {
    "$ROBOTNAS" report "$1" --csv-scores - | sed 's/,[^,]*$//'
}

# archs_of RUN.h5: the names of what it scored.
archs_of() {
    scores_of "$1" | sed '1d;s/,.*//'
}

# expect_scores RUN.h5 FILE: the run has the scores that FILE holds.
expect_scores() {
    scores_of "$1" >scores
    diff "$2" scores >&2 || fail "the scores of $1 differ from $2"
}

# peak_kib COMMAND...: run it, with its output in files out and err; prints the most memory that it held at a time.
peak_kib() {
    python3 - "$@" <<'PY'
import os
import subprocess
import sys

with open("out", "w") as out, open("err", "w") as err:
    process = subprocess.Popen(sys.argv[1:], stdout=out, stderr=err)
_, status, usage = os.wait4(process.pid, 0)
if status != 0:
    sys.exit(f"FAILED: {' '.join(sys.argv[1:])}: {open('err').read()}")
print(usage.ru_maxrss)
PY
}
