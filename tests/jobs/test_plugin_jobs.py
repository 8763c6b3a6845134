"""Jobs of plug-ins: who imports them, and what is not started."""

import os
from pathlib import Path

import pytest

from fop_core import warm
from fop_core.jobs import cloud, dispatcher, queue, requests
from fop_core.runs import confirmed, plugins, store
from fop_core.runs.files import RunError
from fop_core.training import config, preview, probe
from tests.jobs.conftest import SETTINGS, wait

IMPORTED = """import os
from pathlib import Path
Path({note!r}).open("a").write(f"{{os.getpid()}} {{os.getppid()}}\\n")
from pydantic import BaseModel
import torch
class Settings(BaseModel):
    lr: float = 0.05
def make_optimizer(named_parameters, settings, total_steps):
    return torch.optim.SGD(named_parameters, lr=settings.lr)
"""


@pytest.fixture
def note(tmp_path):
    return tmp_path / "imported"


def new(folder: Path, note: Path, confirm: bool = True):
    source = plugins.text("own.py", IMPORTED.format(note=str(note)).encode())
    if confirm:
        confirmed.confirm(source.digest)
    base = config.preset("mnist-mlp", "momentum")
    made = probe.plugged(base, {"optimizer": source}, [each for each in SETTINGS if not each.startswith("fop")])
    return store.create(made.to_json(), sources={"optimizer": source}, folder=folder)


def test_a_job_of_the_queue_trains_with_it_and_its_trainer_alone_imports_it(folder, note):
    run = new(folder, note)
    queue.submit(run)
    wait(run, "finished", "failed", seconds=300)
    assert run.state.state == "finished", run.state.reason
    [line] = note.read_text().splitlines()
    pid, above = map(int, line.split())
    assert pid == run.attempts[0]["pid"] if "pid" in run.attempts[0] else pid != os.getpid()
    assert above != os.getpid()


def test_nothing_unconfirmed_or_forbidden_is_submitted(folder, note, noted, monkeypatch):
    run = new(folder, note, confirm=False)
    with pytest.raises(RunError, match=r"cannot be started: own\.py: you have not confirmed"):
        queue.submit(run)
    run = new(folder, note)
    monkeypatch.setenv(confirmed.SWITCH, "off")
    with pytest.raises(RunError, match="switched off"):
        queue.submit(run)
    assert requests.waiting(folder) == [] and not note.exists()


def test_what_is_changed_or_forbidden_while_it_waits_is_not_started_and_says_so(folder, note, noted, monkeypatch):
    run = new(folder, note)
    queue.submit(run)
    assert requests.waiting(folder)[0].mine
    with monkeypatch.context() as off:
        off.setenv(confirmed.SWITCH, "off")
        assert "switched off" in queue.waits_for(run) and not requests.waiting(folder)[0].mine
    (run.path / "source" / "optimizer.py").write_text("print('another')")
    assert "not what this run was made with" in queue.waits_for(run)
    with pytest.raises(ValueError, match="not what this run was made with"):
        dispatcher.Starter().launch(requests.waiting(folder)[0], queue.slots(folder)[0])


def test_a_run_elsewhere_takes_the_confirmed_contents_with_it(folder, note):
    with pytest.raises(RunError, match="you have not confirmed"):
        cloud.command(new(folder, note, confirm=False))
    run = new(folder, note)
    digest = run.config["optimizer"]["plugin"]["sha256"]
    assert cloud.command(run)[-3:] == ["--quiet", "--confirm", digest]


def test_the_process_that_has_torch_loaded_imports_none(folder, note):
    made = config.parse(new(folder, note).config)
    with pytest.raises(preview.PreviewError, match=r"own\.py: see what its probe says"):
        preview.preview(made)
    assert not note.exists() and (preview.worker.pid or warm.FORKS)
