# shellcheck shell=bash
# A Slurm cluster on this machine, for tests: munged, slurmctld and one slurmd a node, each node with a host name, an address, a
# process space and a /dev/shm of its own. Sourced after lib.sh, whose folder it works in, by a script that runs in namespaces of
# its own (in_namespaces): ports and addresses clash with nothing, and whatever was started ends with the script, by force too.

cluster=${folder:?}/cluster
export SLURM_CONF=$cluster/slurm.conf
declare -A node_init node_slurmd

# in_namespaces SCRIPT: run it with network, host name, mounts and processes of its own. Never returns.
in_namespaces() {
    NAS_IN_NAMESPACES=1 exec unshare --net --uts --mount --pid --fork --mount-proc --kill-child=KILL bash "$1"
}

# need_cluster: skip where a cluster cannot be had.
need_cluster() {
    local program
    [ "$(id -u)" = 0 ] || skip "a cluster of one machine's nodes needs root"
    for program in munged slurmctld slurmd sbatch srun ip unshare nsenter; do
        command -v "$program" >/dev/null || skip "$program is not installed (slurm-wlm, munge, iproute2, util-linux)"
    done
    unshare --net --uts --mount --pid --fork --mount-proc ip link add bridge type bridge 2>/dev/null ||
        skip "this machine has no namespaces or no network bridges"
}

# node_address NAME
node_address() {
    echo "10.99.0.${1#n}"
}

# configure N CPUS GPUS: the files of a cluster of N nodes. The GPUs are device files that do nothing.
configure() {
    local node i names=()
    for ((i = 1; i <= $1; i++)); do names+=("n$i"); done
    mkdir -p "$cluster"/{munge,state,spool,log,tmp,dev}
    chmod 711 "$cluster/munge"
    (umask 077 && head -c 1024 /dev/urandom >"$cluster/munge/key")
    printf '127.0.0.1 localhost\n10.99.0.254 login\n' >"$cluster/hosts"
    for node in "${names[@]}"; do echo "$(node_address "$node") $node" >>"$cluster/hosts"; done
    for ((i = 0; i < $3; i++)); do mknod -m 666 "$cluster/dev/gpu$i" c 1 3; done
    echo "NodeName=n[1-$1] Name=gpu File=$cluster/dev/gpu[0-$(($3 - 1))]" >"$cluster/gres.conf"
    # With `tree`, 3 of 150 steps of four ranks crashed in MPI_Init (Slurm 22.05.8, Open MPI 4.1.4), with `ring` none of 150.
    echo 'PMIxCollFence=ring' >"$cluster/mpi.conf"
    cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=login(10.99.0.254)
SlurmUser=root
SlurmdUser=root
AuthInfo=socket=$cluster/munge/socket,cred_expire=5
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/spool/%n.pid
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool/%n
TmpFS=$cluster/tmp/%n
SlurmctldLogFile=$cluster/log/slurmctld
SlurmdLogFile=$cluster/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
EnforcePartLimits=ALL
SlurmdTimeout=10
KillWait=5
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n[1-$1] CPUs=$2 Sockets=1 CoresPerSocket=$2 ThreadsPerCore=1 RealMemory=4096 Gres=gpu:$3 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES DefaultTime=10 PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes=ALL DefaultTime=10 PriorityTier=2
CONF
}

# node_on NAME: boot it. Its first process does nothing but bury the orphans.
node_on() {
    local pid own
    own=$(readlink /proc/self/ns/net)
    mkdir -p "$cluster/spool/$1" "$cluster/tmp/$1"
    # shellcheck disable=SC2016 # the node expands it
    unshare --net --uts --mount --pid --fork --mount-proc --kill-child=KILL \
        bash -c 'hostname "$1" && mount -t tmpfs tmpfs /dev/shm && ip link set lo up && sleep infinity & wait' _ "$1" &
    node_init[$1]=$!
    disown
    # shellcheck disable=SC2016 # bash expands it
    wait_for bash -c 'pid=$(pgrep -P "$1") && [ "$(readlink "/proc/$pid/ns/net")" != "$2" ]' _ "${node_init[$1]}" "$own"
    pid=$(pgrep -P "${node_init[$1]}")
    ip link add "to-$1" type veth peer name eth0 netns "$pid"
    ip link set "to-$1" master bridge up
    nsenter --target "$pid" --net ip addr add "$(node_address "$1")/24" dev eth0
    nsenter --target "$pid" --net ip link set eth0 up
    slurmd_on "$1"
}

no_process() {
    [ ! -d "/proc/$1" ]
}

# node_off NAME: as in a power cut: the cable first, so that nobody hears of its end.
node_off() {
    ip link del "to-$1"
    kill -KILL "${node_init[$1]}"
    wait_for no_process "${node_init[$1]}"
}

# slurmd_on NAME, slurmd_off NAME: its daemon alone; jobs go on without it.
slurmd_on() {
    nsenter --target "$(pgrep -P "${node_init[$1]}")" --all --wd=/ slurmd -D -N "$1" >>"$cluster/log/$1.out" 2>&1 &
    node_slurmd[$1]=$!
    disown
}
slurmd_off() {
    pkill -KILL -P "${node_slurmd[$1]}"
    wait_for no_process "${node_slurmd[$1]}"
}

# nodes_ready N: N nodes take jobs.
nodes_ready() {
    [ "$(sinfo --noheader --Node --partition=main --format=%T 2>/dev/null | grep -c -e '^idle$' -e '^mixed$' -e '^allocated$')" = "$1" ]
}

# cluster_on N CPUS GPUS: start it, and wait until its nodes take jobs.
cluster_on() {
    local i
    configure "$@"
    hostname login
    mount --bind "$cluster/hosts" /etc/hosts
    ip link set lo up
    ip link add bridge type bridge
    ip addr add 10.99.0.254/24 dev bridge
    ip link set bridge up
    munged --foreground --force --key-file="$cluster/munge/key" --socket="$cluster/munge/socket" \
        --pid-file="$cluster/munge/pid" --log-file="$cluster/log/munged" --seed-file="$cluster/munge/seed" 2>/dev/null &
    disown
    wait_for test -S "$cluster/munge/socket"
    slurmctld -D -c >"$cluster/log/slurmctld.out" 2>&1 &
    disown
    for ((i = 1; i <= $1; i++)); do node_on "n$i"; done
    wait_for nodes_ready "$1"
}
