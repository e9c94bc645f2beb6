#!/usr/bin/env bash
# Under ThreadSanitizer, in one process: kernels of both backends against reference values, linear algebra, scoring, a search and
# a training. The program has no threads of its own; its libraries must not start any that touch its memory. Criterion cannot run
# under ThreadSanitizer, and MPI's own processes not well: one process it is.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

grep -q __tsan_init "$ROBOTNAS" || skip 'the binary was not built with -fsanitize=thread (preset tsan)'
unset OMP_NUM_THREADS OPENBLAS_NUM_THREADS # the program itself asks for one thread

for reference in "$ROBOTNAS_SOURCE"/tests/data/reference-*.h5; do
    [ "$backend" = ref ] || expect_exit 0 "$ROBOTNAS" verify --backend cpu "$reference"
    expect_exit 0 "$ROBOTNAS" verify --backend ref "$reference"
done
expect_exit 0 "$ROBOTNAS" bench bo
small_job table.yaml
expect_exit 0 "$ROBOTNAS" search table.yaml
score_job score.yaml
expect_exit 0 "$ROBOTNAS" score score.yaml --fresh
sed '/^metrics:/,/batch/d' score.yaml >train.yaml
cat >>train.yaml <<'JOB'
objective: {kind: train, epochs: 2, batch: 32, shards: 2}
search: {method: random, budget: 2}
JOB
expect_exit 0 "$ROBOTNAS" search train.yaml --fresh
