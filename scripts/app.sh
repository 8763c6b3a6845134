#!/usr/bin/env bash
# Starts the app on this machine alone: 127.0.0.1, from port 8501 the first that is free. Installs first what is missing.
# Arguments go to `streamlit run`:  make app ARGS="--server.port 9000"

# shellcheck source=scripts/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

# Passes the app's lines on; after its address come the words on how to reach it. The port is known only from there:
# Streamlit looks for a free one itself.
announce() {
  local line port
  trap '' INT # Ctrl-C is for the app; its last words still come through
  while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
      *URL:\ http*)
        port=${line##*:}
        port=${port%%/*}
        printf '  From another machine: ssh -L 8501:127.0.0.1:%s %s@%s\n' "$port" "$(id -un)" "$(uname -n)"
        printf '  and open http://127.0.0.1:8501 there. Ctrl-C here ends the app.\n\n'
        ;;
    esac
  done
}

setup app
say "Starting the app (a few seconds)."
PYTHONUNBUFFERED=1 exec "$VENV/bin/python" -m streamlit run app.py "$@" > >(announce)
