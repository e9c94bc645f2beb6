#!/usr/bin/env bash
# Memory and MPI handles of small runs: valgrind finds no error and no lost block in the program's own code, and at
# MPI_Finalize every request, communicator, operation and type is freed, also where a run is stopped or fails.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

! is_sanitized || skip "the sanitizers of this build look at the memory already"

small_job table.yaml
python3 "$ROBOTNAS_SOURCE/tests/system/images.py" images.bin 40 1
network_part() {
    cat <<JOB
seed: 3
backend: $backend
network: {channels: 4, cells: 1}
data: {format: cifar-binary, train: [images.bin]}
pool: {space: nas-bench-201, subset: {file: cells.txt}}
JOB
}
cat >cells.txt <<'CELLS'
|nor_conv_3x3~0|+|skip_connect~0|avg_pool_3x3~1|+|none~0|nor_conv_1x1~1|nor_conv_3x3~2|
|nor_conv_1x1~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|skip_connect~2|
CELLS
{
    network_part
    cat <<'JOB'
name: score
metrics: {source: compute, names: [grad_norm, snip, grasp, fisher, synflow, jacob_cov, nwot, plain, l2_norm, params], batch: 4}
JOB
} >score.yaml
{
    network_part
    cat <<'JOB'
name: train
objective: {kind: train, epochs: 1, batch: 16, shards: 2, flip: true, crop: 2}
search: {method: random, budget: 2, parallel: 2}
JOB
} >train.yaml
cat >command.yaml <<JOB
name: command
pool: {space: table, table: $example}
objective: {kind: command, command: [sh, -c, 'echo "{{\"score\": 1}}"']}
search: {method: random, budget: 3, parallel: 2}
JOB
small=(search table.yaml --set search.budget=6 --set search.repeats=2)

# ---- valgrind ----

# Libraries choose by what the processor has, of which valgrind hides the newest; two of them are told as well.
export OPENBLAS_CORETYPE=Haswell DNNL_MAX_CPU_ISA=AVX2
lost=definite,possible
check=(valgrind --quiet --leak-check=full --show-leak-kinds="$lost" --errors-for-leak-kinds="$lost" --error-exitcode=99
    --child-silent-after-fork=yes --suppressions="$ROBOTNAS_SOURCE/tests/valgrind.supp")

theirs=$(dirname "$(command -v "$MPIEXEC")")/../share/openmpi/openmpi-valgrind.supp
[ ! -e "$theirs" ] || check+=(--suppressions="$theirs")

# clean N COMMAND...: on N ranks.
clean() {
    printf '%3d s: valgrind, %s, ranks: %d\n' "$SECONDS" "${*:2:2}" "$1"
    expect_exit 0 ranks "$1" "${check[@]}" "$ROBOTNAS" "${@:2}" --fresh
    if grep '^==[0-9]*==' err >&2; then fail "valgrind finds something in $*"; fi
}

if command -v valgrind >/dev/null; then
    clean 1 "${small[@]}"
    clean 1 score score.yaml
    clean 1 search train.yaml
    clean 1 search command.yaml
    clean 2 "${small[@]}"
    clean 2 "${small[@]}" --set search.method=pool-gp
    clean 2 search train.yaml
else
    skip_part 'memory: valgrind is not installed'
fi

# ---- MPI handles ----

# freed CODE COMMAND...: it ends with this code on two ranks, and each has freed all handles.
freed() {
    printf '%3d s: handles, exit code %d, %s\n' "$SECONDS" "$1" "${*:2:2}"
    expect_exit "$1" ranks 2 env LD_PRELOAD="$MPI_HANDLES" "$ROBOTNAS" "${@:2}"
    if grep 'still allocated' err >&2; then fail "Open MPI has handles left: $*"; fi
    [ "$(grep -c '^MPI handles left: none$' err)" = 2 ] || fail "handles are left: $* $(<err)"
}

export OMPI_MCA_mpi_show_handle_leaks=1
freed 0 "${small[@]}" --fresh --set search.groups=2
freed 0 score score.yaml --fresh
freed 0 search train.yaml --fresh
freed 0 search command.yaml --fresh
freed 0 "${small[@]}" --fresh --set coordinator=dedicated
freed 2 search command.yaml
freed 2 search missing.yaml
freed 1 score score.yaml --set output=table.yaml/score.h5

# stopped COMMAND...: with OUTPUT.stop there from the start, which is removed as it is obeyed.
stopped() {
    touch "$2.stop"
    freed 75 "$1" "${2%.h5}.yaml" --fresh --set "output=$2"
}
stopped score score.h5
stopped search train.h5
stopped search command.h5
