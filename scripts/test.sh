#!/usr/bin/env bash
# Runs the tests, each page's main journey in a real browser too. Installs first what is missing.
# Arguments go to pytest:  make test ARGS="tests/optim -k momentum"
#
# FOP_TESTS=all           also the long ones: each page's details in a browser, faults, Slurm, all of very many like cases
# FOP_CHROMIUM=PROGRAM    the Chromium or Chrome to drive (default: from PATH, else by apt-get)
# FOP_SKIP_BROWSER=1      leave the browser tests out; refused where CI is set

# shellcheck source=scripts/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

APART=(tests/journeys tests/jobs/test_queue.py tests/jobs/test_trust.py)
LONG=(tests/browser tests/faults tests/slurm)

# Running it tells: Ubuntu's chromium-browser, for one, may only print that a snap is missing.
good_chromium() { "$1" --version >/dev/null 2>&1; }

# Sets $chromium, or is false.
find_chromium() {
  local mac=/Applications
  for chromium in chromium chromium-browser google-chrome google-chrome-stable \
    "$mac/Chromium.app/Contents/MacOS/Chromium" "$mac/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    if good_chromium "$chromium"; then
      chromium=$(command -v "$chromium")
      return
    fi
  done
  return 1
}

get_chromium() {
  if [ -n "${FOP_CHROMIUM:-}" ]; then
    good_chromium "$FOP_CHROMIUM" || die "FOP_CHROMIUM=$FOP_CHROMIUM is no Chromium that runs: '--version' fails."
    chromium=$(command -v "$FOP_CHROMIUM")
    return
  fi
  if find_chromium; then return; fi
  if apt_install chromium fonts-liberation && find_chromium; then return; fi
  die "The browser tests need Chromium or Chrome, and none runs here. Install one (Debian: apt-get install chromium;" \
    "Ubuntu: Google's own google-chrome-stable; macOS: brew install --cask google-chrome), name one with" \
    "FOP_CHROMIUM=/path/to/it, or leave those tests out with FOP_SKIP_BROWSER=1."
}

run_tests() {
  case ${FOP_SKIP_BROWSER:-} in
    '' | 0)
      # First of all, since it may fail, and the installation takes minutes.
      get_chromium
      export FOP_CHROMIUM="$chromium"
      ;;
    *)
      case ${CI:-} in
        '' | 0 | false) ;;
        *) die "FOP_SKIP_BROWSER is set, and so is CI: nothing is left out there. Unset one of them." ;;
      esac
      say "FOP_SKIP_BROWSER is set: the tests in tests/browser are left out."
      set -- -m "not browser" "$@"
      ;;
  esac
  setup dev
  if [ $# -gt 0 ]; then exec "$VENV/bin/python" -m pytest "$@"; fi
  local failed=0 paths=("${APART[@]}" "${LONG[@]}")
  local beside=("${paths[@]/#/--ignore=}")
  if [ "${FOP_TESTS:-}" = all ]; then
    say "Running all tests (forty minutes on two cores; what takes longest is listed at the end)."
  else
    say "Running the tests, without the long ones, which FOP_TESTS=all adds: ${LONG[*]}, all of very many like cases."
    paths=("${APART[@]}")
    beside+=(-m "not long")
  fi
  # Side by side, most of them more than there are cores, since they wait for programs and the disk too; those that start
  # servers, browsers and jobs by twos, since each has several processes at work.
  "$VENV/bin/python" -m pytest -n 4 --dist loadfile "${beside[@]}" --durations=40 || failed=1
  "$VENV/bin/python" -m pytest -n 2 --dist loadfile "${paths[@]}" --durations=40 || failed=1
  return $failed
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then run_tests "$@"; fi
