"""Copy finished runs into trained_models/gallery, without what belongs to the machine that made them.

    python scripts/gallery.py RUNS_FOLDER

Each becomes trained_models/gallery/<name>: settings, metrics and snapshots as they are; the last checkpoint where it is
small; no host, user, process, path or log. Refuses runs that are not finished, and 25 MB in all.
"""

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fop_core.runs import files, store  # noqa: E402

GALLERY = ROOT / "trained_models" / "gallery"
SMALL = 1_500_000  # bytes of a checkpoint
LIMIT = 25_000_000  # bytes of the gallery


def pack(run: store.Run, target: Path) -> None:
    """Copy one run."""
    shutil.rmtree(target, ignore_errors=True)
    for folder in ("attempts", "snapshots", "checkpoints"):
        (target / folder).mkdir(parents=True)
    about = run.about | {"user": "", "host": ""}
    files.write_json(target / "run.json", about)
    state = run.state
    files.write_json(target / "state.json", {"state": state.state, "reason": state.reason, "since": state.since})
    files.write_json(target / "labels.json", run.labels)
    files.write_json(target / "progress.json", run.progress)
    for attempt in run.attempts:
        command = attempt["command"]
        start = next(index for index, word in enumerate(command) if word == "train")
        attempt = {key: value for key, value in attempt.items() if key != "pid"}
        attempt["command"] = ["python", "-m", "fop_core", *command[start:]]
        attempt["data"] = {key: value for key, value in attempt["data"].items() if key != "path"}
        files.write_json(target / "attempts" / f"{attempt['attempt']}.json", attempt)
        shutil.copy(run.path / f"metrics.{attempt['attempt']}.jsonl", target)
    for step in run.snapshot_steps():
        shutil.copy(run.path / "snapshots" / f"{step:08d}.safetensors", target / "snapshots")
    last = run.path / "checkpoints" / f"{run.checkpoint_steps()[-1]:08d}.safetensors"
    if last.stat().st_size <= SMALL:
        shutil.copy(last, target / "checkpoints")
    for file in target.rglob("*"):
        if file.is_file():
            file.chmod(0o644)


def main() -> int:
    """Copy all finished runs of a folder; say what each takes."""
    for run, damage in store.scan(Path(sys.argv[1])):
        if damage or run.state.state != "finished":
            print(f"left out: {run.id}: {damage or run.state.state}")
            continue
        target = GALLERY / run.name
        pack(run, target)
        print(f"{run.name}: {store.Run(target).size():,} bytes, {json.dumps(run.progress.get('test_accuracy'))}")
    total = sum(file.stat().st_size for file in GALLERY.rglob("*") if file.is_file())
    print(f"{total:,} bytes in all")
    if total > LIMIT:
        print(f"too many: the limit is {LIMIT:,}", file=sys.stderr)
    return int(total > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
