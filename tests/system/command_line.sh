#!/usr/bin/env bash
# The command line: help, versions, check, report, and what never starts MPI.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# expect_refusal PATTERN: the last command of expect_exit said one line on stderr, and that.
expect_refusal() {
    local line
    line=$(<err)
    # shellcheck disable=SC2053 # the pattern is one
    [[ $line == robotnas:\ $1 && $(wc -l <err) = 1 ]] || fail "expected 'robotnas: $1', found: $line"
}

# to_full COMMAND...: with a full device for its output.
to_full() {
    "$@" >/dev/full
}

# widest FILE: characters of its longest line.
widest() {
    awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }' "$1"
}

# ---- Help and versions ----

commands=(init search score check report export verify bench convert)
expect_exit 0 "$ROBOTNAS" --help
methods=(pool-gp robot random rea reinforce single)
for word in "${commands[@]}" "${methods[@]}"; do
    grep -q "^  $word " out || fail "--help does not list $word"
done
expect_exit 0 "$ROBOTNAS" search --help
for word in "${methods[@]}"; do
    grep -q "^  $word " out || fail "search --help does not list $word"
done
expect_line out '^  pool-gp .* (the default)$'
for command in "" "${commands[@]}"; do
    for option in --help -h; do
        # shellcheck disable=SC2086 # no command is no word
        expect_exit 0 "$ROBOTNAS" $command $option
        [ ! -s err ] || fail "$command $option: $(<err)"
        grep -q "^usage: robotnas ${command:-COMMAND}" out || fail "$command $option says no usage"
        [ "$(widest out)" -le 100 ] || fail "$command $option is $(widest out) columns wide"
    done
done

expect_exit 0 "$ROBOTNAS" --version
grep -Eq '^robotnas [0-9]+\.[0-9]+\.[0-9]+ \(commit ([0-9a-f]{7,}\+?|unknown)\)$' out || fail "--version: $(head -n 1 out)"
for library in MPI HDF5 OpenBLAS NLopt libyaml libcsv jansson libpng protobuf crypto; do
    grep -Eq "^$library +.*[0-9]" out || fail "--version says nothing of $library"
done

# ---- check ----

small_job small.yaml
expect_exit 0 "$ROBOTNAS" check small.yaml --set search.budget=7
[ ! -s err ] || fail "check: $(<err)"
grep -q '^  budget: 7$' out || fail "check ignores --set"
cp out resolved.yaml
mkdir elsewhere
(
    cd elsewhere
    expect_exit 0 "$ROBOTNAS" check ../resolved.yaml
    cmp out ../resolved.yaml || fail "check is no fixed point"
)
rm -r elsewhere
expect_exit 0 "$ROBOTNAS" check small.yaml --ranks 64
grep -q '^# ranks: *64 in' out || fail "check ignores --ranks"
[ "$(echo *)" = "err out resolved.yaml small.yaml" ] || fail "check left something: $(echo *)"
expect_exit 1 to_full "$ROBOTNAS" check small.yaml
expect_refusal '*cannot be written*'
expect_exit 1 to_full "$ROBOTNAS" check --schema
expect_refusal '*cannot be written*'
expect_exit 2 "$ROBOTNAS" check --schema small.yaml
expect_refusal "check: --schema takes no job*"

# ---- report, on a finished and an unfinished run ----

# check_report RUN.h5: text of at most 80 columns; JSON with the keys of docs/report.md in their order.
check_report() {
    expect_exit 0 "$ROBOTNAS" report "$1"
    [ ! -s err ] || fail "report: $(<err)"
    [ "$(widest out)" -le 80 ] || fail "report is $(widest out) columns wide"
    expect_exit 0 "$ROBOTNAS" report "$1" --json
    [ ! -s err ] || fail "report --json: $(<err)"
    python3 - out <<'PYTHON'
import json, sys

report = json.load(open(sys.argv[1]))
evaluation = ["arch", "target", "cost", "phase", "status"]
statistics = ["mean", "std", "min", "max"]
summary = ["t0", "cost", "target", "pool_rank", "columns", "precision_at_t", "expected_rank"]

assert list(report) == ["program", "version", "job", "method", "budget", "n_arch", "metrics", "complete", "repeats",
                        "summary", "timing"], list(report)
assert len(report["repeats"]) == 3
for repeat in report["repeats"]:
    assert list(repeat) == ["seed", "t0", "cost", "best", "precision_at_t", "expected_rank", "weights", "evaluations"]
    assert repeat["best"] is None or list(repeat["best"]) == ["arch", "target", "columns", "pool_rank"]
    assert repeat["weights"] is None or list(repeat["weights"]) == report["metrics"]
    assert all(list(e) == evaluation for e in repeat["evaluations"])
assert list(report["summary"]) == summary, list(report["summary"])
for name, entry in report["summary"].items():
    for figure in entry.values() if name == "columns" else [entry]:
        assert list(figure) == statistics
PYTHON
}

expect_exit 0 "$ROBOTNAS" search small.yaml
check_report small.h5
grep -q '"complete": true' out || fail "a finished run is not complete"
name=$(printf 'long_%.0s' {1..20})
expect_exit 0 "$ROBOTNAS" search small.yaml --set "name=$name" --set output=long.h5
check_report long.h5
expect_exit 1 to_full "$ROBOTNAS" report small.h5
expect_refusal '*cannot be written*'
expect_exit 1 to_full "$ROBOTNAS" report small.h5 --json
expect_refusal '*cannot be written*'

# The second evaluation asks to stop, as does the first of a run that goes on, and waits to be ended; until they are let go on.
small_job stopped.yaml
sed -i '/^objective:/,/^  report:/d' stopped.yaml
cat >>stopped.yaml <<'JOB'
objective:
  kind: command
  command: [sh, -c, 'if [ -e first ] && [ ! -e go ]; then touch stopped.h5.stop; exec sleep 1000; fi; touch first; echo "{{\"score\": {index}}}"']
JOB
expect_exit 75 "$ROBOTNAS" search stopped.yaml --set output=stopped.h5
[ ! -e stopped.h5.stop ] || fail "the request to stop is still there"
check_report stopped.h5
grep -q '"complete": false' out || fail "a stopped run is complete"

# ---- The commands that the end of a log names ----

expect_exit 75 "$ROBOTNAS" search stopped.yaml --resume --set output=stopped.h5
touch go
follow_next
expect_line next '^  robotnas search stopped.yaml --set output=stopped.h5 --resume  *# '
check_report stopped.h5
grep -q '"complete": true' out || fail "the next command does not go on"
# What a shell, YAML and the job's paths take for something else.
expect_exit 0 "$ROBOTNAS" search small.yaml --set "output=\"it's \$\$(x) #1.h5\"" --set search.budget=12
follow_next
[ "$(grep -c '  # ' next)" = 3 ] || fail "not three commands: $(<next)"
[ -s "it's \$(x) #1-best.json" ] || fail "the best is not exported: $(<next)"
check_report "it's \$(x) #1-24.h5"
grep -q '"reused": [1-9]' out || fail "the larger budget does not take over what there is: $(<next)"
expect_exit 0 "$ROBOTNAS" search small.yaml --set output=all.h5 --set search.budget=399 --set search.method=random
follow_next
expect_line next ' --set seed=6 --set output=all-s6.h5 --reuse all.h5 '
expect_exit 0 "$ROBOTNAS" search small.yaml --set output=all.h5 --set search.budget=399 --set search.method=random --resume
if grep -q '^Next' out; then fail "a complete run that is started again says more than that"; fi

for method in random rea reinforce 'single --set search.metric=snip'; do
    # shellcheck disable=SC2086 # the method and an option
    expect_exit 0 "$ROBOTNAS" search small.yaml --fresh --set search.method=$method
    check_report small.h5
done

# ---- MPI ----

# With this setting MPI cannot start, as on a login node that forbids it.
without_mpi=(env OMPI_MCA_pml=none_of_this_name)
if "${without_mpi[@]}" "$ROBOTNAS" search small.yaml --fresh >out 2>err; then
    fail "search runs without MPI, so that the following shows nothing"
fi
expect_exit 0 "${without_mpi[@]}" "$ROBOTNAS" check small.yaml
expect_exit 0 "${without_mpi[@]}" "$ROBOTNAS" report small.h5
expect_exit 0 "${without_mpi[@]}" "$ROBOTNAS" report small.h5 --json
expect_exit 0 "${without_mpi[@]}" "$ROBOTNAS" --help
expect_exit 0 "${without_mpi[@]}" "$ROBOTNAS" --version
for command in "${commands[@]}"; do
    expect_exit 0 "${without_mpi[@]}" "$ROBOTNAS" "$command" --help
done

# What srun without --mpi=pmix does to a program: several tasks, each a world of its own.
expect_exit 2 env SLURM_STEP_NUM_TASKS=4 "$ROBOTNAS" search small.yaml --fresh
expect_refusal 'Slurm started 4 tasks*--mpi=pmix*'
expect_exit 0 env SLURM_STEP_NUM_TASKS=1 "$ROBOTNAS" search small.yaml --fresh
