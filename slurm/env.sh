# shellcheck shell=bash
# shellcheck disable=SC2034 # used by what sources this
# The site: every value that differs between clusters, in one place. Sourced by submit and by every batch script.
#
# To change one: export it before submit, or copy this file, edit the copy and name it by ROBOTNAS_ENV. As it is, it works on
# a cluster whose robotnas is in PATH and whose srun speaks PMIx.

# Modules to load, separated by blanks, before anything else.
: "${ROBOTNAS_MODULES:=}"
# The program. By default the one that these scripts were installed with, otherwise the one in PATH.
: "${ROBOTNAS:=$([ -x "$here/../../../bin/robotnas" ] && echo "$here/../../../bin/robotnas" || echo robotnas)}"

# What starts the ranks, with its options. Others than this one that work:
#   srun --mpi=pmix_v4 --kill-on-bad-exit=1    where `srun --mpi=list` names it so
#   mpirun                                     where srun does not know PMIx
#   mpirun --map-by slot:PE=8                  with 8 processors a rank
# srun needs --kill-on-bad-exit=1: without it, ranks wait for one that was killed until the time limit.
: "${ROBOTNAS_LAUNCH:=srun --mpi=pmix --kill-on-bad-exit=1}"

# Account, partition and quality of service to submit to; empty: the user's default.
: "${ROBOTNAS_ACCOUNT:=}"
: "${ROBOTNAS_PARTITION:=}"
: "${ROBOTNAS_QOS:=}"
# Features that nodes must have (--constraint), and an address to be told when a job ends or fails; empty: none.
: "${ROBOTNAS_CONSTRAINT:=}"
: "${ROBOTNAS_MAIL:=}"
# Further options of sbatch, separated by blanks, such as --exclusive --mail-type=BEGIN.
: "${ROBOTNAS_SBATCH:=}"

# What a job asks for unless submit's options say otherwise: time limit, nodes, ranks a node, processors a rank, GPUs a rank or GPUs a
# node, which its ranks take by their numbers on it.
# Ranks compute on one processor each; more are for a trainer of the user's own, which also gets them as OMP_NUM_THREADS.
: "${ROBOTNAS_TIME:=01:00:00}"
: "${ROBOTNAS_NODES:=1}"
: "${ROBOTNAS_TASKS:=1}"
: "${ROBOTNAS_THREADS:=1}"
: "${ROBOTNAS_GPUS:=0}"
: "${ROBOTNAS_GPUS_PER_NODE:=0}"
# Memory a processor, such as 4G, and generic resources a node, such as gpu:4; empty: what the cluster gives.
: "${ROBOTNAS_MEM_PER_CPU:=}"
: "${ROBOTNAS_GRES:=}"

# Seconds before the time limit at which the run is told to save and end. Slurm may be up to a minute early.
: "${ROBOTNAS_SIGNAL_S:=120}"
# Seconds after that, or after any request to stop, at which a run that goes on is asked by OUTPUT.stop besides.
: "${ROBOTNAS_STOP_S:=5}"
# How many restarts in a row without progress a job survives; the next one is not made.
: "${ROBOTNAS_RESTARTS:=5}"
