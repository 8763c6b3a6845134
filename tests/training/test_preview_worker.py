"""One process describes config after config, says what is wrong with one, and is another when it has ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from fop_core.training import preview
from fop_core.training.config import change
from fop_core.training.config import preset as preset_of
from fop_core.training.datasets import CIFAR10_CLASSES
from fop_core.training.preview_worker import ENVIRONMENT, Worker, WorkerError
from tests.waiting import until

MADE = preset_of("mnist-mlp")
LONG = 120.0


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def described(*changes: str) -> dict:
    return json.loads(json.dumps(preview.describe(change(MADE, changes))))


def test_one_process_answers_all_and_says_what_this_one_would(worker):
    assert worker.ask(MADE.to_json(), LONG) == described()
    first = worker.pid
    for setting in ("fop.rank=4", "fop.preconditioner=factored", "model.width=2"):
        assert worker.ask(change(MADE, [setting]).to_json(), LONG) == described(setting)
    assert worker.pid == first


def test_where_it_was_killed_another_answers(worker):
    answer = worker.ask(MADE.to_json(), LONG)
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    assert worker.ask(MADE.to_json(), LONG) == answer and worker.pid != first


def test_a_config_that_cannot_be_described_is_said_and_kills_nothing(worker):
    worker.ask(MADE.to_json(), LONG)
    first = worker.pid
    for wrong in ({"epochs": 0}, {"data": 7}, {"no such": "\ud800 \n"}, []):
        with pytest.raises(WorkerError, match="ConfigError"):
            worker.ask(wrong, LONG)
    assert worker.ask(MADE.to_json(), LONG) and worker.pid == first


def test_no_line_kills_it():
    lines = [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 50_000, b'{"environment": 3}', b'{"environment": {}}']
    good = {"config": MADE.to_json(), "environment": dict.fromkeys(ENVIRONMENT)}
    done = subprocess.run(
        [sys.executable, "-m", "fop_core.training.preview_server", "60", "100"],
        input=b"\n".join([*lines, json.dumps(good).encode(), b"torn"]),
        capture_output=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(answers) == len(lines) + 1
    assert all(answer["error"] for answer in answers[:-1]) and answers[-1] == {"description": described()}


def test_one_that_takes_too_long_is_ended_and_its_answer_never_taken_for_another(worker):
    with pytest.raises(WorkerError, match="more than 0 s"):
        worker.ask(change(MADE, ["fop.rank=4"]).to_json(), 0)
    assert worker.pid is None
    assert worker.ask(MADE.to_json(), LONG) == described()


def test_it_ends_where_nobody_asks_and_begins_anew_where_somebody_does():
    worker = Worker(idle=0.2)
    answer = worker.ask(MADE.to_json(), LONG)
    first = worker.pid
    until(lambda: gone(first))
    assert worker.ask(MADE.to_json(), LONG) == answer and worker.pid != first
    worker.close()


def test_after_many_answers_another_takes_its_place():
    worker = Worker(answers=2)
    pids = []
    for _ in range(3):
        worker.ask(MADE.to_json(), LONG)
        pids.append(worker.pid)
    assert pids[0] == pids[1] != pids[2]
    worker.close()


def test_it_ends_where_whoever_started_it_is_gone():
    code = (
        "from fop_core.training.preview_worker import Worker; from fop_core.training.config import TrainConfig\n"
        "worker = Worker(); worker.ask(TrainConfig().to_json(), 120); print(worker.pid, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    until(lambda: gone(pid))


def test_nothing_of_the_folder_it_is_started_in_is_run(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    worker = Worker()
    assert worker.ask(MADE.to_json(), LONG) and not (tmp_path / "ran").exists()
    worker.close()


def test_data_are_looked_for_where_whoever_asks_looks_now(worker, tmp_path, monkeypatch):
    for kind in CIFAR10_CLASSES:
        for part in ("train", "test"):
            (tmp_path / "cifar10" / part / kind).mkdir(parents=True)
            (tmp_path / "cifar10" / part / kind / "1.jpg").write_bytes(b"")
    made = preset_of("cifar10-allcnn-small").to_json()
    for folder, images in ((tmp_path / "none", None), (tmp_path, 10), (tmp_path / "none", None)):
        monkeypatch.setenv("FOP_DATA_DIR", str(folder))
        assert worker.ask(made, LONG)["images"] == images
    monkeypatch.delenv("FOP_DATA_DIR")
    assert worker.ask(MADE.to_json(), LONG)["images"] == 60_000
