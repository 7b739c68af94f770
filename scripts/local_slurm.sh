#!/usr/bin/env bash
# A real SLURM on this machine for tests: `eval "$(scripts/local_slurm.sh start)"`, then `scripts/local_slurm.sh stop`.
# Needs root and Debian's slurm-wlm and munge, no systemd. All of it lies in LOCAL_SLURM_DIR, one SLURM for each folder.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

folder=$(realpath --canonicalize-missing "${LOCAL_SLURM_DIR:-${XDG_RUNTIME_DIR:-/tmp}/disent-local-slurm}")
export SLURM_CONF=$folder/slurm.conf
daemons=(slurmctld slurmd munged) # in the order they are stopped: what is killed must not be put back in the queue

mistake() {
    echo "local_slurm.sh: $1" >&2
    exit 1
}

check_machine() {
    local command
    for command in "${daemons[@]}" sinfo scancel python3; do
        command -v "$command" >/dev/null || mistake "$command is missing; apt-get install slurm-wlm munge python3"
    done
    [[ $EUID -eq 0 ]] || mistake "started by $(id -un), but slurmd starts jobs as other users; start it as root"
    # 108 bytes is the longest name of a Unix socket, and a job's is 30 longer than the folder's
    [[ ${#folder} -le 75 && $folder =~ ^[[:alnum:]/._+-]+$ ]] ||
        mistake "LOCAL_SLURM_DIR is $folder; it needs at most 75 letters, digits and /._+-"
    # start empties it and writes there as root
    [[ -f $folder/start.log || -z $(ls --almost-all "$folder" 2>/dev/null) ]] ||
        mistake "LOCAL_SLURM_DIR is $folder, which holds other files; it needs an empty folder or a new one"
}

two_free_ports() {
    python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))'
}

write_conf() {
    local host cpus memory slurmctld_port slurmd_port
    host=$(uname -n)
    host=${host%%.*} # the daemons look for themselves by this name
    cpus=$(getconf _NPROCESSORS_ONLN)
    memory=$(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
    read -r slurmctld_port slurmd_port <<<"$(two_free_ports)"
    cat >"$SLURM_CONF" <<CONF
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$slurmctld_port
SlurmdPort=$slurmd_port
SlurmUser=root
# never the numbers of an earlier SLURM, which files of its jobs may carry
FirstJobId=$(date +%-d%H%M%S)
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log

# A requeued job waits until its last credential has expired: 10 s here, for SLURM's 120.
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=10

# Neither control groups nor an accounting database nor a mail server: a container has none.
ProctrackType=proctrack/pgid
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MailProg=/bin/true

# A CPU for each job, and never fewer than two, so that two jobs run side by side on any machine.
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=local NodeHostname=$host NodeAddr=127.0.0.1 CPUs=$((cpus > 2 ? cpus : 2)) RealMemory=$memory
PartitionName=debug Nodes=ALL Default=YES MaxTime=1-0

# Jobs start within a second, end at their limit, and are killed soon after; a node that was lost comes back by itself.
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
OverTimeLimit=0
KillWait=5
JobRequeue=1
ReturnToService=2
# scontrol tells of a finished job for an hour, in place of accounting
MinJobAge=3600
CONF
    # slurmd looks for control groups all the same; version 1 is content to find none, version 2 calls systemd
    echo "CgroupPlugin=cgroup/v1" >"$folder/cgroup.conf"
}

pid_of() { # the daemon's, if it runs and is this folder's: a number in an old file may be anybody's by now
    local pid
    pid=$(cat "$folder/$1.pid" 2>/dev/null) && names_folder "$pid" && echo "$pid"
}

names_folder() { grep --quiet --fixed-strings "$folder/" "/proc/$1/cmdline" 2>/dev/null; } # a zombie's is empty

left_pids() { # of daemons, what they forked, and jobs; not of a shell or client that has this SLURM_CONF
    local process
    for process in /proc/[0-9]*; do
        if is_set_for "$process" "SLURM_CONF=$SLURM_CONF" && { is_set_for "$process" "SLURM_JOB_ID=[0-9]*" ||
            grep --quiet --extended-regexp '^(slurm|munged)' "$process/comm" 2>/dev/null; }; then
            echo "${process##*/}"
        fi
    done
}

is_set_for() { grep --quiet --null-data --line-regexp --regexp="$2" "$1/environ" 2>/dev/null; }

is_ready() {
    local daemon
    for daemon in "${daemons[@]}"; do
        pid_of "$daemon" >/dev/null || return 1
    done
    [[ $(timeout 5 sinfo --noheader --format=%T 2>/dev/null) =~ ^(idle|mixed|allocated|completing)$ ]]
}

start() {
    check_machine
    if ! is_ready; then
        stop
        rm -rf "$folder"/{state,spool,munged.log,slurmctld.log,slurmd.log} # a new SLURM knows no jobs of an earlier one
        mkdir -p "$folder"
        : >"$folder/start.log" # check_machine knows the folder by it
        mkdir -p "$folder/state" "$folder/spool"
        chmod 755 "$folder" # jobs of other users reach the socket
        (umask 077 && head --bytes=128 /dev/urandom >"$folder/munge.key")
        write_conf
        if ! { start_daemons &>"$folder/start.log" && wait_until_ready; }; then
            stop
            tail --lines=20 "$folder"/*.log >&2
            mistake "SLURM is not ready after 30 s; the ends of its logs are above"
        fi
    fi
    echo "export SLURM_CONF=$SLURM_CONF"
}

start_daemons() {
    munged --force --socket="$folder/munge.socket" --key-file="$folder/munge.key" --seed-file="$folder/munge.seed" \
        --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" &&
        slurmctld -f "$SLURM_CONF" && slurmd -f "$SLURM_CONF" # -f: pid_of finds the folder in it
}

wait_until_ready() {
    local end=$((SECONDS + 30))
    until is_ready; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

stop() {
    local daemon pid pids _
    for daemon in "${daemons[@]}"; do
        if pid=$(pid_of "$daemon"); then
            kill "$pid" 2>/dev/null || true
            for _ in {1..30}; do
                names_folder "$pid" || break
                sleep 0.1
            done
        fi
    done
    for _ in {1..50}; do # again, for a process that was just forking
        mapfile -t pids < <(left_pids)
        ((${#pids[@]} > 0)) || return 0
        kill -KILL "${pids[@]}" 2>/dev/null || true
        sleep 0.1
    done
    mistake "processes ${pids[*]} do not end"
}

case ${1:-} in
start) start ;;
stop) stop ;;
status)
    is_ready || mistake "no SLURM runs in $folder"
    sinfo && squeue
    ;;
*)
    echo "usage: local_slurm.sh start | stop | status" >&2
    exit 2
    ;;
esac
