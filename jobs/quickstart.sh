#!/usr/bin/env bash
# From a fresh Debian 12 machine to a finished search: installs packages, builds, runs jobs/quickstart.yaml on two ranks,
# lets RoBoT and random search spend the same budget on the same cells, and prints what all found. Run it again and it builds only
# what changed.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v dpkg-query >/dev/null; then scripts/install-deps.sh --data; fi
cmake --preset release >/dev/null
cmake --build --preset release

# Open MPI refuses root unless told twice, and counts cores unless told that more ranks than cores are fine.
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
robotnas=build/release/coordinator/robotnas

step() { printf '\n== %s\n' "$*"; }

step "pool-gp, the default method: scores 100 cells, trains 12 of them, for each of three seeds"
mpirun -n 2 "$robotnas" search jobs/quickstart.yaml --fresh >/dev/null
for method in robot random; do
    step "$method: trains 12 of the same cells, for each seed (what was scored and trained already is taken over)"
    mpirun -n 2 "$robotnas" search jobs/quickstart.yaml --fresh --reuse runs/quickstart.h5 \
        --set search.method=$method --set output=runs/quickstart-$method.h5 >/dev/null
done

step "Result"
"$robotnas" report runs/quickstart.h5 --against runs/quickstart-robot.h5 runs/quickstart-random.h5
"$robotnas" export runs/quickstart.h5 --output runs/quickstart-best.json
"$robotnas" export runs/quickstart.h5 --format onnx --output runs/quickstart-best.onnx

cat <<END

Files
  runs/quickstart.h5            the run: metrics, evaluations, loss curves (robotnas report, docs/report.md, docs/h5py.md)
  runs/quickstart.h5.d/         the trained networks
  runs/quickstart-robot.h5      the run of RoBoT, and of random search in runs/quickstart-random.h5
  runs/quickstart-best.json     the winner: cell, network, accuracy, origin
  runs/quickstart-best.onnx     the winner with its trained weights
  jobs/quickstart.yaml          the job; change it, or go on with your own images: docs/data.md, docs/job-file.md
END
