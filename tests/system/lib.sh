# What the system tests share. Sourced; the environment gives ROBOTNAS (the binary), MPIEXEC, ROBOTNAS_SOURCE and
# ROBOTNAS_SHARED. A test works in a folder of its own, which goes when it ends.
set -euo pipefail

: "${ROBOTNAS:?}" "${ROBOTNAS_SOURCE:?}" "${MPIEXEC:=mpiexec}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

example=$ROBOTNAS_SOURCE/jobs/tables/example.csv

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# skip REASON: end as skipped, naming what is missing.
skip() {
    printf 'SKIPPED: %s\n' "$*"
    exit 77
}

# need_tables: skip where the published tables are not there; sets ROBOTNAS_TABLES.
need_tables() {
    export ROBOTNAS_TABLES=$ROBOTNAS_SHARED/data/tables
    [ -d "$ROBOTNAS_TABLES" ] || skip "the published tables are not at $ROBOTNAS_TABLES"
}

# ranks N COMMAND...: under mpiexec with N ranks.
ranks() {
    local n=$1
    shift
    "$MPIEXEC" -n "$n" "$@"
}

# same_report RUN.h5: what equal runs share of their report, byte for byte.
same_report() {
    "$ROBOTNAS" report "$1" --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
del report["timing"]
print(json.dumps(report, indent=1))'
}

# expect_exit CODE COMMAND...: run it with stdout and stderr in files out and err.
expect_exit() {
    local expected=$1 code=0
    shift
    "$@" >out 2>err || code=$?
    [ "$code" = "$expected" ] || {
        cat out err >&2
        fail "exit code $code instead of $expected: $*"
    }
}

# small_job FILE: a job on the embedded example table, 3 repeats of 12 evaluations.
small_job() {
    cat >"$1" <<JOB
name: small
seed: 3
output: small.h5
pool: {space: table, table: $example, encoding: nas-bench-201}
metrics:
  names: [grad_norm, snip, grasp, fisher, synflow, jacov]
  transform: {synflow: exp}
objective:
  kind: table
  column: cifar10_valid_acc_12ep
  cost: train_seconds_12ep
  report: [cifar10_test_acc]
search: {method: robot, budget: 12, repeats: 3}
JOB
}
