"""Exports to W&B and trackio, each read back from what it wrote on this machine."""

import json
import math
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fop_core import isolated, runs


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    with runs.record({"lr": 0.1, "layers": [1, 2]}, name="mine", tags=("a",)) as recorded:
        recorded.log(1, train_loss=0.5)
        recorded.log(3, train_loss=math.nan, **{"angle_deg/0.weight": 2.0})
        recorded.log(4, train_loss=0.25)
    return recorded.run


def exported(run, folder, to: str) -> str:
    """Export in a process of its own: these packages leave threads, services and settings behind."""
    command = isolated.command("fop_core", "runs", "--folder", str(run.path.parent), "export", run.id, str(folder))
    return subprocess.run(
        [*command, "--to", to], check=True, capture_output=True, text=True, env=isolated.environment()
    ).stdout


def wandb_records(content: bytes) -> Iterator[bytes]:
    """Yield the records of a file of W&B: a header of 7 bytes, then LevelDB's log format of blocks of 32 KiB."""
    at, parts = 7, b""
    while at + 7 <= len(content):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        parts += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part of one
            yield parts
            parts = b""


def test_wandb_has_settings_and_rows_offline(run, tmp_path):
    pytest.importorskip("wandb", reason="the tests do without it: pip install wandb")
    assert "wandb sync" in exported(run, tmp_path / "out", "wandb")
    [file] = (tmp_path / "out").glob("wandb/offline-run-*/*.wandb")
    from wandb.proto import wandb_internal_pb2

    rows, config = {}, {}
    for data in wandb_records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.HasField("history"):
            row = {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
            rows[record.history.step.num] = row
        if record.HasField("run"):
            config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
    assert list(rows) == [1, 3, 4] and (rows[1]["train_loss"], rows[4]["train_loss"]) == (0.5, 0.25)
    assert math.isnan(rows[3]["train_loss"])
    assert rows[3]["angle_deg/0.weight"] == 2.0 and config["lr"] == 0.1


def test_trackio_has_settings_and_rows_in_its_database(run, tmp_path):
    pytest.importorskip("trackio", reason="the tests do without it: pip install trackio")
    assert "trackio show" in exported(run, tmp_path / "out", "trackio")
    with sqlite3.connect(tmp_path / "out" / "fop-lab.db") as database:
        rows = database.execute("select step, metrics from metrics order by step").fetchall()
        [(config,)] = database.execute("select config from configs").fetchall()
    measured = {step: json.loads(text) for step, text in rows}
    assert list(measured) == [1, 3, 4] and measured[4]["train_loss"] == 0.25
    assert measured[3]["angle_deg/0.weight"] == 2.0 and json.loads(config)["lr"] == 0.1


@pytest.mark.parametrize("to", ["tensorboard", "wandb", "trackio"])
def test_without_its_package_a_tracker_says_what_to_install(run, tmp_path, to, monkeypatch, capsys):
    from fop_core.cli import main

    for name in [*sys.modules]:
        if name.partition(".")[0] == to:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, to, None)
    if to == "trackio":
        monkeypatch.delitem(sys.modules, to)
        monkeypatch.setattr(sys, "path", [])
        monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    assert main(["runs", "export", "mine", str(tmp_path / "out"), "--to", to]) == 2
    assert f"pip install {to}" in capsys.readouterr().err and not (tmp_path / "out").exists()


class Missing:
    """A finder that finds no trackio."""

    def find_spec(self, name, path=None, target=None):
        if name == "trackio":
            raise ModuleNotFoundError(name)
