#!/usr/bin/env bash
# The scripts of slurm/ on a cluster of several nodes: time limits, preemption, requests to stop, lost ranks and nodes, arrays,
# chains. Every run ends with the report that it would have had undisturbed. What can run at the same time does.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'the program does here what it does in stop, faults, silence and command, and scripts look after it'
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
# shellcheck source=tests/system/slurm/cluster.sh
. "$ROBOTNAS_SOURCE/tests/system/slurm/cluster.sh"

[ -n "${NAS_IN_NAMESPACES:-}" ] || {
    need_cluster
    cd /
    rm -rf "$folder"
    in_namespaces "${BASH_SOURCE[0]}"
}
# shellcheck source=tests/system/slurm/jobs.sh
. "$ROBOTNAS_SOURCE/tests/system/slurm/jobs.sh"

cluster_on 5 16 4
trap 'kill -KILL -1; rm -rf "$folder"' EXIT
for job in limit stopped outside killed silent lost host restarted preempted mpirun deaf; do slow_job "$job" 40; done
took 'the cluster is up'

# ---- Refused before anything is queued ----

sed 's/budget: 40/budgt: 40/' limit.yaml >bad.yaml
score_job score.yaml
for bad in "bad.yaml" "--score bad.yaml" "--seeds 2 bad.yaml" "--chain bad.yaml limit.yaml" "--chain score.yaml bad.yaml"; do
    # shellcheck disable=SC2086 # words
    expect_exit 2 "$submit" $bad
    grep -q 'nothing was submitted$' err || fail "submit $bad: $(<err)"
done
printf 'limit.yaml\n\nkilled.yaml\n' >hole.txt
printf 'limit.yaml\nlimit.yaml\n' >twice.txt
for bad in "" "--nodes" "--frobnicate 3 limit.yaml" "--seeds none limit.yaml" "--list limit.yaml" "--list hole.txt" "--list twice.txt"; do
    # shellcheck disable=SC2086 # words
    expect_exit 2 "$submit" $bad
    expect_line err '^submit: .*; submit --help says how$'
done
expect_exit 2 "$submit" score.yaml
expect_line err '^submit: score.yaml can be scored: submit --score$'
[ -z "$(squeue --noheader)" ] || fail "a bad job was queued: $(squeue)"
expect_exit 2 env ROBOTNAS=robotnos "$submit" limit.yaml
expect_line err '^submit: there is no robotnos here'
expect_exit 1 "$submit" --nodes 9 limit.yaml
[ -z "$(squeue --noheader)" ] || fail "a job for nodes that are not there was queued"
expect_exit 0 "$submit" --dry-run -N 2 --gpus-per-task 1 --sbatch --qos=low limit.yaml
expect_line out '^sbatch .*--nodes=2 .*--qos=low --gpus-per-task=1 .*/search.sbatch limit.yaml'
expect_exit 0 "$submit" --dry-run --seeds 2 --sbatch --dependency=singleton limit.yaml --set "output=\"it's #1.h5\""
expect_line out "/summary $folder/it.'s. #1-s3.h5 $folder/it.'s. #1-s4.h5 $"
expect_line out '--dependency=afterany:JOBID /'
[ -z "$(squeue --noheader)" ] || fail "submit --dry-run has submitted"

# ---- Long jobs, all at once ----

# Candidates take so long that every one of these runs needs half a minute, long enough for what happens to it.
export CANDIDATE_S=1.5
submit_job --nodes 2 --ntasks-per-node 2 --time 1 --sbatch --nodelist=n1,n2 limit.yaml
limit=$id
expect_line out '^  ranks:  *4 in '
submit_job --nodes 2 --sbatch --nodelist=n1,n2 stopped.yaml
stopped=$id
submit_job --nodes 2 --ntasks-per-node 2 --sbatch --nodelist=n1,n2 outside.yaml
outside=$id
submit_job --nodes 2 --ntasks-per-node 2 --sbatch --nodelist=n1,n2 killed.yaml
killed=$id
submit_job --nodes 2 --sbatch --nodelist=n1,n2 silent.yaml --set silence=6
silent=$id
submit_job --nodes 2 --sbatch --nodelist=n1,n2 restarted.yaml
restarted=$id
submit_job --nodes 2 --sbatch --nodelist=n3,n4 lost.yaml # its script on n3
lost=$id
submit_job --ntasks-per-node 2 --sbatch --nodelist=n4 host.yaml # its script on n4
host=$id
submit_job --ntasks-per-node 2 --sbatch --nodelist=n5 preempted.yaml
preempted=$id
ROBOTNAS_LAUNCH=mpirun submit_job --nodes 2 --sbatch --nodelist=n2,n3 mpirun.yaml
mpirun=$id
# Ranks that no signal reaches: the shell that starts them keeps it to itself.
printf '#!/bin/sh\ntrap "" USR1\nsrun --mpi=pmix --kill-on-bad-exit=1 "$@" &\nwait $!\n' >deaf
chmod +x deaf
ROBOTNAS_LAUNCH=./deaf submit_job --ntasks-per-node 2 --sbatch --nodelist=n1 deaf.yaml
deaf=$id
for run in limit stopped outside killed silent restarted lost host preempted mpirun deaf; do wait_for is_under_way "$run.h5"; done
took 'eleven searches run'

slurmd_off n2
slurmd_on n2
node_off n4
kill -KILL "$(rank_pid killed.yaml 3)"
kill -STOP "$(rank_pid silent.yaml 1)"
scancel --signal=TERM "$stopped"
scancel --batch --signal=TERM "$outside"
scancel --batch --signal=USR1 "$mpirun"
scancel --batch --signal=USR1 "$deaf"
expect_exit 0 sbatch --partition=urgent --nodelist=n5 --exclusive --output=urgent.log --wrap 'sleep 1'
took 'and are disturbed'

# ---- Meanwhile: restarts that lead nowhere ----

printf '#!/bin/sh\nkill -KILL $$\n' >crash
chmod +x crash
slow_job nowhere 4
ROBOTNAS_RESTARTS=2 ROBOTNAS_LAUNCH=./crash submit_job --sbatch --nodelist=n1 nowhere.yaml
nowhere=$id
# Without submit, the script finds what it needs beside its original.
CANDIDATE_S=0 expect_exit 0 sbatch --parsable --nodes=2 --nodelist=n1,n2 "$ROBOTNAS_SOURCE/slurm/search.sbatch" nowhere.yaml \
    --set output=direct.h5
direct=$(<out)
# A job other than the saved one, which is refused once and for all.
CANDIDATE_S=0 expect_exit 0 "$ROBOTNAS" search nowhere.yaml --set output=other.h5
submit_job --ntasks-per-node 2 --sbatch --nodelist=n1 nowhere.yaml --set output=other.h5 --set seed=4
other=$id

# A run that gives up, which Slurm must not start again.
slow_job fails 4
sed -i 's/sleep "[^"]*"/test ! -e broken || exit 1/' fails.yaml
touch broken
submit_job --ntasks-per-node 2 --sbatch --nodelist=n1 fails.yaml
fails=$id

# ---- Arrays and chains ----

slow_job seeds 8
CANDIDATE_S=0.7 submit_job --seeds 4 --sbatch --nodelist=n2 seeds.yaml --set search.repeats=2
seeds=$id
printf 'seeds.yaml\n' >jobs.txt
submit_job --list --sbatch --nodelist=n2 jobs.txt
list=$id
sed -e '/^metrics:/,$d' -e 's/^name: .*/name: found/' -e 's/^output: .*/output: found.h5/' score.yaml >found.yaml
expect_exit 0 "$ROBOTNAS" score score.yaml --set output=one.h5
objective_table one.h5 objective.csv
echo 'metrics: {source: scores, file: small.h5, names: [grad_norm, snip, nwot]}' >>found.yaml
search_part >>found.yaml
sed 's/file: small/file: others/' found.yaml >others.yaml
expect_exit 2 "$submit" --chain score.yaml others.yaml
touch small.h5.stop
expect_exit 75 "$ROBOTNAS" score score.yaml # some of the scores are there, which the chain goes on with
submit_job --chain --nodes 2 --sbatch --nodelist=n1,n2 score.yaml found.yaml
found=$id

# ---- GPUs ----

slow_job gpus 8
# shellcheck disable=SC2016 # a shell on the node expands it
submit_job --nodes 2 --ntasks-per-node 2 --gpus-per-task 1 --sbatch --nodelist=n1,n2 gpus.yaml --set output=gpus.h5 \
    --set 'objective.command=[sh, -c, "echo \"$SLURM_PROCID $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES {device}\" >>gpus.txt; sleep 0.3; echo \"{{\\\"score\\\": 1}}\""]' \
    --set search.repeats=2
gpus=$id
wait_for is_under_way seeds-s9.h5
scancel --batch --signal=USR1 "${seeds}_3" # the last task, whose job has the number of the whole array
took 'all is submitted'

# ---- The doctor, of two nodes and of a launcher that starts no MPI ----

expect_exit 0 "$submit" --doctor --nodes 2 --ntasks-per-node 2 --gpus-per-task 1 --sbatch --nodelist=n1,n2
for line in output modules program slurm ranks shared processors GPUs MPI vectors locks stop requeue; do expect_line out "^$line  *ok  *"; done
expect_line out '^MPI  *ok  *a world of 4 rank(s) by: srun '
expect_line out '^stop .* by a signal$'
[ "$(echo robotnas-doctor-*)" = "$(echo robotnas-doctor-*.log)" ] || fail "the doctor leaves something: $(echo robotnas-doctor-*)"
ROBOTNAS_LAUNCH='srun --mpi=none --kill-on-bad-exit=1' expect_exit 1 "$submit" --doctor --nodes 2 --sbatch --nodelist=n1,n2
expect_line out '^MPI  *problem  '
expect_line out '^doctor: 1 problem(s), see above$'
took 'the doctor'

# ---- What became of them ----

# ended RUN ID PATTERN: it was requeued for the reason in its log, is complete and reports what it would have, undisturbed.
ended() {
    await_job "$2" COMPLETED
    expect_log "$2" "$3"
    expect_log "$2" '^Best architecture'
    expect_report "$1.h5" "$1.expected"
    [ ! -e "$1.h5.restarts" ] || fail "$1.h5.restarts is left"
    took "$1: $(of_job "$2" Restarts) restarts"
}

await_job "$nowhere" FAILED
expect_log "$nowhere" 'failed (exit code 137); not requeued: 2 restarts in a row have brought no progress$'
[ "$(of_job "$nowhere" Restarts)" = 2 ] || fail "$(of_job "$nowhere" Restarts) restarts instead of 2"
await_job "$other" FAILED
[ "$(of_job "$other" ExitCode)" = 2:0 ] || fail "a refused job ends with $(of_job "$other" ExitCode)"
[ "$(of_job "$other" Restarts)" = 0 ] || fail "a refused job was requeued"
await_job "$direct" COMPLETED
expect_report direct.h5 nowhere.expected
took 'restarts without progress, and what is refused'

await_job "$stopped" FAILED
[ "$(of_job "$stopped" ExitCode)" = 75:0 ] || fail "a stopped job ends with $(of_job "$stopped" ExitCode)"
expect_log "$stopped" 'stopped on request; .* done, submit the same again to go on$'
[ "$(events stopped.h5 'stopped by signal 15')" = 1 ] || fail "the stopped run does not know why"
await_job "$outside" FAILED
expect_log "$outside" 'ended from outside with exit code 75; .* done$'
await_job "$fails" FAILED
[ "$(of_job "$fails" ExitCode)" = 1:0 ] || fail "a run that gave up ends with $(of_job "$fails" ExitCode)"
[ "$(of_job "$fails" Restarts)" = 0 ] || fail "a run that gave up was requeued"
expect_log "$fails" 'ended without success, .*: not requeued'
rm broken
submit_job --ntasks-per-node 2 --sbatch --nodelist=n1 --retry-failed fails.yaml
ended fails "$id" 'complete: '
CANDIDATE_S=0 submit_job stopped.yaml
ended stopped "$id" 'complete: '
ended restarted "$restarted" 'complete: '
[ "$(of_job "$restarted" Restarts)" = 0 ] || fail "a restarted slurmd ended a job"
ended killed "$killed" 'failed (exit code 137); .* done, requeueing (restart 1, 0 in a row without progress)$'
ended silent "$silent" 'failed (exit code [0-9]*); .* done, requeueing (restart 1, 0 in a row without progress)$'
expect_log "$silent" '^robotnas: rank 1 on n2 has not answered for [0-9]* s; '
ended mpirun "$mpirun" 'stopped by SIGUSR1, .*; .* done, requeueing'
ended deaf "$deaf" 'the ranks still run after a signal to stop; asking them by '
expect_log "$deaf" 'stopped by SIGUSR1, .*; .* done, requeueing'
[ "$(events deaf.h5 'stopped by .*deaf.h5.stop')" = 1 ] || fail "the run did not obey OUTPUT.stop"
ended preempted "$preempted" 'preempted; .* done, requeueing'
wait_for test "$(of_job "$lost" Restarts)" = 1
node_on n4
ended lost "$lost" 'start 2$'
ended host "$host" 'start 2$'
ended limit "$limit" 'stopped by SIGUSR1, .*; .* done, requeueing'
[ "$(events limit.h5 'stopped by signal 10')" -ge 1 ] || fail "the run was not stopped before its time limit"

await_job "$found" COMPLETED
expect_scores small.h5 <(scores_of one.h5)
same_report one.h5 >score.expected
expect_report small.h5 score.expected
expect_exit 0 "$ROBOTNAS" search found.yaml --set output=again.h5
same_report again.h5 >found.expected
expect_report found.h5 found.expected
took 'scores of two nodes, then a search on them'

[ "$(for task in 0 1 2 3; do of_job "${seeds}_$task" Restarts; done | xargs)" = '0 0 0 1' ] ||
    fail "not the last task of the array alone was requeued"
wait_for grep -qs 'complete: mean' "robotnas-summary-$((seeds + 1)).log"
for seed in 3 5 7 9; do
    CANDIDATE_S=0 expect_exit 0 "$ROBOTNAS" search seeds.yaml --set search.repeats=2 --set "seed=$seed" --set output=again.h5 --fresh
    same_report again.h5 >seeds.expected
    expect_report "seeds-s$seed.h5" seeds.expected
    expect_line "robotnas-summary-$((seeds + 1)).log" "seeds-s$seed.h5  *$seed  *16  *yes"
done
expect_line "robotnas-summary-$((seeds + 1)).log" '^4 of 4 complete: mean '
wait_for grep -qs '^1 of 1 complete' "robotnas-summary-$((list + 1)).log"
took 'four seeds and their summary'

await_job "$gpus" COMPLETED
[ "$(sort -u gpus.txt | wc -l)" = 4 ] || fail "not one GPU a rank: $(sort -u gpus.txt)"
[ "$(cut -d' ' -f2,3 gpus.txt | sort -u)" = $'n1 0\nn1 1\nn2 0\nn2 1' ] || fail "other GPUs than the first two: $(sort -u gpus.txt)"
took 'a GPU a rank'
