"""Copy finished runs into trained_models/gallery, without what belongs to the machine that made them.

    python scripts/gallery.py RUNS_FOLDER     copies, then writes the tables
    python scripts/gallery.py                 writes the tables of docs/gallery.md from what is there

Each becomes trained_models/gallery/<name>: settings, metrics and snapshots as they are, of PP-HD every fourth; the last
checkpoint of the one to fork from; no host, user, process, path or log. Refuses runs that are not finished, and 25 MB
in all.
"""

import json
import math
import shutil
import statistics
import sys
from pathlib import Path

import numpy as np

from fop_core.runs.run import Run

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fop_core.formatting import percent  # noqa: E402
from fop_core.reproduction.tables import replaced  # noqa: E402
from fop_core.runs import files, load, store  # noqa: E402
from fop_core.runs.names import (  # noqa: E402
    ARRAYS,
    ATTEMPT,
    ATTEMPTS,
    CHECKPOINTS,
    LABELS_JSON,
    METRICS,
    PROGRESS_JSON,
    RUN_JSON,
    SNAPSHOTS,
    STATE_JSON,
)

GALLERY = ROOT / "trained_models" / "gallery"
DOWNSAMPLED = {"cifar10-pp-hd": 4}  # runs that keep every so manyth snapshot: PP-HD's histograms are many
FORKED = ("cifar10-fop-velocity",)  # runs that keep a checkpoint
LIMIT = 25_000_000  # bytes of the gallery
DOCUMENT = ROOT / "docs" / "gallery.md"


def pack(run: Run, target: Path) -> None:
    """Copy one run."""
    shutil.rmtree(target, ignore_errors=True)
    for folder in (ATTEMPTS, SNAPSHOTS, CHECKPOINTS):
        (target / folder).mkdir(parents=True)
    about = run.about | {"user": "", "host": ""}
    files.write_json(target / RUN_JSON, about)
    state = run.state
    files.write_json(target / STATE_JSON, {"state": state.state, "reason": state.reason, "since": state.since})
    files.write_json(target / LABELS_JSON, run.labels)
    files.write_json(target / PROGRESS_JSON, run.progress)
    for attempt in run.attempts:
        command = attempt["command"]
        start = next(index for index, word in enumerate(command) if word == "train")
        attempt = {key: value for key, value in attempt.items() if key != "pid"}
        attempt["command"] = ["python", "-m", "fop_core", *command[start:]]
        attempt["data"] = {key: value for key, value in attempt["data"].items() if key != "path"}
        files.write_json(target / ATTEMPTS / ATTEMPT.format(attempt["attempt"]), attempt)
        shutil.copy(run.path / METRICS.format(attempt["attempt"]), target)
    steps = run.snapshot_steps()
    for step in {*steps[:: DOWNSAMPLED.get(run.name, 1)], steps[-1]} if steps else ():
        shutil.copy(run.path / SNAPSHOTS / ARRAYS.format(step), target / SNAPSHOTS)
    if run.name in FORKED:
        shutil.copy(run.checkpoint_path(run.checkpoint_steps()[-1]), target / CHECKPOINTS)
    for file in target.rglob("*"):
        if file.is_file():
            file.chmod(0o644)


def command(run: Run) -> str:
    """Return what a shell makes the run again with; how many threads it had does not change what it is."""
    words = run.attempts[0]["command"]
    left_out = {"--quiet", "--name", run.name, "threads=1"}
    kept = [word for word in words if word not in left_out]
    kept = [word for word, after in zip(kept, [*kept[1:], ""]) if not (word == "--set" and after.startswith("--"))]
    return " ".join(kept[:-1] if kept[-1] == "--set" else kept)


def final(run: Run, column: str) -> float:
    """Return a column's last value, NaN where it has none."""
    return float(run.metrics[column].values[-1]) if column in run.metrics else math.nan


def runs_table(runs: list[Run]) -> list[str]:
    """Return the table of all runs, in Markdown."""
    rows = ["| run | command | train loss | test loss | test accuracy |", "| --- | --- | --- | --- | --- |"]
    for run in runs:
        losses = " | ".join(f"{final(run, column):.4f}" for column in ("train_loss", "test_loss"))
        rows.append(f"| {run.name} | `{command(run)}` | {losses} | {percent(final(run, 'test_accuracy'))} |")
    return rows


def accuracies(runs: list[Run]) -> list[str]:
    """Return test accuracies at the ends of some epochs."""
    epochs = (1, 2, 3, 4, 6, 8, 9, 12, 15)
    rows = [f"| run | {' | '.join(map(str, epochs))} |", "| --- |" + " --- |" * len(epochs)]
    for run in runs:
        at, values = run.metrics.over("epoch", "test_accuracy")
        cells = [f"{100 * values[int(np.argmin(np.abs(at - epoch)))]:.1f}" for epoch in epochs]
        rows.append(f"| {run.name} | {' | '.join(cells)} |")
    return rows


def over_training(runs: list[Run]) -> list[str]:
    """Return how the eigenvalues of the spatial P moved: over all layers, at the ends of some epochs."""
    epochs = (1, 3, 8, 15)
    rows = [f"| run | {' | '.join(f'epoch {epoch}' for epoch in epochs)} |", "| --- |" + " --- |" * len(epochs)]
    for run in runs:
        cells = []
        for epoch in epochs:
            least, most = (_at(run, quantity, epoch) for quantity in ("eigenvalue_min", "eigenvalue_max"))
            cells.append(f"{min(least):.3f} to {max(most):.3f}, median λmax {statistics.median(most):.3f}")
        rows.append(f"| {run.name} | {' | '.join(cells)} |")
    return rows


def _at(run: Run, quantity: str, epoch: float) -> list[float]:
    """Return each spatial layer's last value up to an epoch."""
    numbers = []
    for layer in spatial(run):
        epochs, values = run.metrics.over("epoch", f"{quantity}/{layer}")
        numbers.append(float(values[max(0, int(np.searchsorted(epochs, epoch, "right")) - 1)]))
    return numbers


def spatial(run: Run) -> list[str]:
    """Return the layers whose P is over positions of a kernel, in the network's order."""
    names = [column.partition("/")[2] for column in run.metrics.columns if column.startswith("constant_share/")]
    return sorted(names, key=lambda name: int(name.partition(".")[0]))


def structure(run: Run) -> list[str]:
    """Return each layer's final P as a row: eigenvalues, the constant direction, neighbours in what is left."""
    rows = [
        "| layer | λmin | λmax | effective rank | ‖P − I‖ | share along 11ᵀ | ⟨P − I, 11ᵀ/n⟩ "
        "| beside in a row | farther in a row | beside in a column | farther in a column | elsewhere |",
        "| --- |" + " --- |" * 11,
    ]
    for layer in spatial(run):
        plain = ("eigenvalue_min", "eigenvalue_max", "effective_rank", "identity_distance", "constant_share")
        signed = ("constant_sign", "row_neighbours", "row_others", "column_neighbours", "column_others", "elsewhere")
        cells = [f"{final(run, f'{quantity}/{layer}'):.3f}" for quantity in plain]
        cells += [f"{final(run, f'{quantity}/{layer}'):+.3f}" for quantity in signed]
        rows.append(f"| {layer} | {' | '.join(cells)} |")
    return rows


def write_tables() -> None:
    """Replace what stands between the marks in docs/gallery.md."""
    DOCUMENT.write_text(replaced(DOCUMENT.read_text(), tables()))


def tables() -> dict[str, list[str]]:
    """Return the tables by name."""
    runs = sorted((load(str(run.path)) for run, _ in store.scan(GALLERY)), key=lambda run: run.name)
    learned = [run for run in runs if spatial(run) and run.config["fop"]["preconditioner"] != "mean_removing"]
    images = [run for run in runs if run.config["data"]["name"] == "cifar10"]
    by_name = {"runs": runs_table(runs), "accuracies": accuracies(images), "eigenvalues": over_training(learned)}
    return by_name | {run.name: structure(run) for run in learned}


def main() -> int:
    """Copy all finished runs of a folder; say what each takes."""
    for run, damage in store.scan(Path(sys.argv[1])) if sys.argv[1:] else ():
        if damage or run.state.state != "finished":
            print(f"left out: {run.id}: {damage or run.state.state}")
            continue
        target = GALLERY / run.name
        pack(run, target)
        print(f"{run.name}: {Run(target).size():,} bytes, {json.dumps(run.progress.get('test_accuracy'))}")
    total = sum(file.stat().st_size for file in GALLERY.rglob("*") if file.is_file())
    print(f"{total:,} bytes in all")
    if total > LIMIT:
        print(f"too many: the limit is {LIMIT:,}", file=sys.stderr)
    write_tables()
    return int(total > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
