#!/usr/bin/env bash
# Runs the benchmarks: each prints one JSON object, which is kept in benchmarks/results/ too. Installs first what is missing.

# shellcheck source=scripts/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

setup dev
mkdir -p benchmarks/results
for name in race toy_suite step_overhead stacking training basins player jobs study metrics inspect preview; do
  say "benchmarks.$name: this takes minutes, on a machine that does nothing else."
  "$VENV/bin/python" -m "benchmarks.$name" | tee "benchmarks/results/$name.json.new"
  mv "benchmarks/results/$name.json.new" "benchmarks/results/$name.json"
done
