#!/usr/bin/env bash
# The scripts of slurm/ without a cluster: stand-ins for robotnas, scontrol and sbatch say what a case needs. What a real Slurm
# does with them is tested by slurm.sh.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'this is about scripts'

scripts=$ROBOTNAS_SOURCE/slurm
export ROBOTNAS_ENV=$scripts/env.sh

# ---- Arithmetic takes numbers alone ----

# arithmetic FILE: each name in an arithmetic expression of it, once, and eval.
arithmetic() {
    grep -v '^ *#' "$1" | grep -oE '\(\([^()]*(\([^()]*\)[^()]*)*\)\)|\beval\b|\[\[ -v .*|\b(let|declare -i|local -i|printf -v) .*|\[\[.* -(eq|ne|lt|le|gt|ge) .*' |
        sed -E 's/\$\{#[^}]*\}//g' | grep -oE '[A-Za-z_][A-Za-z0-9_]*|\$\{?[0-9]+' | sort -u | xargs
}

# Bash runs commands that stand in the value of a name in arithmetic. Each of these was looked at: it is set by the script itself,
# is an exit code, or has passed `whole`. A new one is taken into the list once that is true of it.
declare -A looked_at=(
    [scripts/bare_machine.sh]="eval from"
    [scripts/build-deps.sh]="from"
    [scripts/gpu_day.sh]="begin"
    [scripts/measure.sh]="\$1 \$2 faults files lines median most_files most_lines most_median most_share n place total"
    [scripts/same_results.sh]="from n_different n_left_out n_same"
    [tests/run.sh]="nproc"
    [slurm/doctor.sbatch]="i n_problems"
    [slurm/lib.sh]="\$1 ROBOTNAS_RESTARTS before code i n n_before n_done n_events done_before repeats seed stalls"
    [slurm/submit]="ROBOTNAS_NODES ROBOTNAS_SIGNAL_S ROBOTNAS_TASKS days hours i last limit minutes n n_seeds pause seconds"
)
cd "$ROBOTNAS_SOURCE"
for script in slurm/* scripts/*.sh jobs/*.sh tests/run.sh; do
    [[ $script != *.md ]] || continue
    for name in $(arithmetic "$script"); do
        [[ " SECONDS ${looked_at[$script]:-} " == *" $name "* ]] || fail "$script: arithmetic on $name, which slurm_scripts.sh does not know"
    done
done
cd "$folder"
printf 'read -r x <file\n((x > 1))\n' >bad.sh
[ "$(arithmetic bad.sh)" = x ] || fail "arithmetic does not find a name"

# ---- What lib.sh reads and writes beside the output ----

# in_lib COMMAND...: with lib.sh, and a state of two evaluations, in a shell of its own.
in_lib() {
    # shellcheck disable=SC2016 # the shell expands it
    bash -euc 'here=$1; . "$here/lib.sh"; output=$2 SLURM_JOB_ID=7 self=7 n_done=2 n_events=3 files=1; shift 2; "$@"; echo "${stalls:-} ${n_events_first:-}"' \
        _ "$scripts" "$folder/out.h5" "$@"
}

for good in 0 7 123456789012345678; do expect_exit 0 in_lib whole "$good"; done
# shellcheck disable=SC2016 # is not to be expanded
for bad in '' 08 1e3 -1 ' 1' $'1\n' 1234567890123456789 'n_done' 'a[$(touch pwned)]' '²'; do expect_exit 1 in_lib whole "$bad"; done

# shellcheck disable=SC2016 # is not to be expanded
pwn='BASH_VERSINFO[$(touch${IFS}pwned)]'
for line in "7 $pwn 1 0 3" "7 2 1 $pwn 3" "7 2 1 4 $pwn" "7 08 1 4 3" "7" "" "8 2 1 4 3"; do
    printf '%s\n' "$line" >out.h5.restarts
    SLURM_RESTART_COUNT=1 expect_exit 0 in_lib count
    [ ! -e pwned ] || fail "a command in OUTPUT.restarts was run"
    [[ $(<out) == '0 ' || $line == "7 2 1 4 $pwn" && $(<out) == '5 ' ]] || fail "OUTPUT.restarts '$line' counts as $(<out)"
done
printf '7 2 1 4 3\n' >out.h5.restarts
SLURM_RESTART_COUNT=1 expect_exit 0 in_lib count
[ "$(<out)" = '5 3' ] || fail "restarts are not counted: $(<out)"
SLURM_RESTART_COUNT="$pwn" expect_exit 0 in_lib count
SLURM_RESTART_COUNT="$pwn" expect_exit 0 in_lib start_number
[ ! -e pwned ] || fail "a command in SLURM_RESTART_COUNT was run"

# Not of a file that is no plain one, or another's.
mv out.h5.restarts elsewhere
ln -s elsewhere out.h5.restarts
SLURM_RESTART_COUNT=1 expect_exit 0 in_lib count
[ "$(<out)" = '0 ' ] || fail "a link is followed: $(<out)"
rm out.h5.restarts
mkfifo out.h5.restarts
SLURM_RESTART_COUNT=1 expect_exit 0 timeout 20 bash -c "$(declare -f in_lib); scripts='$scripts' folder='$folder' in_lib count"
if [ "$(id -u)" = 0 ]; then
    rm out.h5.restarts
    printf '7 2 1 4 3\n' >out.h5.restarts
    chown 1:1 out.h5.restarts
    SLURM_RESTART_COUNT=1 expect_exit 0 in_lib count
    [ "$(<out)" = '0 ' ] || fail "another user's file counts: $(<out)"
fi
# A planted link, under any name that is known before, is not written through.
rm out.h5.restarts
echo precious >precious
for name in restarts restarts.new restarts.tmp; do ln -s precious "out.h5.$name"; done
SLURM_RESTART_COUNT=0 expect_exit 0 in_lib eval 'count; note'
[ "$(<precious)" = precious ] || fail "a link was written through"
[ ! -L out.h5.restarts ] || fail "OUTPUT.restarts is still a link"
[ "$(<out.h5.restarts)" = '7 2 1 0 3' ] || fail "OUTPUT.restarts is '$(<out.h5.restarts)'"
[ "$(echo out.h5.restarts.*)" = 'out.h5.restarts.new out.h5.restarts.tmp' ] || fail "a file is left: $(echo out.h5.*)"
rm out.h5.*

# ---- Names that look like something else ----

odd_job() {
    cat >odd.csv <<'CSV'
arch,status,text,done,gave_up,value,seed
"  ""complete"": true,",1,5,3,1,1,1
"""status"": ""ok""",2,4,2,3,2,1
c,3,3,1,4,3,1
d,4,2,7,5,4,1
CSV
    cat >odd.yaml <<'YAML'
name: odd
seed: 3
output: "odd 'out\" $$(touch pwned).h5"
pool: {space: table, table: odd.csv, arch: arch}
metrics: {names: [status, text, done, gave_up]}
objective: {kind: table, column: value, report: [status, text, done, gave_up, seed]}
search: {method: random, budget: 3, repeats: 2}
YAML
}
odd_job
expect_exit 0 "$ROBOTNAS" search odd.yaml
# shellcheck disable=SC2016 # the shell expands it
bash -euc 'here=$1; . "$here/lib.sh"; resolve search odd.yaml; output=$(path output); look
    echo "$complete|$gave_up|$n_done|$n_events|$(value seed)|${output##*/}"; task_of 2 search odd.yaml; printf "%s\n" "${task[@]}"' _ "$scripts" >out
expect_line out "^true||6|[12]|3|odd 'out\" \$(touch pwned).h5\$"
expect_line out "^output='/.*/odd ''out\" \$\$(touch pwned)-s7.h5'\$"
[ ! -e pwned ] || fail "a name was run"
expect_exit 0 "$scripts/summary" "odd 'out\" \$(touch pwned).h5"
expect_line out ' 3 *6 *yes '
expect_exit 0 "$scripts/submit" --dry-run --seeds 2 odd.yaml
[ ! -e pwned ] || fail "a name was run by submit"
rm -f ./odd*

# What robotnas check says of hours is found: a line of hours is as compare_hours reads it.
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
score_job hours.yaml
expect_exit 0 "$scripts/submit" --dry-run --score --time 1:00:00 hours.yaml
expect_line err '^submit: robotnas check expects about [0-9.e-]* hours; one start of 1:00:00 is enough$'

# ---- What follows from how a run ends ----

# The stand-in for robotnas: its report is what the files state and events say; what it is asked for goes into calls.
mkdir bin
cat >bin/robotnas <<'SH'
#!/usr/bin/env bash
report() {
    [ -e state ] || exit 2
    printf '{\n  "complete": %s,\n  "gave_up": %s,\n  "repeats": [\n' $(<state)
    printf '          "status": "ok"\n'
    while read -r text; do printf '        "text": "%s"\n' "$text"; done <events
}
case $1 in
check) printf 'output: "%s"\nseed: 1\n' "$PWD/out.h5" ;;
report) report ;;
search)
    echo "$*" >>calls
    . ./play
    ;;
esac
SH
cat >bin/scontrol <<'SH'
#!/usr/bin/env bash
echo "scontrol $*" >>calls
[ "$1" != show ] || cat job_state 2>/dev/null
[ "$1" != requeue ] || kill -TERM "$PPID" # as Slurm ends the script
SH
cat >bin/start-ranks <<'SH'
#!/usr/bin/env bash
exec "$@"
SH
chmod +x bin/*
export PATH=$folder/bin:$PATH

# job PLAY [ARGUMENT]...: a start of job 7, whose ranks do what PLAY says; its log in out, its code in code.
job() {
    printf '%s\n' "$1" >play
    code=0
    # shellcheck disable=SC2016 # the shell expands it
    ROBOTNAS=robotnas ROBOTNAS_LAUNCH=start-ranks ROBOTNAS_STOP_S=${stop_s:-0} SLURM_JOB_ID=7 SLURM_JOB_NODELIST=n1 \
        bash -uc 'here=$1; . "$here/lib.sh"; shift; run search job.yaml "$@"' _ "$scripts" "${@:2}" >out 2>err || code=$?
}
# fresh COMPLETE GAVE_UP: of the state before it.
fresh() {
    rm -f calls events out.h5.*
    printf '%s %s\n' "$1" "$2" >state
    echo began >events
}

fresh false false
job 'echo began >>events; echo true false >state'
[ "$code" = 0 ] || fail "a complete run ends the job with $code: $(<out)"
[ ! -e out.h5.restarts ] || fail "OUTPUT.restarts is left"
for end in 'false true' 'true false' 'true true'; do # the last two: nothing succeeded
    fresh false false
    job "echo began >>events; echo $end >state; exit 1"
    [ "$code" = 1 ] || fail "a run that ended for good as '$end' ends the job with $code"
    expect_line out 'ended without success, .*: not requeued'
    if grep -q scontrol calls; then fail "a run that ended for good as '$end' is requeued"; fi
done
fresh false true
job 'exit 137'
if grep -q 'scontrol requeue' calls; then fail "a run that has given up is requeued"; fi
fresh false false
job 'echo began >>events; exit 1'
grep -q '^scontrol requeue 7$' calls || fail "a failure is not requeued: $(<out)"

# --retry-failed is passed until the run has begun, and no more.
fresh true false
job 'echo began >>events; exit 1' --retry-failed
[ "$(grep -c '^search' calls)" = 1 ] || fail "started more than once: $(<calls)"
expect_line calls '^search job.yaml --resume --retry-failed$'
fresh true false
export SLURM_RESTART_COUNT=1
job 'exit 1' --retry-failed
expect_line calls '^search job.yaml --resume$'
unset SLURM_RESTART_COUNT
fresh false false
job 'exit 139' --retry-failed
[ "$(grep -c '^search job.yaml --resume --retry-failed$' calls)" = 3 ] || fail "a launch that failed is not tried again alike: $(<calls)"
grep -q '^scontrol requeue 7$' calls || fail "a failed launch is not requeued"
rm calls
SLURM_RESTART_COUNT=1 job 'echo began >>events; [ -e once ] || { touch once; exit 139; }; echo true false >state' --retry-failed
expect_line calls '^search job.yaml --resume --retry-failed$'
rm calls
SLURM_RESTART_COUNT=2 job 'echo true false >state' --retry-failed
expect_line calls '^search job.yaml --resume$'

# ---- A stop that no signal brings ----

# Ranks that hear no signal, and obey OUTPUT.stop.
# shellcheck disable=SC2016 # the ranks expand it
deaf='trap "" USR1; echo began >>events; kill -USR1 $PPID; until [ -e out.h5.stop ]; do sleep 0.05; done
    rm out.h5.stop; echo "stopped by out.h5.stop" >>events; exit 75'
fresh false false
job "$deaf"
[ "$code" = 75 ] || fail "a deaf run ends with $code: $(<out)"
expect_line out 'the ranks still run after a signal to stop; asking them by '
grep -q '^scontrol requeue 7$' calls || fail "a deaf run is not requeued: $(<out)"
[ ! -e out.h5.stop ] || fail "OUTPUT.stop is left"
# Ranks that hear it, but end after OUTPUT.stop is there: it must not stop the next start.
fresh false false
# shellcheck disable=SC2016 # the ranks expand it
job 'trap "" USR1; echo began >>events; kill -USR1 $PPID; until [ -e out.h5.stop ]; do sleep 0.05; done; echo "stopped by signal 10" >>events; exit 75'
[ ! -e out.h5.stop ] || fail "OUTPUT.stop outlives the run that was to stop"
# One of a script that was killed before it could remove it, of this job or of one that runs no more.
for maker in 7 5 5_3; do
    fresh false false
    echo "made by the script of job $maker" >out.h5.stop
    job '[ ! -e out.h5.stop ] || exit 75; echo began >>events; echo true false >state'
    [ "$code" = 0 ] || fail "a stale OUTPUT.stop of job $maker stops a start: $(<out)"
done
# A person's stays, and so does what another job that runs has made.
fresh false false
touch out.h5.stop
job 'exit 75'
[ -e out.h5.stop ] || fail "a person's OUTPUT.stop is removed"
echo '   JobState=RUNNING Reason=None' >job_state
echo "made by the script of job 5" >out.h5.stop
job 'exit 75'
[ -e out.h5.stop ] || fail "OUTPUT.stop of a job that runs is removed"
# A link that was planted as OUTPUT.stop is not written through.
fresh false false
ln -s precious2 out.h5.stop
# shellcheck disable=SC2016 # the ranks expand it
job 'trap "" USR1; echo began >>events; kill -USR1 $PPID; sleep 0.5; echo "stopped by signal 10" >>events; exit 75'
[ ! -e precious2 ] || fail "a link was written through"

# ---- submit ----

# The stand-in for robotnas now estimates; what a job takes is its name.
cat >bin/robotnas <<'SH'
#!/usr/bin/env bash
[ "$1" = check ] || exit 2
[ -e "$2" ] || { echo "robotnas: cannot open $2: No such file or directory" >&2; exit 2; }
printf 'output: "/runs/%s.h5"\nseed: 1\nsearch:\n  repeats: 2\n' "${2%.yaml}"
for hours in $(<"$2"); do printf '# training:    about 99 rank hours at 100 GFLOP/s a rank, %s hours with 4 ranks at work\n' "$hours"; done
SH
printf '#!/bin/sh\necho 11\nprintf "%%s\\n" "$*" >>submitted\n' >bin/sbatch
chmod +x bin/sbatch
submit() {
    rm -f submitted
    ROBOTNAS=robotnas expect_exit 0 "$scripts/submit" "$@"
}
echo 9.5 >long.yaml
echo 0.5 1e-2 >short.yaml
echo >unknown.yaml
printf 'long.yaml\r\n  short.yaml \r\n' >jobs.txt

submit -q low --mem-per-cpu=4G -C 'avx512&ib' --gres gpu:a100:4 --mail me@example.org --time 4:00:00 long.yaml
expect_line submitted ' --qos=low .*--mem-per-cpu=4G --constraint=avx512&ib --gres=gpu:a100:4 --mail-user=me@example.org --mail-type=END,FAIL '
expect_line err '^submit: robotnas check expects about 9.5 hours; a start of 4:00:00 does 3.97 of them: 3 starts, the job is requeued by itself after each$'
ROBOTNAS_QOS=low ROBOTNAS_MEM_PER_CPU=1G ROBOTNAS_CONSTRAINT=x ROBOTNAS_GRES=y:1 ROBOTNAS_MAIL=z submit --time 10:00:00 long.yaml
expect_line submitted ' --qos=low --mem-per-cpu=1G --constraint=x --gres=y:1 --mail-user=z --mail-type=END,FAIL '
expect_line err '^submit: robotnas check expects about 9.5 hours; one start of 10:00:00 is enough$'
# --time LIMIT seconds of it
while read -r limit starts; do
    submit --time "$limit" long.yaml
    expect_line err "9.5 hours; .*$starts"
done <<'TIMES'
30 does 0.467 of them: 21 starts
08:30 does 0.108 of them: 88 starts
1-0 one start of 1-0 is enough
0-09:40 one start
0-09:30:30 does 9.47 of them: 2 starts
009:08:07 does 9.1 of them: 2 starts
TIMES
submit --time UNLIMITED long.yaml
expect_line err '9.5 hours$'
submit --time 2 unknown.yaml
expect_line err '^submit: with --time 2 a start has no time to work: it is told to stop 120 s before its end$'
submit --time 3 unknown.yaml
[ ! -s err ] || fail "submit compares hours that nobody knows: $(<err)"
submit -N 2 --seeds 10 --time 1-0 --retry-failed long.yaml
expect_line err '^submit: 10 runs: about 95 hours in all, 190 node hours$'
expect_line submitted 'array.sbatch search long.yaml --retry-failed$'
submit --list --time 1-0 jobs.txt
expect_line err '^submit: 2 runs: about 10 hours in all, 10 node hours$'
expect_line err '9.5 hours (the longest run); one start of 1-0 is enough$'
submit --retry-failed long.yaml --set a=b
expect_line submitted 'search.sbatch long.yaml --set a=b --retry-failed$'

submit --chain -N 8 --ntasks-per-node 64 -t 1:00:00 short.yaml --set a=1 --then -N 1 --ntasks-per-node=2 --gpus-per-task 1 --retry-failed long.yaml --set b=2
expect_line submitted '^--parsable --nodes=8 --ntasks-per-node=64 .* --time=1:00:00 .*/score.sbatch short.yaml --set a=1$'
expect_line submitted '^--parsable --nodes=1 --ntasks-per-node=2 .* --time=1:00:00 .* --gpus-per-task=1 --dependency=afterok:11 .*/search.sbatch long.yaml --set b=2 --retry-failed$'
expect_line err '0.51 hours; one start of 1:00:00 is enough$'
expect_line err '9.5 hours; .*: 10 starts'
expect_line out '^submitted score short.yaml as job 11: 8 nodes, 64 ranks each'
submit --chain -N 2 short.yaml long.yaml
[ "$(grep -c -- --nodes=2 submitted)" = 2 ] || fail "both parts of a chain do not ask for the same: $(<submitted)"
rm submitted
expect_exit 0 "$scripts/submit" --doctor --dry-run -N 2 --gpus-per-task=1
expect_line out "^sbatch --parsable --nodes=2 .* --gpus-per-task=1 --time=00:10:00 .*/doctor.sbatch $folder \$"
expect_exit 0 "$scripts/submit" --doctor --dry-run -N 2 --gpus-per-task=1 --gpus-per-node=4
expect_line out "^sbatch --parsable --nodes=2 .* --gpus-per-node=4 --time=00:10:00 .*/doctor.sbatch $folder \$"
ROBOTNAS_GPUS=1 ROBOTNAS_GPUS_PER_NODE=4 ROBOTNAS=robotnas expect_exit 2 "$scripts/submit" long.yaml
expect_line err '^submit: --gpus-per-task and --gpus-per-node are two ways to ask for GPUs: give one; '
ROBOTNAS=robotnas expect_exit 0 "$scripts/submit" --doctor --dry-run long.yaml
expect_line out '/doctor.sbatch /runs $'
for bad in "--chain short.yaml" "--chain a.yaml --then" "long.yaml --then short.yaml" "--retry-failed --score long.yaml" "--seeds 08 long.yaml" \
    "--chain short.yaml --then -N 2"; do
    # shellcheck disable=SC2086 # words
    ROBOTNAS=robotnas expect_exit 2 "$scripts/submit" $bad
    expect_line err '^submit: .*; submit --help says how$'
done
[ ! -e submitted ] || fail "a bad command was submitted: $(<submitted)"
