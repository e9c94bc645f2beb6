# shellcheck shell=bash
# What the system tests share. Sourced; the environment gives ROBOTNAS (the binary), MPIEXEC, ROBOTNAS_SOURCE and
# ROBOTNAS_SHARED. A test works in a folder of its own, which goes when it ends.
set -euo pipefail

: "${ROBOTNAS:?}" "${ROBOTNAS_SOURCE:?}" "${MPIEXEC:=mpiexec}"
folder=$(mktemp -d)
cd "$folder"

# Ends what the test left in the background, then removes its folder.
leave() {
    local pid
    for pid in $(jobs -pr); do
        kill "$pid" || true
        wait "$pid" || true
    done
    rm -rf "$folder"
}
trap leave EXIT

# Jobs that leave their device open compute on the CPU, on a machine with GPUs, too.
export NAS_LIBCUDA=${NAS_LIBCUDA:-/none/libcuda.so.1} NAS_LIBHIP=${NAS_LIBHIP:-/none/libamdhip64.so}

example=$ROBOTNAS_SOURCE/jobs/tables/fashion-mnist-mini.csv

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# skip_part REASON: say that a part of the test is left out; tests/run.sh lists it.
skip_part() {
    printf 'SKIPPED: %s\n' "$*"
}

# skip REASON: end as skipped, naming what is missing. Before any work: a test of which a part can run says skip_part.
skip() {
    skip_part "$@"
    exit 77
}

# have_tables: whether the published tables are there; sets ROBOTNAS_TABLES.
have_tables() {
    export ROBOTNAS_TABLES=$ROBOTNAS_SHARED/data/tables
    [ -d "$ROBOTNAS_TABLES" ]
}

# need_tables: skip where they are not.
need_tables() {
    have_tables || skip "the published tables are not at $ROBOTNAS_TABLES"
}

# ranks N COMMAND...: under mpiexec with N ranks.
ranks() {
    local n=$1
    shift
    "$MPIEXEC" -n "$n" "$@"
}

# is_sanitized: whether the binary was built with AddressSanitizer, which makes it several times slower.
is_sanitized() {
    grep -q __asan_init "$ROBOTNAS"
}

# skip_sanitized REASON: skip where a sanitizer would look at nothing new: the reason says what it sees of this elsewhere.
skip_sanitized() {
    ! is_sanitized || skip "without sanitizers only: $*"
}

# python_with MODULE: prints a Python that has the module, by its own path: a wrapper in PATH may run it; fails where there is none.
python_with() {
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c "import $1, sys; print(sys.executable)" 2>/dev/null && return
    done
    return 1
}

# for_everybody: prints a copy of the program that every user may run, in the test's folder, which it opens.
for_everybody() {
    chmod a+rx "$folder"
    [ -e "$folder/everybody/robotnas" ] || install -D -m 755 "$ROBOTNAS" "$folder/everybody/robotnas"
    echo "$folder/everybody/robotnas"
}

# as_nobody COMMAND...: without the rights of root.
as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

# noting_ranks N COMMAND...: as ranks; each rank first notes its process in a file pid.RANK.
noting_ranks() {
    # shellcheck disable=SC2016 # the ranks expand it
    ranks "$1" sh -c 'echo $$ >"pid.$OMPI_COMM_WORLD_RANK"; exec "$0" "$@"' "${@:2}"
}

# noted_ended: none of the noted processes runs any more; one that nobody has waited for has ended, too.
noted_ended() {
    local file
    for file in pid.*; do
        ! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$(cat "$file")/status" || return 1
    done
}

# need_faults: skip where the binary has no fault points (common/base/fault.h). A dead rank leaves others that wait for it and never
# end: mpiexec kills them at once.
need_faults() {
    grep -q NAS_FAULT "$ROBOTNAS" || skip "the binary has no fault points (-DROBOTNAS_FAULTS=ON)"
    export OMPI_MCA_odls_base_sigkill_timeout=0
}

# strike POINT:N:SIGNAL RANK COMMAND...: run it on two ranks, one of which is struck, with stdout and stderr in files out and
# err. Sets code.
strike() {
    code=0
    rm -f pid.*
    # shellcheck disable=SC2016 # the ranks expand it
    NAS_FAULT=$1 STRUCK=$2 noting_ranks 2 sh -c \
        '[ "$OMPI_COMM_WORLD_RANK" = "$STRUCK" ] || unset NAS_FAULT; exec "$0" "$@"' "${@:3}" >out 2>err || code=$?
    wait_for noted_ended # mpiexec does not wait for the ranks that it kills
    expect_no_finding err
}

# same_report RUN.h5: what equal runs share of their report, byte for byte.
same_report() {
    "$ROBOTNAS" report "$1" --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
del report["timing"]
print(json.dumps(report, indent=1))'
}

# recomputed RUN TABLE.csv OPTION...: RUN.h5, of a NAS-Bench-201 job, and its report, left in RUN.json, are what the table says;
# the options say which columns the job names (recompute.py).
recomputed() {
    local python options=("${@:3}")
    "$ROBOTNAS" report "$1.h5" --json >"$1.json"
    if python=$(python_with h5py); then options+=(--state "$1.h5"); fi
    "${python:-python3}" "$ROBOTNAS_SOURCE/tests/system/recompute.py" "$1.json" "$2" "${options[@]}" ||
        fail "$1 is not what $2 says"
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
    expect_no_finding out err
}

# expect_no_finding FILE...: no sanitizer wrote there, whatever the exit code was.
expect_no_finding() {
    if grep -E 'Sanitizer|runtime error' "$@" >&2; then fail 'a sanitizer found something'; fi
}

# follow_next: the commands that the end of the log in out names all succeed; leaves them in next.
follow_next() {
    sed '1,/^Next$/d' out >next
    [ -s next ] || fail "the log names no next commands: $(<out)"
    mkdir -p next.d
    ln -sf "$ROBOTNAS" next.d/robotnas
    expect_exit 0 env PATH="$PWD/next.d:$PATH" bash -euo pipefail next
    rm -r next.d
}

# wide_table FILE: 2,000 architectures with metrics m0 and m1 and an objective acc.
wide_table() {
    awk 'BEGIN {srand(1); print "arch,m0,m1,acc"
                for (i = 0; i < 2000; i++) printf "a%d,%f,%f,%f\n", i, rand(), rand(), rand()}' >"$1"
}

# small_job FILE: a job on the embedded example table, 3 repeats of 12 evaluations.
small_job() {
    cat >"$1" <<JOB
name: small
seed: 3
output: small.h5
pool: {space: table, table: $example, encoding: nas-bench-201}
metrics:
  names: [grad_norm, snip, grasp, fisher, synflow, jacob_cov]
  transform: {synflow: log}
objective:
  kind: table
  column: valid_accuracy
  cost: flops
  report: [test_accuracy]
search: {method: robot, budget: 12, repeats: 3}
JOB
}

# smaller FILE EDIT...: each edit of it, by sed, finds something.
smaller() {
    local edit file=$1
    for edit in "${@:2}"; do
        sed -i.before "$edit" "$file"
        ! cmp -s "$file" "$file.before" || fail "$file has nothing for $edit"
    done
    rm "$file.before"
}

# seed_draws: begin the draws of a test, from NAS_TEST_SEED where that is set.
seed_draws() {
    RANDOM=${NAS_TEST_SEED:=1}
    printf 'seed %d\n' "$NAS_TEST_SEED"
}

# draw NAME LOW HIGH: set NAME to an integer in [LOW, HIGH].
draw() {
    printf -v "$1" %d $(($2 + (RANDOM * 32768 + RANDOM) % ($3 - $2 + 1)))
}

# wait_for COMMAND...: until it succeeds, for 180 s at most.
wait_for() {
    local end=$((SECONDS + 180))
    until "$@"; do
        ((SECONDS < end)) || fail "waited in vain for: $*"
        sleep 0.02
    done
}

# expect_line FILE PATTERN: exactly one line of FILE matches.
expect_line() {
    local n
    n=$(grep -c -e "$2" "$1") || true
    [ "$n" = 1 ] || {
        cat "$1" >&2
        fail "$n lines instead of 1 match '$2'"
    }
}

# expect_report RUN.h5 FILE: the run reports what FILE holds.
expect_report() {
    same_report "$1" >report
    diff "$2" report >&2 || fail "the report of $1 differs from $2"
}
