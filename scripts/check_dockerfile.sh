#!/usr/bin/env bash
# Carries out the Dockerfile without a container engine: reads its lines, runs them in an empty directory with a virtual
# environment of its own, starts the CMD, waits for the HEALTHCHECK, looks at the page and stops. Takes some minutes.
#
# What stands in for what: / is a temporary directory, FROM's Python is whichever setup.sh finds, the user is you, and the
# app listens on 127.0.0.1 at a free port. RUN lines about users are passed over, and named.

# shellcheck source=scripts/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

get_python
get_venv_module
root=$(mktemp -d)
app_pid=
clean_up() {
  if [ -n "$app_pid" ]; then kill "$app_pid" 2>/dev/null || true; fi
  rm -rf "$root"
}
trap clean_up EXIT

# The absolute paths of the image, under $root.
rooted() { printf '%s\n' "$1" | sed -E "s#(^|[ =\"])/(app|data)#\1$root/\2#g"; }

# What `docker build` would send: all files but .dockerignore's. With an empty index git takes every file for untracked.
make_context() {
  mkdir "$root/context"
  GIT_INDEX_FILE=$root/no-index git ls-files -z --others --exclude-from=.dockerignore |
    tar --null --files-from=- -cf - | tar -xf - -C "$root/context"
}

copy() {
  local target=${*: -1} source
  while [ $# -gt 1 ]; do
    source=$root/context/$1
    mkdir -p "$target"
    if [ -d "$source" ]; then cp -R "$source/." "$target"; else cp "$source" "$target"; fi
    shift
  done
}

free_port() { python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

make_context
"$python" -m venv "$root/venv"
export PATH="$root/venv/bin:$PATH" HOME="$root/home"
mkdir "$HOME"

workdir=$root cmd=() healthcheck=
while read -r instruction rest; do
  case $instruction in '' | \#*) continue ;; esac
  say "$instruction $rest"
  rest=$(rooted "$rest")
  case $instruction in
    FROM) say "  passed over: with $(python --version) of this machine" ;;
    ARG) eval "export ${rest%%=*}=\${${rest%%=*}:-${rest#*=}}" ;;
    ENV) eval "export $rest" ;;
    WORKDIR)
      workdir=$rest
      mkdir -p "$workdir"
      ;;
    COPY)
      # shellcheck disable=SC2086
      (cd "$workdir" && copy $rest)
      ;;
    RUN)
      case $rest in
        *useradd* | *chown*) say "  passed over: it is about users" ;;
        *) (cd "$workdir" && sh -c "$rest") >>"$root/log" 2>&1 || { tail -n 20 "$root/log" >&2; die "that RUN failed."; } ;;
      esac
      ;;
    VOLUME) eval "mkdir -p $(printf '%s\n' "$rest" | tr -d '[],')" ;;
    HEALTHCHECK) healthcheck=${rest#*CMD } ;;
    CMD) eval "cmd=($(printf '%s\n' "$rest" | sed -E 's/^\[//; s/\]$//; s/", *"/" "/g'))" ;;
    USER | EXPOSE) say "  passed over" ;;
    *) die "scripts/check_dockerfile.sh does not know $instruction." ;;
  esac
done <Dockerfile

cd "$workdir"
STREAMLIT_SERVER_PORT=$(free_port)
export STREAMLIT_SERVER_PORT STREAMLIT_SERVER_ADDRESS=127.0.0.1
if sh -c "$healthcheck" 2>/dev/null; then die "the health check passes although nothing was started."; fi
say "Starting ${cmd[*]} at 127.0.0.1:$STREAMLIT_SERVER_PORT"
"${cmd[@]}" >"$root/log" 2>&1 &
app_pid=$!
for ((tries = 60; tries > 0; tries--)); do
  if sh -c "$healthcheck" 2>/dev/null; then break; fi
  kill -0 "$app_pid" 2>/dev/null || break
  sleep 1
done
if [ $tries = 0 ] || ! kill -0 "$app_pid" 2>/dev/null; then
  cat "$root/log" >&2
  die "the app did not become healthy."
fi
for path in "" app/static/plotly-cartesian.min.js; do
  python -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=10)' \
    "http://127.0.0.1:$STREAMLIT_SERVER_PORT/$path" || die "the app does not serve /$path."
done
kill "$app_pid"
wait "$app_pid" || die "the app ended with status $? when stopped."
app_pid=
say "The Dockerfile's steps work: the app became healthy, served its page and plotly.js, and stopped."
