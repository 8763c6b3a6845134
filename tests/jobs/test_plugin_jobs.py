"""Jobs of plug-ins: who imports them, and what is not started."""

import os
import time
from pathlib import Path

import pytest

from fop_core import warm
from fop_core.jobs import cloud, dispatcher, queue, requests
from fop_core.runs import confirmed, log_limit, plugins, store
from fop_core.runs.files import RunError
from fop_core.training import config, preview
from fop_core.training.probe import client
from tests.jobs.conftest import SETTINGS, wait

IMPORTED = """import os
from pathlib import Path
Path({note!r}).open("a").write(f"{os.getpid()} {os.getppid()}\\n")
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


LOUD = """from pydantic import BaseModel
import os, torch
class Settings(BaseModel): ...
class Own(torch.optim.SGD):
    taken = 0
    def step(self):
        self.taken += 1
        if self.taken == 5:
            for _ in range(110):
                print("x" * 1_000_000, flush=True)
        if self.taken == 8:
            os._exit(0)
        super().step()
def make_optimizer(named_parameters, settings, total_steps):
    return Own(named_parameters, lr=0.1)
"""


def new(folder: Path, note: Path, confirm: bool = True, text: str = IMPORTED):
    source = plugins.text("own.py", text.replace("{note!r}", repr(str(note))).encode())
    if confirm:
        confirmed.confirm(source.digest)
    base = config.preset("mnist-mlp", "momentum")
    made = client.plugged(base, {"optimizer": source}, [each for each in SETTINGS if not each.startswith("fop")])
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


def test_a_trainer_that_prints_without_end_fills_no_disk_and_one_that_is_gone_has_its_last_step(folder, note):
    run = new(folder, note, text=LOUD)
    queue.submit(run)
    wait(run, "failed", seconds=300)
    assert run.state.reason.startswith("its trainer ended with status 0 at step 7, without a word, as os._exit does")
    assert not run.state.reason.endswith(": ")
    end = time.monotonic() + 20
    while "bytes of what was printed are left out: a log keeps 100,000,000" not in run.log(200):
        assert time.monotonic() < end, run.log(200)
        time.sleep(0.05)
    assert (run.path / "log.txt").stat().st_size < log_limit.LIMIT


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
