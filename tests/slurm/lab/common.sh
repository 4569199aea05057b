# shellcheck shell=bash
# A SLURM of four nodes on this machine, for tests. To be sourced with SWEEP_LAB set to its folder.

export PATH=$PATH:/usr/sbin:/sbin
lab=${SWEEP_LAB:?the folder of the lab}
readonly lab nodes=4 cpus=4 gpus=2
port=${SWEEP_LAB_PORT:-26817}
readonly port
export SLURM_CONF=$lab/slurm.conf

# running NAME PROGRAM: prints the process of lab/run/NAME.pid, if it is one of PROGRAM.
running() {
  local pid
  pid=$(cat "$lab/run/$1.pid" 2>/dev/null) && [[ -n $pid ]] &&
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$2" ]] && printf '%s\n' "$pid"
}

# Every node has a host name of its own: its processes are told from others by that.
start_node() {
  mkdir -p "$lab/spool/$1" "$lab/tmp/$1"
  unshare --uts bash -c 'hostname "$1" && exec slurmd -N "$1"' start "$1"
}
