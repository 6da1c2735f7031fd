#!/bin/bash
# A temporary SLURM on this machine: one node, two partitions, two simulated GPUs, accounting. Needs root, not systemd.
# usage: cluster.sh start|stop STATE
# STATE is a folder for everything that the daemons write; all users must be able to enter it (mariadbd runs as mysql).
set -euo pipefail
state=$2
host=$(hostname -s)
# Unusual ports, to avoid conflicts with services of this machine.
ctld_port=27817 slurmd_port=27818 dbd_port=27819 sql_port=27806
export SLURM_CONF=$state/etc/slurm.conf
sql=(mariadb --no-defaults --user=root --socket="$state/mysql/my.sock")

wait_for() {
    local seconds=$1 tries
    shift
    for ((tries = 0; tries < seconds * 10; tries++)); do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    echo "cluster.sh: timeout after $seconds s: $*; logs are in $state/log" >&2
    return 1
}

start_munge() {
    dd if=/dev/urandom of="$state/munge/munge.key" bs=1024 count=1 status=none
    chmod 600 "$state/munge/munge.key"
    munged --force --key-file="$state/munge/munge.key" --socket="$state/run/munge.socket" \
        --pid-file="$state/run/munged.pid" --log-file="$state/log/munged.log" --seed-file="$state/munge/seed"
    wait_for 10 munge -S "$state/run/munge.socket" -n
}

start_database() {
    chown -R mysql "$state/mysql"
    mariadb-install-db --no-defaults --user=mysql --datadir="$state/mysql" --skip-test-db \
        --auth-root-authentication-method=normal >"$state/log/mysql-install.log" 2>&1
    mariadbd --no-defaults --user=mysql --datadir="$state/mysql" --socket="$state/mysql/my.sock" \
        --bind-address=127.0.0.1 --port=$sql_port --pid-file="$state/mysql/my.pid" --innodb-buffer-pool-size=64M \
        --innodb-lock-wait-timeout=900 >"$state/log/mariadbd.log" 2>&1 </dev/null &
    echo $! >"$state/run/mariadbd.pid"
    wait_for 30 "${sql[@]}" -e 'select 1'
    # 127.0.0.1 instead of localhost: the client would use a socket at its default path.
    "${sql[@]}" -e "create database slurm_acct_db; create user slurm@'127.0.0.1' identified by 'slurm';
        create user slurm@localhost identified by 'slurm'; grant all on slurm_acct_db.* to slurm@'127.0.0.1';
        grant all on slurm_acct_db.* to slurm@localhost"
}

write_configuration() {
    cat >"$state/etc/slurmdbd.conf" <<C
AuthType=auth/munge
AuthInfo=socket=$state/run/munge.socket
DbdHost=localhost
DbdPort=$dbd_port
SlurmUser=root
LogFile=$state/log/slurmdbd.log
PidFile=$state/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$sql_port
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
C
    chmod 600 "$state/etc/slurmdbd.conf"
    cat >"$SLURM_CONF" <<C
ClusterName=throwaway
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ctld_port
SlurmdPort=$slurmd_port
AuthType=auth/munge
AuthInfo=socket=$state/run/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$state/spool/ctld
SlurmdSpoolDir=$state/spool/d
SlurmctldPidFile=$state/run/slurmctld.pid
SlurmdPidFile=$state/run/slurmd.pid
SlurmctldLogFile=$state/log/slurmctld.log
SlurmdLogFile=$state/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
# The node may claim more CPUs and memory than this machine has.
SlurmdParameters=config_overrides
# Memory is sampled, because a container has no cgroups.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill,UsePss
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=2,defer_batch
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
PriorityType=priority/basic
MinJobAge=300
KillWait=5
InactiveLimit=0
MaxArraySize=10001
GresTypes=gpu
DefMemPerCPU=100
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=$dbd_port
AccountingStoragePass=$state/run/munge.socket
AccountingStorageTRES=gres/gpu
# The comment of a job is its rule.
AccountingStoreFlags=job_comment
NodeName=$host NodeAddr=127.0.0.1 CPUs=6 RealMemory=24000 Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes=$host Default=YES MaxTime=1-00:00:00 State=UP OverSubscribe=NO
PartitionName=gpu Nodes=$host MaxTime=2-00:00:00 State=UP OverSubscribe=NO
C
    # SLURM regards a device node named nvidia<N> as a GPU.
    for number in 0 1; do mknod "$state/dev/nvidia$number" c 1 3; done
    echo "Name=gpu File=$state/dev/nvidia[0-1]" >"$state/etc/gres.conf"
    # Snakemake's job step removes SLURM_CONF from its environment, so srun reads the files at their default paths.
    mkdir -p /etc/slurm
    for file in slurm.conf gres.conf; do
        if [ -e "/etc/slurm/$file" ] && [ ! -L "/etc/slurm/$file" ]; then
            echo "cluster.sh: /etc/slurm/$file exists: this machine already belongs to a SLURM cluster" >&2
            exit 1
        fi
        ln -sfn "$state/etc/$file" "/etc/slurm/$file"
    done
}

# slurmd examines the file system of control groups even if it uses none; a bare container has none mounted.
mount_cgroups() {
    mountpoint -q /sys/fs/cgroup && return
    touch "$state/run/cgroups-mounted"
    if grep -qv '^0::' /proc/self/cgroup; then
        # With control groups of version 1, slurmd expects a folder for each, and systemd's to be mounted.
        mount -t tmpfs tmpfs /sys/fs/cgroup
        mkdir /sys/fs/cgroup/systemd
        mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
    else
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
    fi
}

start() {
    trap 'echo "cluster.sh: start failed; logs are in $state/log" >&2; stop' EXIT
    rm -rf "$state"
    mkdir -p "$state"/{etc,run,log,spool/ctld,spool/d,mysql,munge,dev}
    chmod 755 "$state" "$state/run" "$state/log"
    chmod 700 "$state/munge"
    mount_cgroups
    start_munge
    start_database
    write_configuration
    slurmdbd >"$state/log/slurmdbd.out" 2>&1
    wait_for 30 bash -c "echo >/dev/tcp/127.0.0.1/$dbd_port"
    sacctmgr -i add cluster throwaway >"$state/log/sacctmgr.log"
    sacctmgr -i add account lab Cluster=throwaway >>"$state/log/sacctmgr.log"
    sacctmgr -i add user root Account=lab DefaultAccount=lab >>"$state/log/sacctmgr.log"
    slurmctld -f "$SLURM_CONF"
    wait_for 20 scontrol ping
    slurmd -f "$SLURM_CONF" -N "$host"
    wait_for 20 bash -c 'sinfo -h -o %T | grep -q idle'
    trap - EXIT
}

stop() {
    local daemon pid
    # Jobs would survive the daemons.
    if scontrol ping >/dev/null 2>&1; then
        scancel --user=root
        wait_for 60 bash -c '! squeue --noheader | grep -q .'
    fi
    for daemon in slurmd slurmctld slurmdbd mariadbd munged; do
        pid=$(cat "$state/run/$daemon.pid" 2>/dev/null) || continue
        kill "$pid" 2>/dev/null || continue
        wait_for 120 bash -c "! kill -0 $pid"
    done
    if [ -e "$state/run/cgroups-mounted" ]; then
        umount --recursive /sys/fs/cgroup
        rm "$state/run/cgroups-mounted"
    fi
    for file in slurm.conf gres.conf; do
        [ "$(readlink "/etc/slurm/$file")" != "$state/etc/$file" ] || rm "/etc/slurm/$file"
    done
}

case $1 in
start) start ;;
stop) stop ;;
*)
    sed -n '2,4p' "$0" >&2
    exit 2
    ;;
esac
