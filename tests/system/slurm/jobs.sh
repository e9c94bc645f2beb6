# shellcheck shell=bash
# What the tests on a cluster share besides cluster.sh: jobs, and what became of them.

: "${example:?}"
submit=$ROBOTNAS_SOURCE/slurm/submit
export ROBOTNAS ROBOTNAS_SIGNAL_S=20

# slow_job NAME BUDGET: NAME.yaml, a search whose candidates take CANDIDATE_S seconds each, two at a time, of no computing; and its
# report, NAME.expected, as of a run that nothing disturbs.
slow_job() {
    cat >"$1.yaml" <<JOB
name: $1
seed: 3
output: $1.h5
pool: {space: table, table: $example}
metrics: {names: [grad_norm, snip, synflow]}
objective:
  kind: command
  command: [sh, -c, 'sleep "\$CANDIDATE_S"; echo "{{\"score\": \$((\$1 * 7919 % 1009))}}"', sh, "{index}"]
search: {method: robot, budget: $2, parallel: 2}
JOB
    [ -e "$2.expected" ] || {
        CANDIDATE_S=0 expect_exit 0 "$ROBOTNAS" search "$1.yaml" --set "output=undisturbed.h5" --fresh
        same_report undisturbed.h5 >"$2.expected"
    }
    sed "s/^ \"job\": .*/ \"job\": \"$1\",/" "$2.expected" >"$1.expected"
}

# submit_job ARGUMENT...: sets id to the job's, that of the last one of several.
submit_job() {
    expect_exit 0 "$submit" "$@"
    id=$(sed -n 's/^submitted .* as job \([0-9]*\):.*/\1/p' out | tail -n 1)
    [ -n "$id" ] || fail "submit names no job: $(<out)"
}

# of_job ID FIELD: what Slurm knows of it.
of_job() {
    scontrol show job "$1" --oneliner | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

job_is() {
    [[ $(of_job "$1" JobState) == "$2" ]]
}

# await_job ID STATE: until it is in it, for four minutes at most.
await_job() {
    local end=$((SECONDS + 240)) state
    while state=$(of_job "$1" JobState) && [ "$state" != "$2" ]; do
        [[ $state == PENDING || $state == RUNNING || $state == COMPLETING ]] ||
            fail "job $1 is $state instead of $2: $(cat ./*-"$1"*.log)"
        ((SECONDS < end)) || fail "job $1 is $state for too long: $(cat ./*-"$1"*.log)"
        sleep 0.3
    done
}

# n_done RUN.h5: evaluations so far.
n_done() {
    "$ROBOTNAS" report "$1" --json 2>/dev/null | grep -c '"status"'
}

# is_under_way RUN.h5: it has evaluated something.
is_under_way() {
    (($(n_done "$1") > 1))
}

# events RUN.h5 PATTERN: how many of its events match.
events() {
    "$ROBOTNAS" report "$1" --json | grep '"text"' | grep -c -e "$2"
}

# rank_pid JOB.yaml RANK: the process of a rank of its run.
rank_pid() {
    local pid
    for pid in $(pgrep -f "^[^ ]*robotnas (search|score) $1"); do
        grep -qz "^SLURM_PROCID=$2\$" "/proc/$pid/environ" 2>/dev/null &&
            grep -qs slurmstepd "/proc/$(ps -o ppid= "$pid" | tr -d ' ')/comm" && echo "$pid" && return
    done
    fail "no rank $2 of $1 is running"
}

# expect_log ID PATTERN: a line of the job's log matches.
expect_log() {
    grep -q -e "$2" ./*-"$1"*.log || fail "no line of the log of job $1 is '$2': $(cat ./*-"$1"*.log)"
}

# took WHAT: say that it is done, and when.
took() {
    printf '%3d s: %s\n' "$SECONDS" "$1"
}
