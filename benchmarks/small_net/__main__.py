"""The command: one phase of the comparison."""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import benchmarks.small_net
from benchmarks.small_net.plan import METHODS
from benchmarks.small_net.report import markdown, percent, plain, report
from benchmarks.small_net.runs import Runs, confirm, tune


def main(arguments: Sequence[str] | None = None) -> None:
    """Do one phase."""
    parser = argparse.ArgumentParser(description=(benchmarks.small_net.__doc__ or "").splitlines()[0])
    parser.add_argument("phase", choices=("tune", "confirm", "report"))
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="the runs folder")
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS), metavar="METHOD")
    parser.add_argument("--device", default="cpu", help="where they are trained (cpu)")
    parser.add_argument("--side-by-side", type=int, default=1, metavar="N", help="so many at a time (1)")
    chosen = parser.parse_args(arguments)
    if chosen.phase == "report":
        made = report(Runs(chosen.runs, train=False, device=chosen.device))
        lines = markdown(made)
        (chosen.runs / "small_net.json").write_text(json.dumps(plain(made), indent=1) + "\n")
        (chosen.runs / "small_net.md").write_text("\n".join([*lines, ""]))
        print("\n".join(lines))
        return
    runs = Runs(chosen.runs, device=chosen.device, side_by_side=chosen.side_by_side)

    def done(method: str) -> None:
        tuned = tune(method, runs)
        rho = "" if tuned.rho is None else f", ρ {tuned.rho:g}"
        print(f"{method}: tuned to ε {tuned.rate:g}{rho}, {percent(tuned.accuracy)} % held out", flush=True)
        if chosen.phase == "confirm":
            confirm(method, tuned, runs)

    # One thread a method: they wait for trainers, of which Runs lets so many work at a time.
    with ThreadPoolExecutor(len(chosen.only) if chosen.side_by_side > 1 else 1) as pool:
        list(pool.map(done, chosen.only))


if __name__ == "__main__":
    main()
