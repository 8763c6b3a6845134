"""In a folder of five runs any file of one is replaced by anything: all else goes on, the damage is named, all ends."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from fop_core.cli import main
from fop_core.jobs import queue, slots
from fop_core.runs import learned, store
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile
from fop_core.runs.listing import Listing
from fop_core.runs.loaded import Loaded
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config, fork
from pages.runs import columns, table
from tests import damage
from tests.damage import LONGEST, watchdog  # noqa: F401, a fixture
from tests.pages.app import app_at
from tests.pages.test_trajectories import component, ran, words
from tests.permissions import NO_PERMISSION, permissions_hold  # noqa: F401, a fixture
from tests.runs.test_damage import ATTEMPT, PROGRESS
from tests.sampled import sampled

pytestmark = pytest.mark.usefixtures("watchdog")

NAMES = ("ada", "bell", "curie", "dirac", "euler")
KINDS = [*damage.KINDS, NO_PERMISSION]
LISTED = {"run.json", "state.json", "labels.json", "progress.json", "attempts/1.json"}
"""What every list reads, whatever else it shows."""
KNOWN = {"run.json", "state.json", "labels.json"}
"""What says whether a run can be looked into."""
OPENED = {"attempts", "attempts/1.json", "metrics.1.jsonl", "snapshots", "snapshots/00000002.safetensors"}
"""What is read of one that is looked into."""


def made(folder: Path, name: str) -> Run:
    """A run of every file there is."""
    run = store.create(config.preset("mnist-mlp", "fop").to_json(), name=name, lineage={"preset": "mnist-mlp"})
    arrays = {"1.weight/M": np.eye(4, 2, dtype=np.float32), "1.weight/spectrum": np.ones(4, np.float32)}
    with Control(run) as control:
        control.set("running")
        writer = RunWriter(run, ATTEMPT)
        for step in (1, 2):
            writer.row({"step": step, "epoch": step / 10, "seconds": 0.5 * step, "train_loss": 1 / step})
            writer.snapshot(step, arrays)
        writer.row({"step": 3, "test_accuracy": 0.5})
        writer.checkpoint(2, arrays, {"step": 2, "steps_in_epoch": 10})
        writer.progress(PROGRESS)
        writer.close()
        control.set("stopped", "by a test at step 3")
    run.label(notes="whole")
    (run.path / "log.txt").write_text("done\n")
    (run.path / "usage.json").write_text('{"cpu_percent": 1.0}')
    return run


@pytest.fixture
def runs(tmp_path, monkeypatch) -> dict[str, Run]:
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "_start", lambda folder: None)  # no run is to change meanwhile
    monkeypatch.setattr("fop_core.runs.listing.FRESH", 0.0)
    for limit in ("SPARE", "PATIENCE"):
        monkeypatch.setattr(f"fop_core.runs.listing.{limit}", 60.0)
    return {name: made(tmp_path / "runs", name) for name in NAMES}


class Damaged:
    """One of the runs with one part replaced, and whole again after."""

    def __init__(self, run: Run, part: str, replace: damage.Replace) -> None:
        self.run, self.part, self.replace = run, part, replace

    def __enter__(self) -> Run:
        shutil.copytree(self.run.path, self.run.path.parent / ".whole")
        self.replace(self.run.path / self.part)
        return Run(self.run.path)

    def __exit__(self, *_: object) -> None:
        path = self.run.path / self.part
        if os.path.lexists(path) and not path.is_symlink():
            path.chmod(0o700)
        damage.remove(self.run.path)
        (self.run.path.parent / ".whole").rename(self.run.path)


def call(capsys, *arguments):
    status = main(list(map(str, arguments)))
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err + captured.out
    return status, captured.out, captured.err


def is_whole(run: Run, part: str) -> bool:
    """Whether what every list reads of a part is still fine, as where a file that may be missing is."""
    try:
        _ = run.about, run.state, run.labels, run.progress, run.attempts
    except (DamagedFile, OSError):
        return False
    return True


@pytest.mark.usefixtures("permissions_hold")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0])
def test_each_command_shows_the_other_four_and_names_the_damaged_one(runs, capsys, tmp_path, kind):
    whole = [run for name, run in runs.items() if name != "curie"]
    for part in damage.parts(runs["curie"].path):
        with Damaged(runs["curie"], part, kind[1]) as run:
            status, out, err = call(capsys, "runs", "list")
            assert status == 0, (part, err)
            for name in NAMES:
                assert name in out or name == "curie", (part, out)
            listed = os.path.isdir(run.path)
            assert (run.id in out) == listed, (part, out)
            if listed and not is_whole(run, part):
                [line] = [line for line in out.splitlines() if line.startswith(run.id)]
                assert "damaged: " in line, (part, out)
            assert call(capsys, "runs", "list", "--json")[0] == 0
            if not listed:
                continue
            status, out, err = call(capsys, "runs", "show", run.id)
            assert status in (0, 1) and run.id in out, (part, err)
            assert is_whole(run, part) or "damaged: " in out, (part, out)
            status, out, err = call(capsys, "runs", "export", run.id, tmp_path / "curie.csv")
            assert status == 0 or (status == 2 and err.count("\n") == 1 and run.id in err), (part, err)
            (tmp_path / "curie.csv").unlink(missing_ok=True)
    assert [call(capsys, "runs", "show", run.id)[0] for run in whole] == [0] * 4


OTHERS = (
    "runs diff ada curie",
    "runs why curie",
    "runs export curie OUT/curie.parquet",
    "runs trash",
    "queue list --json",
    "queue resume curie",
    "queue stop curie",
    "queue fork curie --matrices frozen --steps 2",
    "queue export curie --as kubernetes",
    "queue clear",
    "runs delete curie",
    "runs restore curie",
)


@pytest.mark.usefixtures("permissions_hold")
@pytest.mark.parametrize("at", sampled(range(len(KINDS)), 12), ids=lambda at: KINDS[at][0])
def test_every_other_command_ends_in_what_it_did_or_a_sentence_and_leaves_the_other_four(runs, capsys, tmp_path, at):
    whole = {name: run.id for name, run in runs.items() if name != "curie"}
    for part in damage.parts(runs["curie"].path)[at % 8 :: 8]:
        with Damaged(runs["curie"], part, KINDS[at][1]) as run:
            for command in OTHERS:
                words = (whole.get(each, run.id if each == "curie" else each) for each in command.split())
                status, out, err = call(capsys, *(each.replace("OUT", str(tmp_path)) for each in words))
                assert status in (0, 1) or (status == 2 and err.strip()), (part, command, status, out, err)
            status, out, _ = call(capsys, "runs", "list", "--where", "name!=curie")
            assert status == 0 and all(each in out for each in whole.values()), (part, out)
            assert "damaged" not in "".join(line for line in out.splitlines(True) if run.id not in line), (part, out)


@pytest.mark.usefixtures("permissions_hold")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0])
def test_what_pages_read_is_listed_with_its_damage_in_its_row(runs, capsys, tmp_path, kind):
    for part in damage.parts(runs["curie"].path):
        with Damaged(runs["curie"], part, kind[1]) as run:
            listing = Listing(tmp_path / "runs", dispatch=queue.ensure_dispatcher)
            entries = list(listing.entries(now=True).values())
            assert not listing.trouble
            assert {entry.name for entry in entries} >= set(NAMES) - {"curie"}, part
            names = ("state", "name", "progress", "size", *columns.expanded(("varied", "last.test_accuracy"), entries))
            rows = [table._row(entry, names) for entry in entries]
            for entry, row in zip(entries, rows):
                if entry.run.path != run.path:
                    assert not entry.damage, part
                elif not is_whole(run, part):
                    assert row["cells"][2][0].startswith("damaged: "), part
                Loaded(str(entry.run.path)).refresh()
                try:
                    learned.of_run(entry.run)
                except (DamagedFile, OSError) as error:
                    assert entry.run.path == run.path and run.id in str(error), part
                fork.available(entry.run)


@pytest.mark.usefixtures("permissions_hold")
def test_doctor_names_what_every_list_reads(runs, capsys):
    for part, (name, replace) in zip(sorted(LISTED) * 2, [each for each in KINDS if each[0] != "nothing"][::3]):
        with Damaged(runs["curie"], part, replace) as run:
            status, out, _ = call(capsys, "doctor")
            assert status == 0 and ": 5, " in out, (part, name)
            assert is_whole(run, part) or f"{run.id} is damaged" in out, (part, name, out)


PAGES = [
    (part, KINDS[(5 * at + 3) % len(KINDS)])
    for at, part in enumerate(
        (
            "run.json",
            "state.json",
            "labels.json",
            "progress.json",
            "attempts/1.json",
            "metrics.1.jsonl",
            "log.txt",
            "snapshots/00000002.safetensors",
            "snapshots",
            "attempts",
            "requests",
            "requests/start",
            "control.lock",
            "usage.json",
            "checkpoints",
            "checkpoints/00000002.safetensors",
            "",
        )
    )
]


@pytest.mark.usefixtures("permissions_hold")
@pytest.mark.parametrize(
    ("part", "kind"), sampled(PAGES, 3), ids=lambda each: each if isinstance(each, str) else each[0]
)
def test_each_page_shows_the_other_four_and_names_the_damaged_one(runs, part, kind):
    with Damaged(runs["curie"], part, kind[1]) as run:
        there = {each.id for each in runs.values() if each is not run and (each.id != run.id or run.path.is_dir())}
        at = app_at("runs", timeout=LONGEST)
        at.query_params["run"] = run.id
        ran(at.run())
        data = component(at, "table")
        assert {row["id"] for row in data["rows"]} == there
        if run.id in there and not is_whole(run, part):
            [row] = [row for row in data["rows"] if row["id"] == run.id]
            assert "damaged: " in str(row["cells"])
            assert any("Damaged" in box.value for box in [*at.error, *at.warning])

        at = app_at("preconditioners", timeout=LONGEST)
        ran(at.run())
        [chosen] = [box for box in at.selectbox if box.label == "Run"]
        assert set(NAMES) - {"curie"} <= set(chosen.options)
        named = f"{run.id} is damaged" in words(at).replace("\\", "")
        assert ("curie" in chosen.options, named) == (run.id in there and part not in KNOWN, part in KNOWN)

        at = app_at("preconditioners", timeout=LONGEST)
        at.query_params["run"] = at.query_params["beside"] = run.id
        text = words(ran(at.run())).replace("\\", "")
        warned = [box.value.replace("\\", "") for box in at.warning]
        assert any(each.startswith(f"{run.id} is not here") for each in warned) == (run.id not in there)
        for begin in ("", "Nothing stands beside: "):
            assert any(each.startswith(f"{begin}{run.id} is damaged: {part}") for each in warned) == (part in KNOWN)
        assert (str(run.path / part) in text) == (part in OPENED)
        if part not in OPENED:
            layers = [layer["name"] for layer in component(at, "inspector")["sources"][0]["layers"]]
            assert (layers == ["1.weight"]) == ("curie" in chosen.options)

        for other in ("train", "studies", "paper"):
            ran(app_at(other, timeout=LONGEST).run())


@pytest.mark.parametrize("part", ["dispatcher", "a link", "a file", "mode 000", "the machine's, mode 000", "settings"])
@pytest.mark.parametrize("page", ["runs", "preconditioners", "train"])
def test_a_damaged_queue_takes_no_page_down_and_is_named(runs, tmp_path, permissions_hold, part, page):  # noqa: F811
    folder = tmp_path / "runs"
    queue.submit(runs["curie"])
    if part == "dispatcher":
        path = slots.locks_folder(folder) / f"dispatcher-{os.getuid()}.lock"
        damage.remove(path)
        os.mkfifo(path)
    elif part in ("a link", "a file"):
        path = folder / ".queue"
        elsewhere = path.rename(tmp_path / "elsewhere")
        path.symlink_to(elsewhere) if part == "a link" else path.touch()
    elif part.endswith("mode 000"):
        path = folder / ".queue" if part == "mode 000" else slots.locks_folder(folder)
        path.chmod(0)
    else:
        path = folder / ".queue" / "settings.json"
        path.write_text("{")
    at = app_at(page, timeout=LONGEST)
    if page != "train":
        at.query_params["run"] = runs["curie"].id
    try:
        ran(at.run())
    finally:
        if part.endswith("mode 000"):
            path.chmod(0o755)
    if page == "runs":
        assert {row["id"] for row in component(at, "table")["rows"]} == {each.id for each in runs.values()}
    if page == "runs" or (page == "train" and part != "dispatcher"):  # which a launch would name
        assert str(path) in words(at).replace("\\", "")
    if page == "preconditioners":
        assert [layer["name"] for layer in component(at, "inspector")["sources"][0]["layers"]] == ["1.weight"]


def test_a_queue_of_several_goes_on_past_one_that_cannot_be_resumed(runs, capsys):
    (runs["bell"].path / "state.json").write_text("{")
    ids = [runs[name].id for name in ("ada", "bell", "curie")]
    status, out, err = call(capsys, "queue", "resume", *ids)
    assert status == 1 and ids[1] in err and ids[0] in out and ids[2] in out
    assert [run.id for run in queue.waiting()] == [ids[0], ids[2]]
