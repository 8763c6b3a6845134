#!/usr/bin/env bash
# Makes the project's one virtual environment and keeps it in step with the requirements files.
#
#   scripts/setup.sh app    what the app needs
#   scripts/setup.sh dev    that, and what tests, lint and benchmarks need
#
# VENV=DIR                  where the environment is (default: .venv)
# PYTHON=PROGRAM            the Python to make it from (default: the newest on PATH that runs)
# FOP_SKIP_SPACE_CHECK=1    install whatever the disk has free
#
# app.sh and test.sh source this file for its functions. It keeps to bash 3.2, which macOS has, and all it says goes to
# stderr, so that a benchmark's JSON has stdout to itself.

set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." >/dev/null

VENV=${VENV:-.venv}
log=$VENV.log
python=

say() { printf 'FOP Lab: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

die_with_log() {
  say "$* The last lines of $log:"
  tail -n 20 "$log" >&2
  exit 1
}

# Runs a command with its output in the log, and says now and then how far it has come, so that it does not look dead.
logged() {
  local code=0 start=$SECONDS ticker
  mkdir -p "$(dirname -- "$log")"
  (
    # No descriptor may outlive this: a reader of our output, or the next holder of the lock, would wait for the sleep.
    while sleep 15 >/dev/null 2>&1 9>&- && kill -0 $$ 2>/dev/null; do
      say "  $((SECONDS - start)) s$(du -sk "$VENV" 2>/dev/null | awk '{ printf ", %.1f GB", $1 * 1.024e-6 }'):" \
        "$(tail -n 1 "$log" | cut -c 1-90)"
    done
  ) 9>&- &
  ticker=$!
  trap 'kill $ticker 2>/dev/null' EXIT
  trap 'say "Interrupted."; exit 130' INT # pip and apt-get end on Ctrl-C as if they had failed
  "$@" >>"$log" 2>&1 || code=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  trap - EXIT INT
  return $code
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# Installs Debian packages, as root or where sudo asks for no password; false where neither is so.
apt_install() {
  if ! command -v apt-get >/dev/null 2>&1 || ! as_root true 2>/dev/null; then return 1; fi
  say "Installing $* by apt-get (about half a minute)."
  logged as_root apt-get update || say "apt-get update failed; trying with the package lists at hand."
  logged as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

# Being on PATH proves nothing: version managers leave shims there that only print an error.
good_python() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.implementation.name != "cpython")' >/dev/null 2>&1
}

# Sets $python, or is false.
find_python() {
  if [ -n "${PYTHON:-}" ]; then
    good_python "$PYTHON" || die "PYTHON=$PYTHON is no CPython of 3.11 or newer that runs."
    python=$PYTHON
    return
  fi
  for python in python3.14 python3.13 python3.12 python3.11 python3 python; do
    if good_python "$python"; then return; fi
  done
  return 1
}

get_python() {
  if find_python; then return; fi
  if apt_install python3 python3-venv && find_python; then return; fi
  die "No Python of 3.11 or newer runs here. Install one (Debian, Ubuntu: apt-get install python3 python3-venv;" \
    "macOS: brew install python) or name it: make app PYTHON=/path/to/python3"
}

get_venv_module() {
  local version package
  if "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  for package in "python$version-venv" python3-venv; do
    if apt_install "$package" && "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
  done
  die "$python (Python $version) cannot make virtual environments: its venv module is missing." \
    "Install it (Debian, Ubuntu: apt-get install python$version-venv) and start again."
}

make_venv() {
  get_venv_module
  if [ -e "$VENV" ] && [ ! -e "$VENV/pyvenv.cfg" ] && [ -n "$(ls -A "$VENV")" ]; then
    die "VENV=$VENV is not a virtual environment and not empty. Remove it, or name another folder."
  fi
  rm -rf "$VENV"
  logged "$python" -m venv "$VENV" || die_with_log "Making the virtual environment $VENV failed."
}

# Prints the whole GB free where the environment is, or will be.
free_gb() {
  local parent=$VENV
  while [ ! -d "$parent" ]; do parent=$(dirname -- "$parent"); done
  # The figure before the percentage: a file system's name may have spaces, and then the columns shift.
  df -Pk "$parent" | awk 'NR == 2 { for (i = 2; i <= NF; i++) if ($i ~ /%$/) { printf "%d\n", $(i - 1) * 1.024e-6; exit } }'
}

has_torch() { ls -d "$VENV"/lib/python*/site-packages/torch >/dev/null 2>&1; }

# With no torch there yet it takes the most: the CUDA libraries that torch brings on Linux.
check_space() {
  local need=9 free
  if has_torch; then need=1; fi
  free=$(free_gb)
  if [ "$free" -lt $need ] && [ -z "${FOP_SKIP_SPACE_CHECK:-}" ]; then
    die "Installing into $VENV needs $need GB free and there are $free GB. Free some, put the environment elsewhere" \
      "(VENV=/other/disk/venv), or go on all the same with FOP_SKIP_SPACE_CHECK=1."
  fi
  # pip's cache would hold all that it downloads a second time.
  if [ "$free" -lt 16 ]; then export PIP_NO_CACHE_DIR=1; fi
}

# One `make` installs at a time. The lock belongs to descriptor 9, so the kernel frees it however this script ends.
lock() {
  exec 9>"$VENV.lock"
  "$python" - "$VENV" <<'PY'
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print(f"FOP Lab: Another make is installing into {sys.argv[1]}; waiting for it.", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
PY
}

# What an installed level is known by: the requirements and the very Python.
fingerprint() {
  "$VENV/bin/python" -c 'import sys; print(sys.version)' && case $1 in
    app) cksum <requirements.txt ;;
    dev) cat requirements.txt requirements-dev.txt | cksum ;;
  esac
}

ready() {
  [ -s "$VENV/.installed-$1" ] && [ "$(fingerprint "$1" 2>/dev/null)" = "$(cat "$VENV/.installed-$1")" ]
}

pip_install() {
  logged "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off "$@"
}

install() {
  local level=$1 requirements='requirements.txt' start=$SECONDS
  if [ "$level" = dev ]; then requirements='requirements-dev.txt'; fi

  mkdir -p "$(dirname -- "$VENV")"
  python=$VENV/bin/python
  good_python "$python" || get_python
  lock
  if ready "$level"; then return; fi # the other make did it

  check_space
  : >"$log"
  good_python "$VENV/bin/python" || make_venv
  say "Installing $requirements into $VENV with $("$VENV/bin/python" --version). Log: $log"
  has_torch || say "This once it brings torch: 3 GB to download on Linux, 7 GB on disk, about 3 minutes on a fast line."
  # An interrupted installation must not pass for a finished one, and a half-done "dev" may have touched "app".
  rm -f "$VENV/.installed-app" "$VENV/.installed-dev"
  # torch before the rest: pip downloads everything before it installs anything, and both at once are more than 9 GB.
  # shellcheck disable=SC2046
  if ! pip_install $(grep '^torch' requirements.txt) || ! pip_install -r "$requirements"; then
    die_with_log "Installing $requirements failed."
  fi
  fingerprint app >"$VENV/.installed-app"
  if [ "$level" = dev ]; then fingerprint dev >"$VENV/.installed-dev"; fi
  say "Installed in $((SECONDS - start)) s."
}

setup() {
  case $1 in
    app | dev) ;;
    *) die "scripts/setup.sh takes app or dev, not '$1'." ;;
  esac
  case $(uname -s) in
    MINGW* | MSYS* | CYGWIN*) die "FOP Lab runs on Linux and macOS. On Windows use WSL2 (wsl --install) and start again there." ;;
  esac
  if ! ready "$1"; then
    install "$1"
    exec 9>&-
  fi
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then setup "${1:-app}"; fi
