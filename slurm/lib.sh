# shellcheck shell=bash
# What the batch scripts share: how a run is started, stopped in time, and started again.
#
# A batch script calls `run COMMAND JOB [OPTION]...`, which never returns. It always starts robotnas with --resume, so that
# every start of the job is the same, and afterwards decides by the exit code and by the saved state:
#
#   complete                        the report is in the log; exit 0
#   refused (exit code 2)           the job is wrong and would be so again; exit 2
#   gave up, nothing succeeded      (exit code 1, and the state says so): it would end so again; exit 1
#   stopped by Slurm                the time limit is near (USR1 to this script) or the job is preempted: requeued
#   stopped by a person             (SIGTERM to the ranks, OUTPUT.stop): saved; exit 75
#   cancelled                       (SIGTERM to this script): whatever comes of it; no requeue
#   failed                          a rank or a node was lost, the disk is full: requeued, if there is a state to go on with or
#                                   a signal ended it, as a crash while MPI starts
#
# No job is requeued for ever: OUTPUT.restarts counts the restarts in a row that brought no progress. Progress is an evaluation
# or a score more, or a file of a candidate that has changed (a training saves its steps there). Where a node is lost together
# with this script, Slurm requeues by itself; so they are counted at the start.
#
# A run is asked to stop by a signal; where the signal shows no effect within ROBOTNAS_STOP_S seconds (a library of the program
# has taken it, or the launcher does not pass it on), by OUTPUT.stop, which the run obeys and removes.
#
# Files beside the output may be anybody's where others can write to its folder, and bash's arithmetic runs commands in what it
# evaluates: what such a file holds is read by read_own and passes `whole` before it is a number; files are made by write_own.
#
# ROBOTNAS_ENV names the site's values (env.sh). Needs the folder of this file in `here`.

# shellcheck source=slurm/env.sh
. "${ROBOTNAS_ENV:-$here/env.sh}"

self=${SLURM_JOB_ID:-} # this job, as scontrol takes it

# whole TEXT...: whether each is a whole number, in digits alone. Nothing else may reach arithmetic.
whole() {
    local LC_ALL=C text
    for text; do [[ $text =~ ^(0|[1-9][0-9]{0,17})$ ]] || return; done
}

# read_own FILE: print its beginning. Fails unless it is a regular file of this user's own, no link; a FIFO is not waited for.
read_own() {
    [ -f "$1" ] && [ ! -L "$1" ] && [ -O "$1" ] && dd if="$1" iflag=nofollow,nonblock bs=512 count=1 2>/dev/null
}

# write_own FILE TEXT [OPTION]...: put a file of this one line there; options are those of mv. It is made under a name that nobody
# knows before, and only if nothing is there (noclobber): no link is followed.
write_own() {
    local - new made=''
    set -o noclobber
    new=$(mktemp --dry-run -- "$1.XXXXXXXX") || return
    if printf '%s\n' "$2" >"$new" && mv --no-target-directory "${@:3}" -- "$new" "$1"; then made=1; fi
    rm -f -- "$new"
    [ -n "$made" ]
} 2>/dev/null

say() {
    printf '%s slurm: %s\n' "$(date '+%F %T')" "$*"
}

# give_up CODE REASON: end the job for good.
give_up() {
    say "$2"
    exit "$1"
}

load_modules() {
    local - module
    set +u # which modules are not written for
    for module in $ROBOTNAS_MODULES; do module load "$module" || return; done
}

# ask_slurm ARGUMENT...: scontrol, which a busy controller may not answer at once.
ask_slurm() {
    scontrol "$@" || { sleep 5 && scontrol "$@"; }
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
    sed -n "/^ *$1: /{s///; s/^\"\(.*\)\"$/\1/; s/\\\\\(.\)/\1/g; p; q}" <<<"$resolved"
}

# path KEY: as value, of a path, in which a $ is written $$.
path() {
    local text
    text=$(value "$1")
    printf '%s\n' "${text//'$$'/'$'}"
}

# task_of INDEX COMMAND JOB [OPTION]...: set task to the arguments of task INDEX of an array over seeds of the resolved job, output
# to its output: the seeds of its repeats follow those of the task before, and the output is named by the first of them.
task_of() {
    local seed repeats quote="'" text
    seed=$(value seed) repeats=$(value repeats) output=$(path output)
    repeats=${repeats:-1}
    whole "$1" "$seed" "$repeats" || return
    seed=$((seed + $1 * repeats))
    output=${output%.h5}-s$seed.h5
    text=${output//'$'/'$$'}
    task=("${@:2}" --set "seed=$seed" --set "output='${text//$quote/$quote$quote}'")
}

# line_of INDEX COMMAND LIST [OPTION]...: set task to the arguments of task INDEX of an array over the jobs that a file lists, one
# a line.
line_of() {
    local job
    whole "$1" || return
    job=$(sed -n "$(($1 + 1)){s/^\xef\xbb\xbf//; s/^[[:blank:]]*//; s/[[:space:]]*\$//; p; q}" "$3")
    [ -n "$job" ] || return
    # shellcheck disable=SC2034 # the caller's
    task=("$2" "$job" "${@:4}")
}

# ---- The saved state ----

# look: set complete and gave_up (true or false; empty: no state is there), n_done, n_events, last_event, and files, a sum of the
# candidates' files. Each has a digest of itself in its first 512 bytes. What is looked for in the report stands at its own depth
# there, as a text or a number: names of metrics and columns, which may be any, are keys of numbers at other depths.
look() {
    local report
    complete='' gave_up='' n_done=0 n_events=0 last_event=''
    files=$(find "$(readlink -m -- "$output").d/" -type f -name '*.h5' -print0 2>/dev/null | sort -z | xargs -0 -r head -qc 512 2>/dev/null | cksum)
    files=${files%% *}
    report=$("$ROBOTNAS" report "$output" --json 2>/dev/null) || return 0
    complete=$(sed -n 's/^  "complete": \(true\|false\),$/\1/p' <<<"$report")
    gave_up=$(sed -n 's/^  "gave_up": \(true\|false\),$/\1/p' <<<"$report")
    n_done=$(awk '/^          "status": "/   {n++}
                  /^    "done": [0-9]+,$/    {sub(",", ""); n += $2}
                  END                        {printf "%d\n", n}' <<<"$report")
    n_events=$(grep -c '^        "text": "' <<<"$report")
    last_event=$(sed -n 's/^        "text": "\(.*\)"$/\1/p' <<<"$report" | tail -n 1)
}

# count: set stalls, the restarts in a row without progress that a restart now would make, and n_events_first, the events that this
# job found at its first start; empty where that is not known. Call look first.
count() {
    local job='' done_before='' files_before='' n='' first='' is_first=''
    [ "${SLURM_RESTART_COUNT:-0}" != 0 ] || is_first=1
    stalls=0 n_events_first=${is_first:+${n_events:-0}}
    read -r job done_before files_before n first < <(read_own "$output.restarts") || true
    [ "$job" = "$SLURM_JOB_ID" ] && whole "$done_before" "$n" || return 0
    [ -n "$is_first" ] || ! whole "$first" || n_events_first=$first
    ((n_done > done_before)) || [ "$files" != "$files_before" ] || stalls=$((n + 1))
}

# note: remember the start of this run. Fails where the output's folder cannot be written.
note() {
    mkdir -p -- "$(dirname -- "$output")" &&
        write_own "$output.restarts" "$SLURM_JOB_ID $n_done $files $stalls $n_events_first"
} 2>/dev/null

# ---- Ending and going on ----

# is_preempted: whether Slurm has chosen this job to make room for another one.
is_preempted() {
    ask_slurm show job "$self" | grep -q 'PreemptTime=[0-9]'
}

# start_number: of this start of the job, from 1.
start_number() {
    local before=${SLURM_RESTART_COUNT:-0}
    whole "$before" || before=0
    echo $((before + 1))
}

# requeue REASON CODE: start the job again later, unless it gets nowhere.
requeue() {
    local start i
    start=$(start_number)
    count
    if ((stalls > ROBOTNAS_RESTARTS)); then
        give_up "$2" "$1; not requeued: $ROBOTNAS_RESTARTS restarts in a row have brought no progress"
    fi
    [ -n "$counted" ] || give_up "$2" "$1; not requeued: restarts cannot be counted, as $output.restarts cannot be written"
    say "$1; $n_done done, requeueing (restart $start, $stalls in a row without progress)"
    if ! ask_slurm requeue "$self"; then
        give_up "$2" "this cluster does not requeue it; submit the same again, and it goes on"
    fi
    # Slurm now ends this script, by SIGTERM, and starts it again later.
    for ((i = 0; i < 60; i++)); do [ -n "$cancelled" ] || sleep 1; done
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
    if [ "$gave_up" = true ] || { [ "$1" = 1 ] && [ "$complete" = true ]; }; then
        rm -f "$output.restarts"
        give_up 1 "ended without success, see above; it would again: not requeued (submit --retry-failed tries anew what failed)"
    fi
    [ "$1" != 0 ] || set -- 1 # it is not complete: no success
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

# ask_by_file: after ROBOTNAS_STOP_S seconds, make OUTPUT.stop, unless it is there.
ask_by_file() {
    sleep "$ROBOTNAS_STOP_S"
    say "the ranks still run after a signal to stop; asking them by $output.stop"
    write_own "$output.stop" "made by the script of job $self" --no-clobber
}

# withdraw: remove an OUTPUT.stop that the script of this job has made, or that of one which runs no more: it would stop the next
# start. A person's stays.
withdraw() {
    local maker
    maker=$(read_own "$output.stop" | sed -n 's/^made by the script of job \([0-9_]\{1,\}\)$/\1/p')
    [ -n "$maker" ] || return 0
    [ "$maker" = "$self" ] || ! scontrol show job "$maker" 2>/dev/null | grep -q 'JobState=\(RUNNING\|COMPLETING\)' || return 0
    rm -f -- "$output.stop"
}

# pass_on: tell the ranks to save and end. SIGUSR1 to the launcher reaches them under srun; mpirun may keep it to itself (Open MPI
# 4.1.4 does). At SIGTERM both of these would kill the ranks.
pass_on() {
    [ -n "$launcher" ] || return 0
    kill -USR1 "$launcher"
    [ -n "$asker" ] || {
        ask_by_file &
        asker=$!
    }
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

# stop_asking: the ranks have ended.
stop_asking() {
    [ -n "$asker" ] || return 0
    kill "$asker"
    wait "$asker"
    asker=''
    withdraw
} 2>/dev/null

# launch COMMAND JOB [OPTION]...: start the ranks and wait for their end; sets code. What failed is retried once: by a start that
# the run has begun after, which it notes in its state, --resume alone goes on with the retry.
launch() {
    local words again=(--resume)
    read -ra words <<<"$ROBOTNAS_LAUNCH"
    look
    n_before=$n_events
    [ -z "$warned$cancelled" ] || decide 75
    if [ -n "$retry" ] && [ "$n_events" = "$n_events_first" ]; then again+=(--retry-failed); fi
    (exec "${words[@]}" "$ROBOTNAS" "$@" "${again[@]}") & # exec: a function of these scripts is never meant
    launcher=$!
    [ -z "$warned$cancelled" ] || pass_on # of a signal that came before there was a launcher
    await "$launcher"
    launcher=''
    stop_asking
}

# launch_failed: whether it ended before the run began, which the run notes in its state. MPI may crash as it starts, and Slurm
# cannot start the same step again on a node that lost its power during it (Slurm 22.05: srun returns 137 or, if no rank was
# started, 0); the next step has another number.
launch_failed() {
    ((code == 0 || code > 128)) && [ -z "$warned$cancelled" ] || return
    look
    [ "$complete" != true ] && ((n_events == n_before))
}

# options COMMAND JOB [OPTION]...: set task to these without --retry-failed, retry to whether that is among them.
options() {
    local word
    task=() retry=''
    for word; do
        if [ "$word" = --retry-failed ]; then retry=1; else task+=("$word"); fi
    done
}

# run COMMAND JOB [OPTION]...: see above.
run() {
    local launcher='' asker='' cancelled='' warned='' caught='' counted='' resolved output code attempt retry task
    local complete was_complete gave_up n_done n_events n_before n_events_first last_event files stalls
    trap 'caught=1; warned=1; pass_on' USR1
    trap 'caught=1; cancelled=1; pass_on' TERM
    load_modules || give_up 1 "a module of ROBOTNAS_MODULES cannot be loaded"
    whole "$ROBOTNAS_RESTARTS" || give_up 2 "ROBOTNAS_RESTARTS is no number: $ROBOTNAS_RESTARTS"
    say "job $SLURM_JOB_ID on $SLURM_JOB_NODELIST, start $(start_number)"
    options "$@"
    resolve "${task[@]}" || give_up "$?" "robotnas check has failed"
    output=$(path output)
    withdraw
    look
    was_complete=$complete
    count
    if ((stalls > ROBOTNAS_RESTARTS)); then
        give_up 1 "given up: $ROBOTNAS_RESTARTS restarts in a row have brought no progress; $output has $n_done done"
    fi
    if note; then counted=1; fi

    export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
    export ROBOTNAS_SLURM=$here # also where submit has not said it: robotnas leaves it to this script to go on
    # srun does not take this over from sbatch by itself since Slurm 22.05.
    export SRUN_CPUS_PER_TASK=$OMP_NUM_THREADS
    for attempt in 1 2 3; do
        launch "${task[@]}"
        launch_failed || break
        say "the ranks were not started (exit code $code, attempt $attempt of 3)"
        ((code > 0)) || code=1
    done
    decide "$code"
}
