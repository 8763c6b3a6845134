"""One process has torch loaded: it describes configs, and forks trainers that are as if they had been started."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from fop_core import isolated, warm
from fop_core.jobs import dispatcher, queue, slots
from fop_core.runs.run import Run
from fop_core.training import config, preview
from fop_core.training.config import change
from fop_core.training.config import preset as preset_of
from fop_core.training.datasets import CIFAR10_CLASSES
from fop_core.warm import Warm, WarmError
from tests.faults.kills import of, outcome, own_fork_server, processes, same
from tests.jobs.conftest import new, wait
from tests.waiting import until

MADE = preset_of("mnist-mlp")
LONG = 120.0
forks = pytest.mark.skipif(not warm.FORKS, reason="forks on Linux alone")


@pytest.fixture(scope="module", autouse=True)
def own() -> Iterator[None]:
    with own_fork_server():
        yield


@pytest.fixture(scope="module")
def server(own: None) -> Iterator[Warm]:
    server = Warm()
    yield server
    server.close()


def ask(server: Warm, content: object, timeout: float = LONG, **environment: str) -> dict:
    return server.ask({"describe": content, "environment": environment}, timeout)


def described(*changes: str) -> dict:
    return json.loads(json.dumps(preview.describe(change(MADE, changes))))


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


# describing -----------------------------------------------------------------------------------------------------------


def test_one_process_answers_all_and_says_what_this_one_would(server):
    assert ask(server, MADE.to_json()) == described()
    first = server.pid
    for setting in ("fop.rank=4", "fop.preconditioner=factored", "model.width=2"):
        assert ask(server, change(MADE, [setting]).to_json()) == described(setting)
    other = Warm()
    assert ask(other, MADE.to_json()) == described() and other.pid == first
    assert server.pid == first
    other.close()


def test_a_config_that_cannot_be_described_is_said_and_kills_nothing(server):
    ask(server, MADE.to_json())
    first = server.pid
    for wrong in ({"epochs": 0}, {"data": 7}, {"no such": "\ud800 \n"}, []):
        with pytest.raises(WarmError, match="ConfigError"):
            ask(server, wrong)
    for request in (
        {},
        [],
        {"describe": {}},
        {"supervise": 3},
        {"supervise": ["/nowhere", "cpu-0"], "environment": {}},
    ):
        with pytest.raises(WarmError, match="Error"):
            server.ask(request, LONG)
    assert ask(server, MADE.to_json()) and server.pid == first


def test_no_line_kills_it(server):
    ask(server, MADE.to_json())
    first = server.pid
    for line in (b"\n", b"{\n", b"\xff\xfe\n", b"null\n", b"[" * 50_000 + b"\n", b"torn", b"x" * (2 << 20)):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(warm.home() / "socket"))
            try:
                connection.sendall(line)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(1 << 16)
            except (BrokenPipeError, ConnectionResetError):
                continue  # it reads no more of a line that long
            assert not answer or json.loads(answer)["error"]
    assert ask(server, MADE.to_json()) and server.pid == first


def test_what_takes_too_long_is_ended_and_its_answer_never_taken_for_another(server):
    with pytest.raises(WarmError, match="more than 0 s"):
        ask(server, change(MADE, ["fop.rank=4"]).to_json(), 0)
    assert ask(server, MADE.to_json()) == described()


def test_data_are_looked_for_where_whoever_asks_looks_now(server, tmp_path):
    for kind in CIFAR10_CLASSES:
        for part in ("train", "test"):
            (tmp_path / "cifar10" / part / kind).mkdir(parents=True)
            (tmp_path / "cifar10" / part / kind / "1.jpg").write_bytes(b"")
    made = preset_of("cifar10-allcnn-small").to_json()
    for folder, images in ((tmp_path / "none", None), (tmp_path, 10), (tmp_path / "none", None)):
        assert ask(server, made, FOP_DATA_DIR=str(folder))["images"] == images
    assert ask(server, made, FOP_DATA_DIR=".", FOP_DATA_RELATIVE_TO=str(tmp_path))["images"] == 10
    assert ask(server, MADE.to_json())["images"] == 60_000


def test_it_ends_where_nobody_asks_and_begins_anew_where_somebody_does(tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    server = Warm(tmp_path / "home", idle=0.2)
    assert ask(server, MADE.to_json())
    first = server.pid
    until(lambda: gone(first))
    assert not (tmp_path / "home/socket").exists()
    server.close()


def test_code_that_has_changed_since_it_was_loaded_is_not_run(tmp_path):
    shutil.copytree(isolated.PROJECT / "fop_core", tmp_path / "fop_core", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "home").mkdir(mode=0o700)
    code = (
        "import sys; from pathlib import Path; from fop_core.warm import Warm; server = Warm(Path(sys.argv[1]))\n"
        "def ask(): server.ask({'describe': {}, 'environment': {}}, 120); return server.pid\n"
        "first = ask(); same = ask()\n"
        "file = Path('fop_core/optim/maths.py'); file.write_text(file.read_text() + '\\n')\n"
        "print(first == same, first == ask())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "home")], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_nothing_of_the_folder_it_is_started_in_is_run(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir(mode=0o700)
    server = Warm(tmp_path / "home", idle=1)
    server._start(tmp_path / "home")
    until(lambda: (tmp_path / "home/socket").exists())
    assert not (tmp_path / "ran").exists()
    server._started[0].kill()
    server._started[0].wait()


def test_its_folder_is_one_that_nobody_else_could_have_made(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "first"))
    monkeypatch.setattr(warm.tempfile, "gettempdir", lambda: str(tmp_path / "second"))
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(warm, "LONGEST_PATH", 1000)
    own = f"fop-lab-{os.getuid()}"
    assert warm.home().parent == tmp_path / "first" / own
    shutil.rmtree(tmp_path / "first" / own)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "first" / own).symlink_to(tmp_path / "elsewhere")
    assert warm.home().parent == tmp_path / "second" / own
    (tmp_path / "second" / own).chmod(0o755)
    assert warm.home().parent not in (tmp_path / "first" / own, tmp_path / "second" / own)


def test_where_all_temporary_folders_are_others_it_is_among_our_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "first"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(warm.tempfile, "gettempdir", lambda: str(tmp_path / "first"))
    monkeypatch.setattr(warm, "SHORT", str(tmp_path / "first"))
    monkeypatch.setattr(warm, "LONGEST_PATH", 1000)
    theirs = tmp_path / "first" / f"fop-lab-{os.getuid()}"
    theirs.mkdir(mode=0o755, parents=True)
    (tmp_path / "home").mkdir()
    home = warm.home()
    assert home.parent.parent == tmp_path / "home" / ".cache"
    assert [path.stat().st_mode & 0o777 for path in (home, home.parent, home.parent.parent)] == [0o700] * 3
    home.parent.chmod(0o755)
    with pytest.raises(warm.WarmError, match="ours alone: remove it, or have it removed; set XDG_RUNTIME_DIR to"):
        warm.home()


def test_what_libraries_read_as_they_are_loaded_makes_it_another_one(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    before = warm.home()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("KMP_DUPLICATE_LIB_OK", "True")
    monkeypatch.setenv("FOP_STOP_SECONDS", "3")
    monkeypatch.setenv("PYTHONPATH", str(isolated.PROJECT))
    assert warm.home() == before
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert warm.home() != before


# jobs -----------------------------------------------------------------------------------------------------------------


@forks
def test_a_forked_trainer_has_what_a_started_one_has_and_nothing_more(folder, server):
    ask(server, MADE.to_json())
    with going(new(folder, "max_steps=200000", "epochs=1000")) as run:
        compare(run, server, processes(folder))


@contextlib.contextmanager
def going(run: Run) -> Iterator[Run]:
    queue.submit(run)
    try:
        yield wait(run, "running")
    finally:
        queue.stop(run, "me")
        wait(run, "stopped")


def compare(run: Run, server: Warm, there: dict) -> None:
    (trainer,), (supervisor,) = of(run, there["trainer"]), of(run, there["supervisor"])
    assert trainer.ppid() == supervisor.pid and supervisor.ppid() == server.pid
    assert os.getsid(trainer.pid) == os.getsid(supervisor.pid) == supervisor.pid
    assert os.getpgid(trainer.pid) == trainer.pid != os.getpgid(supervisor.pid)
    assert trainer.cwd() == "/"
    log, lock, slot = run.path / "log.txt", run.path / "control.lock", slots.slots(run.path.parent)[0].lock
    standard = {0: os.devnull, 1: str(log), 2: str(log)}
    metrics = str(run.path / "metrics.1.jsonl")
    for process, own, more in ((trainer, {metrics}, []), (supervisor, set(), ["anon_inode"])):
        files = {int(file.name): os.readlink(file) for file in Path(f"/proc/{process.pid}/fd").iterdir()}
        assert standard.items() <= files.items()
        others = [path for number, path in files.items() if number > 2]
        assert {path for path in others if path.startswith("/")} == {str(run.path), str(lock), str(slot), *own}
        assert sorted(path.split(":")[0] for path in others if not path.startswith("/")) == [*more, "pipe"]
    assert str(slot) not in map(os.readlink, Path(f"/proc/{server.pid}/fd").iterdir())
    assert psutil.Process(server.pid).num_threads() == 1
    assert run.attempts[0]["command"][1:6] == ["-P", "-m", "fop_core", "train", "--run"]


@forks
def test_a_kill_of_it_ends_no_job_and_the_next_one_is_forked_again(folder, server):
    long, short = new(folder, "max_steps=200000", "epochs=1000"), new(folder)
    for run in (long, short):
        queue.submit(run)
    wait(long, "running")
    ask(server, MADE.to_json())
    first = server.pid
    os.kill(first, signal.SIGKILL)
    time.sleep(0.5)
    assert long.state.state == "running"
    queue.stop(long, "me")
    wait(long, "stopped")
    wait(short, "finished")
    assert len(long.attempts) == len(short.attempts) == 1
    ask(server, MADE.to_json())
    assert server.pid != first
    assert "fork" not in (slots.locks_folder(folder) / f"dispatcher-{os.getuid()}.log").read_text()


@forks
@pytest.mark.long
def test_forked_started_and_resumed_the_other_way_a_run_comes_out_bit_for_bit_the_same(folder):
    settings = ["threads=2", "max_steps=60", "checkpoint_steps=30", "fop.rank=16"]
    command = isolated.command("fop_core", "train", "--quiet", "--run")
    started, forked = new(folder, *settings), new(folder, *settings)
    queue.submit(forked)
    subprocess.run([*command, str(started.path)], check=True, env=isolated.environment())
    wait(forked, "finished")
    expected = outcome(started)
    assert all(map(same, outcome(forked), expected))
    back_to(forked, 30)
    subprocess.run([*command, str(forked.path)], check=True, env=isolated.environment())
    assert [attempt["from_step"] for attempt in forked.attempts] == [0, 30]
    assert all(map(same, outcome(Run(forked.path)), expected))


def back_to(run: Run, step: int) -> None:
    """Leave of a finished run what one that was killed after a checkpoint has."""
    for path in (run.path / "checkpoints").iterdir():
        if path != run.checkpoint_path(step):
            path.unlink()
    state = json.loads((run.path / "state.json").read_text())
    (run.path / "state.json").write_text(json.dumps(state | {"state": "lost"}))


def test_where_nothing_can_be_forked_a_job_is_started(folder, monkeypatch):
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    monkeypatch.setattr(warm.Warm, "_connect", lambda *_: (_ for _ in ()).throw(WarmError("no")))
    run = new(folder)
    queue.submit(run)
    dispatcher.Dispatcher(folder, dispatcher.Starter()).step()
    wait(run, "finished")
    assert run.attempts[0]["threads"] == 1


@forks
def test_a_lock_that_is_on_its_way_to_a_process_that_dies_is_free(folder, tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    server = Warm(tmp_path / "home")
    (slot,) = slots.slots(folder)
    lock = slots.take(slot, "somebody")
    with pytest.raises(WarmError, match=r"more than 0\.3 s"):  # torch takes longer to load
        server.ask({"supervise": [str(folder), slot.name], "environment": {}}, 0.3, [lock, 2])
    os.close(lock)
    server._started[0].kill()
    server._started[0].wait()
    with slot.lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@forks
def test_a_job_whose_run_cannot_be_read_says_so_in_its_log(folder):
    run = new(folder)
    queue.submit(run)
    wait(run, "finished")
    other = new(folder, "data.path=/nowhere")
    queue.submit(other)
    assert "/nowhere" in wait(other, "failed").state.reason
    assert "Traceback" not in other.log()


def test_images_are_kept_until_their_file_is_another(tmp_path, monkeypatch):
    from fop_core.training import datasets

    shutil.copytree(isolated.PROJECT / "data/MNIST/raw", tmp_path / "raw")
    chosen = config.DataConfig(path=str(tmp_path))
    monkeypatch.setattr(datasets, "_kept", {})
    datasets.keep(chosen)
    first = datasets.load(chosen)
    assert datasets.load(chosen).train.images is first.train.images
    assert np.array_equal(datasets.load(config.DataConfig()).train.images, first.train.images)
    datasets._kept.clear()
    datasets.keep(config.DataConfig(path=str(tmp_path), held_out=0.1))
    assert [part for _, part in datasets._kept] == ["train"]
    labels = tmp_path / "raw/train-labels-idx1-ubyte.gz"
    labels.write_bytes(b"")
    with pytest.raises(datasets.DataError, match="damaged"):
        datasets.load(chosen)


def test_many_runs_are_asked_for_in_order_and_one_that_cannot_be_is_named(folder, noted):
    runs = [new(folder) for _ in range(4)]
    assert queue.submit_all(runs[:2]) == {}
    troubles = queue.submit_all([runs[3], runs[1], runs[2]])
    assert [*troubles] == [runs[1].id] and "waits in the queue already" in troubles[runs[1].id]
    assert [run.id for run in queue.waiting(folder)] == [runs[i].id for i in (0, 1, 3, 2)]
    assert queue.submit_all([]) == {}
