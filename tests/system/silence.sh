#!/usr/bin/env bash
# A rank that hangs while the others score: rank 0 names it, saves what it has and ends the job; --resume makes of the rest
# what a run has that nothing disturbed. Ranks that were suspended together, and woken, are not taken for hung ones.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

need_faults
limit_s=8
score_job job.yaml
expect_exit 0 "$ROBOTNAS" score job.yaml
scores_of small.h5 >undisturbed-scores
same_report small.h5 >undisturbed
rm small.h5*
run=(score job.yaml --set "silence=$limit_s")

# ---- A rank that hangs ----

# Before the first meeting, where nothing is saved but rank 0's own results, and before the second.
for round in 1 2; do
    strike "score:$round:STOP" 1 "$ROBOTNAS" "${run[@]}"
    [ "$code" != 0 ] || fail "a run that lost a rank says that all is well"
    expect_line err '^robotnas: rank 1 on [^ ]* has not answered for [0-9]* s; the job ends, run again with --resume$'
    if grep -q 'communication failed' err; then fail "a silent rank is called an error of communication: $(<err)"; fi
    same_report small.h5 >abandoned
    grep -q '"complete": false' abandoned || fail "the run that was ended says that it is complete"
    n_saved=$(scores_of small.h5 | grep -c ',ok$') || true
    ((n_saved >= round)) || fail "nothing of round $round is saved"
    printf 'rank 1 hung in round %d: %d architectures saved\n' "$round" "$n_saved"
    expect_exit 0 ranks 2 "$ROBOTNAS" "${run[@]}" --resume
    expect_scores small.h5 undisturbed-scores
    expect_report small.h5 undisturbed
    rm small.h5*
done

# ---- Ranks that sleep ----

# all_suspended: every noted process is stopped.
all_suspended() {
    local file
    for file in pid.0 pid.1; do
        grep -qs '^State:[[:space:]]*T' "/proc/$(cat "$file" 2>/dev/null)/status" || return 1
    done
}

rm -f pid.*
NAS_FAULT=score:2:STOP noting_ranks 2 "$ROBOTNAS" "${run[@]}" >out 2>err &
pid=$!
wait_for all_suspended
sleep $((limit_s + 2)) # longer than a rank may be silent
kill -CONT "$(<pid.0)"
kill -CONT "$(<pid.1)"
code=0
wait "$pid" || code=$?
[ "$code" = 0 ] || fail "exit code $code after all ranks slept: $(<err)"
expect_no_finding err
expect_scores small.h5 undisturbed-scores
expect_report small.h5 undisturbed

# ---- A rank that thinks ----

# Each leads a group of its own, and one step of its method takes longer than a rank may be silent.
wide_table wide.csv
cat >wide.yaml <<'JOB'
name: wide
output: wide.h5
pool: {space: table, table: wide.csv}
metrics: {names: [m0, m1]}
objective: {kind: table, column: acc}
search: {method: robot, budget: 250, parallel: 250, repeats: 2}
silence: 4
JOB
expect_exit 0 ranks 2 "$ROBOTNAS" search wide.yaml
