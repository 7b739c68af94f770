#!/usr/bin/env bash
# A real SLURM on this machine, for the tests: `eval "$(scripts/local_slurm.sh start)"`, …, `scripts/local_slurm.sh stop`.
# Needs Debian's slurm-wlm and munge, and root. All it makes lies in LOCAL_SLURM_DIR.
set -euo pipefail

folder=${LOCAL_SLURM_DIR:-${TMPDIR:-/tmp}/disent-local-slurm}
export SLURM_CONF=$folder/slurm.conf

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'; }

is_idle() { timeout 5 sinfo --noheader --format=%T 2>/dev/null | grep -qE '^(idle|mixed|allocated)$'; }

started() { [[ -f $folder/$1.pid ]] && kill -0 "$(<"$folder/$1.pid")" 2>/dev/null; }

write_conf() {
    local name cores memory
    name=$(hostname -s) # slurmctld runs on no other than the host that it is told
    cores=$(nproc)
    memory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.8) }' /proc/meminfo)
    cat >"$SLURM_CONF" <<CONF
ClusterName=local
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
# neither control groups nor an accounting database: a container has none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
# two tasks of one core side by side
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
# quick answers: what is put back in the queue starts again within seconds, what is cancelled has five to end
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,requeue_setup_env_fail
KillWait=5
JobRequeue=1
MinJobAge=600
MessageTimeout=30
NodeName=$name NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory State=UNKNOWN
PartitionName=debug Nodes=$name Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
}

start() {
    for command in munged slurmctld slurmd sinfo; do
        if ! command -v "$command" >/dev/null && [[ ! -x /usr/sbin/$command ]]; then
            echo "local_slurm.sh: $command is missing; apt-get install slurm-wlm munge" >&2
            exit 1
        fi
    done
    export PATH=$PATH:/usr/sbin
    if ! { started slurmctld && started slurmd && is_idle; }; then
        stop
        mkdir -p "$folder/state" "$folder/spool"
        chmod 755 "$folder" # munged refuses a folder that others may write to
        dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 status=none
        chmod 400 "$folder/munge.key"
        write_conf
        munged --force --socket="$folder/munge.socket" --key-file="$folder/munge.key" --pid-file="$folder/munged.pid" \
            --log-file="$folder/munged.log" --seed-file="$folder/munge.seed" >/dev/null 2>&1
        slurmctld -f "$SLURM_CONF" >/dev/null 2>&1
        slurmd -f "$SLURM_CONF" >/dev/null 2>&1
        for _ in $(seq 60); do
            is_idle && break
            sleep 0.5
        done
        if ! is_idle; then
            tail -n 20 "$folder"/*.log >&2
            echo "local_slurm.sh: SLURM did not start in 30 s; its logs are above" >&2
            exit 1
        fi
    fi
    echo "export SLURM_CONF=$SLURM_CONF"
}

stop() {
    if started slurmctld; then
        scancel --user root --signal=KILL --full 2>/dev/null || true
        scancel --user root 2>/dev/null || true
    fi
    for daemon in slurmd slurmctld munged; do
        started "$daemon" || continue
        local pid
        pid=$(<"$folder/$daemon.pid")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    done
    pkill -f "slurmstepd: \[" 2>/dev/null || true
}

case ${1:-} in
start) start ;;
stop) stop ;;
status) sinfo && squeue ;;
*)
    echo "usage: local_slurm.sh start | stop | status" >&2
    exit 2
    ;;
esac
