# shellcheck shell=bash
# What the batch scripts share: how a run is started, stopped in time, and started again.
#
# A batch script calls `run COMMAND JOB [OPTION]...`, which never returns. It always starts robotnas with --resume, so that
# every start of the job is the same, and afterwards decides by the exit code and by the saved state:
#
#   complete                        the report is in the log; exit 0
#   refused (exit code 2)           the job is wrong and would be so again; exit 2
#   stopped by Slurm                the time limit is near (USR1 to this script) or the job is preempted: requeued
#   stopped by a person             (SIGTERM to the ranks, OUTPUT.stop): saved; exit 75
#   cancelled                       (SIGTERM to this script): whatever comes of it; no requeue
#   failed                          a rank or a node was lost, the disk is full: requeued, if there is a state to go on with or
#                                   a signal ended it, as a crash while MPI starts
#
# No job is requeued for ever: OUTPUT.restarts counts the restarts in a row that brought no progress. Progress is an evaluation
# or a score more, or a file of a candidate that was written (a training saves its steps there). Where a node is lost together
# with this script, Slurm requeues by itself; so they are counted at the start.
#
# ROBOTNAS_ENV names the site's values (env.sh). Needs the folder of this file in `here`.

# shellcheck source=slurm/env.sh
. "${ROBOTNAS_ENV:-$here/env.sh}"

say() {
    printf '%s slurm: %s\n' "$(date '+%F %T')" "$*"
}

# give_up CODE REASON: end the job for good.
give_up() {
    say "$2"
    exit "$1"
}

load_modules() {
    local module
    for module in $ROBOTNAS_MODULES; do module load "$module"; done
}

# ---- Jobs ----

# resolve COMMAND JOB [OPTION]...: check the job and set resolved to its text. Fails where robotnas refuses it.
resolve() {
    local option=()
    [ "$1" = search ] || option=(--score)
    resolved=$("$ROBOTNAS" check "${@:2}" "${option[@]}")
}

# value KEY: of the resolved job; a key below another one by its own name, which is then the first of this name.
value() {
    sed -n "s/^ *$1: \"\{0,1\}\(.*[^\"]\)\"\{0,1\}$/\1/p" <<<"$resolved" | head -n 1
}

# task_of INDEX COMMAND JOB [OPTION]...: set task to the arguments of task INDEX of an array over seeds: the seeds of its repeats
# follow those of the task before, and its output is named by the first of them.
task_of() {
    local seed repeats output
    resolve "${@:2}" || return
    seed=$(value seed) repeats=$(value repeats) output=$(value output)
    seed=$((seed + $1 * ${repeats:-1}))
    task=("${@:2}" --set "seed=$seed" --set "output=${output%.h5}-s$seed.h5")
}

# line_of INDEX COMMAND LIST [OPTION]...: set task to the arguments of task INDEX of an array over the jobs that a file lists, one
# a line.
line_of() {
    local job
    job=$(sed -n "$(($1 + 1))p" "$3")
    [ -n "$job" ] || return
    # shellcheck disable=SC2034 # the caller's
    task=("$2" "$job" "${@:4}")
}

# ---- The saved state ----

# look: set complete (true or false; empty: no state is there), n_done, n_events and last_event.
look() {
    local report
    complete='' n_done=0 n_events=0 last_event=''
    report=$("$ROBOTNAS" report "$output" --json 2>/dev/null) || return 0
    complete=$(sed -n 's/^  "complete": \(.*\),$/\1/p' <<<"$report")
    n_done=$(awk '/^ +"status": /  {n++}
                  /^ +"done": /    {gsub("[^0-9]", ""); n += $0}
                  END {print n + 0}' <<<"$report")
    n_events=$(grep -c '^ *"text": ' <<<"$report")
    last_event=$(sed -n 's/^ *"text": "\(.*\)"$/\1/p' <<<"$report" | tail -n 1)
}

# candidates_moved: whether a candidate's file was written since the last start.
candidates_moved() {
    [ -n "$(find "$output.d" -name '*.h5' -newer "$output.restarts" -print -quit 2>/dev/null)" ]
}

# count: set stalls, the restarts in a row without progress that a restart now would make. Call look first.
count() {
    local job='' before=0 n=0
    read -r job before n 2>/dev/null <"$output.restarts" || true
    stalls=0
    [ "$job" = "$SLURM_JOB_ID" ] || return 0
    ((n_done > before)) || candidates_moved || stalls=$((n + 1))
}

# note: remember the start of this run. Fails where the output's folder cannot be written.
note() {
    mkdir -p "$(dirname "$output")" &&
        printf '%s %s %s\n' "$SLURM_JOB_ID" "$n_done" "$stalls" >"$output.restarts.new" &&
        mv "$output.restarts.new" "$output.restarts"
} 2>/dev/null

# ---- Ending and going on ----

# is_preempted: whether Slurm has chosen this job to make room for another one.
is_preempted() {
    scontrol show job "$SLURM_JOB_ID" | grep -q 'PreemptTime=[0-9]'
}

# requeue REASON CODE: start the job again later, unless it gets nowhere.
requeue() {
    count
    if ((stalls > ROBOTNAS_RESTARTS)); then
        give_up "$2" "$1; not requeued: $ROBOTNAS_RESTARTS restarts in a row have brought no progress"
    fi
    [ -n "$counted" ] || give_up "$2" "$1; not requeued: restarts cannot be counted, as $output.restarts cannot be written"
    say "$1; $n_done done, requeueing (restart $((${SLURM_RESTART_COUNT:-0} + 1)), $stalls in a row without progress)"
    if ! scontrol requeue "$SLURM_JOB_ID"; then
        give_up "$2" "this cluster does not requeue it; submit the same again, and it goes on"
    fi
    # Slurm now ends this script, and starts it again later.
    sleep 60 &
    wait $!
    exit "$2"
}

# decide CODE: what follows from how the run ended.
decide() {
    look
    if [ "$1" = 0 ] && [ "$complete" = true ]; then
        if [ "$was_complete" = true ]; then "$ROBOTNAS" report "$output"; fi
        rm -f "$output.restarts"
        give_up 0 "complete: $output"
    fi
    [ "$1" != 2 ] || give_up 2 "refused (exit code 2), see above; it would be again"
    [ -z "$cancelled" ] || give_up "$1" "ended from outside with exit code $1; $output has $n_done done"
    # mpirun has other exit codes than that of its ranks where it is signalled, too.
    if [ "$1" = 75 ] || { ((n_events > n_before)) && [[ $last_event == 'stopped by '* ]]; }; then
        if [ -n "$warned" ]; then requeue "stopped by SIGUSR1, which announces the time limit" 75; fi
        if is_preempted; then requeue "preempted" 75; fi
        give_up 75 "stopped on request; $output has $n_done done, submit the same again to go on"
    fi
    if [ -n "$complete" ] || (($1 > 128)); then requeue "failed (exit code $1)" "$1"; fi
    give_up "$1" "failed (exit code $1) with nothing saved"
}

# pass_on: tell the ranks to save and end. SIGUSR1 to the launcher reaches them under srun and mpirun alike; at SIGTERM both of
# these would kill the ranks.
pass_on() {
    [ -z "$launcher" ] || kill -USR1 "$launcher"
} 2>/dev/null

# await PID: set code to its exit code. A signal that is trapped ends a wait, but not the process waited for.
await() {
    local interrupted=1
    while [ -n "$interrupted" ]; do
        caught=''
        code=0
        wait "$1" || code=$?
        interrupted=$caught
    done
}

# launch COMMAND JOB [OPTION]...: start the ranks and wait for their end; sets code.
launch() {
    local words
    read -ra words <<<"$ROBOTNAS_LAUNCH"
    look
    n_before=$n_events
    "${words[@]}" "$ROBOTNAS" "$@" --resume &
    launcher=$!
    await "$launcher"
    launcher=''
}

# launch_failed: whether it ended before the run began, which the run notes in its state. MPI may crash as it starts, and Slurm
# cannot start the same step again on a node that lost its power during it (Slurm 22.05: srun returns 137 or, if no rank was
# started, 0); the next step has another number.
launch_failed() {
    ((code == 0 || code > 128)) && [ -z "$warned$cancelled" ] || return
    look
    [ "$complete" != true ] && ((n_events == n_before))
}

# run COMMAND JOB [OPTION]...: see above.
run() {
    local launcher='' cancelled='' warned='' caught='' counted='' resolved output code attempt
    local complete was_complete n_done n_events n_before last_event stalls
    trap 'caught=1; warned=1; pass_on' USR1
    trap 'caught=1; cancelled=1; pass_on' TERM
    load_modules
    say "job $SLURM_JOB_ID on $SLURM_JOB_NODELIST, start $((${SLURM_RESTART_COUNT:-0} + 1))"
    resolve "$@" || give_up 2 "the job is refused"
    output=$(value output)
    look
    was_complete=$complete
    count
    if ((stalls > ROBOTNAS_RESTARTS)); then
        give_up 1 "given up: $ROBOTNAS_RESTARTS restarts in a row have brought no progress; $output has $n_done done"
    fi
    if note; then counted=1; fi

    export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
    # srun does not take this over from sbatch by itself since Slurm 22.05.
    export SRUN_CPUS_PER_TASK=$OMP_NUM_THREADS
    [ -z "$warned$cancelled" ] || decide 75
    for attempt in 1 2 3; do
        launch "$@"
        launch_failed || break
        say "the ranks were not started (exit code $code, attempt $attempt of 3)"
        ((code > 0)) || code=1
    done
    decide "$code"
}
