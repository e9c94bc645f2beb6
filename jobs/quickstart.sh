#!/usr/bin/env bash
# From a fresh Debian 12 machine to a finished search: installs packages, builds, runs jobs/quickstart.yaml on two ranks
# and prints the report. Run it again and it builds only what changed.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v dpkg-query >/dev/null; then scripts/install-deps.sh; fi
cmake --preset release -DROBOTNAS_TESTS=OFF >/dev/null
cmake --build --preset release

ranks=2
# Open MPI refuses root unless told twice, and counts cores unless told that more ranks than cores are fine.
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1

set -x
mpirun -n "$ranks" build/release/coordinator/robotnas search jobs/quickstart.yaml --fresh
