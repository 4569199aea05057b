# shellcheck shell=bash
# What the scripts share. To be sourced after `set -euo pipefail`; goes to the project's folder.

project=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
cd "$project" || exit

# say TEXT: a line of progress with the seconds since the script started.
say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

# fail STATUS TEXT...: one line per argument on standard error.
fail() {
  local status=$1
  shift
  printf 'error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit "$status"
}

# is_libtorch DIR: headers and libraries are there.
is_libtorch() { [[ -f $1/include/ATen/ATen.h && -f $1/lib/libtorch_cpu.so ]]; }
