"""docs/bring-your-own.md: its files are those that ship, and its commands do what it says."""

import re
import shlex
from pathlib import Path

import pytest

from fop_core import cli
from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.studies import watcher

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "bring-your-own.md").read_text()
FILES = sorted((ROOT / "examples" / "plugins").glob("*.py"))
COMMANDS = re.findall(r"^python -m fop_core (.+)$", TEXT, re.MULTILINE)
SHORT = ["--set", "max_steps=12", "--set", "threads=1", "--set", "device=cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(queue, "_start", lambda folder: None)  # what is queued waits
    monkeypatch.setattr(watcher, "ensure", lambda folder, again=False: None)
    return tmp_path / "runs"


def test_the_document_has_each_file_as_it_ships():
    assert re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL) == [
        (ROOT / "examples" / "plugins" / f"{name}.py").read_text()
        for name in ("lion", "wide_mlp", "csv_regression", "characters")
    ]
    assert len(FILES) == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_document_does_what_it_says(folder, command, capsys):
    words = [word for word in shlex.split(command) if word != "RUN"]
    if words[:2] == ["plugins", "confirm"]:
        words.append(str(FILES[0]))
    assert cli.main([*words, *(SHORT if "--dry-run" not in words and words[0] in ("train", "queue") else [])]) == 0
    if words[0] == "train":
        [run] = store.directories(folder)
        assert run.state.state == "finished" and run.step() == 12
        assert {part for part in ("data", "model", "optimizer") if "plugin" in run.config[part]} == set(
            part.stem for part in (run.path / "source").iterdir()
        )
    if words[0] == "queue":
        assert [run.config["seed"] for run in store.directories(folder)] == [0, 1, 2]
    if words[0] == "race":
        assert "lion.py:lr=0.01" in capsys.readouterr().out
