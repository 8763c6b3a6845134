"""A script's own run: recorded, read back, and ended as it ended, however that was."""

import concurrent.futures
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from fop_core import FOP, isolated, runs
from fop_core.jobs import queue
from fop_core.runs import learned
from fop_core.runs.files import RunError
from fop_core.runs.follower import LONGEST_LINE
from fop_core.runs.listing import Listing
from fop_core.runs.recorded import matrices
from fop_core.runs.recorded.matrices import of_optimizer
from fop_core.runs.run import Run
from fop_core.studies import binding
from fop_core.training import config, diagnostics
from fop_core.training.config import ConfigError
from tests.waiting import until


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


def the_run(folder: Path) -> Run:
    [run] = [Run(path) for path in folder.iterdir() if path.name[0] != "."]
    return run


def script(folder: Path, text: str) -> "subprocess.Popen[str]":
    """Start a script of somebody's in a process of its own."""
    path = folder.parent / "mine.py"
    path.write_text("from fop_core import runs\n" + textwrap.dedent(text))
    environment = isolated.environment() | {"FOP_RUNS_DIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, str(path)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_is_recorded_is_read_back_bit_for_bit(folder):
    settings = {"lr": 0.1, "layers": (3, 4), "seed": np.int64(3), "momentum": np.float32(0.5), "path": None}
    with runs.record(settings, name="mine", tags=("a",), steps=4) as run:
        run.log(step=1, train_loss=math.pi, **{"angle_deg/0.weight": 12.5})
        run.log(2, train_loss=torch.tensor(0.25), lr=np.float64(1e-3), epoch=1)
        run.log(3, train_loss=math.nan, margin=-math.inf)
        run.log(4, train_loss=1e300, margin=math.inf)
    back = runs.load(the_run(folder).path)
    assert back.config == {"lr": 0.1, "layers": [3, 4], "seed": 3, "momentum": 0.5, "path": None}
    assert back.labels["name"] == "mine" and back.labels["tags"] == ["a"]
    assert back.metrics["train_loss"].steps.tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(back.metrics["train_loss"].values, [math.pi, 0.25, math.nan, 1e300])
    np.testing.assert_array_equal(back.metrics["margin"].values, [-math.inf, math.inf])
    assert (back.metrics["angle_deg/0.weight"].values, back.metrics["lr"].values) == ([12.5], [1e-3])
    assert back.state.state == "finished" and not back.held()
    assert back.progress["share"] == 1 and back.progress["epoch"] == 1
    assert back.attempts[0]["command"][0] == "python"
    assert back.about["lineage"]["recorded"].startswith("by ")


def test_while_it_trains_it_is_listed_as_running_and_says_how_far_it_is(folder):
    listing = Listing(folder)
    with runs.record({"lr": 0.1}, steps=10) as run:
        run.log(5, train_loss=1.0)
        [entry] = listing.entries(now=True).values()
        assert (entry.state, entry.recorded[:3], entry.progress["share"]) == ("running", "by ", 0.5)
        assert not entry.learns and entry.method == "recorded"
    [entry] = listing.entries(now=True).values()
    assert entry.state == "finished"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"a": {"b": {1, 2}}}, r"settings\['a'\]\['b'\] is \{1, 2\}, of type set"),
        ({"a": [0, object]}, r"settings\['a'\]\[1\] is .*, of type type"),
        ({"a": torch.zeros(2)}, r"settings\['a'\] is .*, of type Tensor"),
        ({1: 2}, "the key 1 of type int"),
        ([1], "settings are of type list"),
        ({"a": "\ud800"}, "no text that can be written"),
    ],
)
def test_settings_that_are_no_json_are_refused_by_name_before_anything_is_written(folder, settings, words):
    with pytest.raises(TypeError, match=words):
        runs.record(settings)
    assert not folder.exists()


@pytest.mark.parametrize(
    "wrong", [{"tags": "abc"}, {"losses": "loss"}, {"name": 3}, {"tags": [3]}, {"steps": 0}, {"steps": 2**63}]
)
def test_arguments_of_another_kind_are_refused_before_anything_is_written(folder, wrong):
    with pytest.raises((TypeError, ValueError), match=r"give"):
        runs.record({}, **wrong)
    assert not folder.exists()


def test_settings_within_themselves_are_refused(folder):
    settings: dict = {}
    settings["a"] = settings
    with pytest.raises(ValueError, match="nested more than 64 deep"):
        runs.record(settings)
    assert not folder.exists()


class Boom(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "state", "cause", "words"),
    [
        (Boom("the\nend"), "failed", "", "Boom: the end"),
        (MemoryError("much"), "failed", "memory", "MemoryError: much"),
        (torch.OutOfMemoryError("much"), "failed", "memory", "OutOfMemoryError: much"),
        (FloatingPointError("NaN"), "failed", "diverged", "FloatingPointError: NaN"),
        (KeyboardInterrupt(), "stopped", "", "by Ctrl-C at step 7"),
        (SystemExit(0), "finished", "", ""),
        (SystemExit("no data"), "failed", "", "its script ended with 'no data' at step 7"),
    ],
)
def test_it_ends_as_the_script_ended_and_the_exception_goes_on(folder, error, state, cause, words):
    with pytest.raises(type(error)), runs.record() as run:
        run.log(7, train_loss=1.0)
        raise error
    back = the_run(folder)
    assert (back.state.state, back.state.cause, back.state.reason) == (state, cause, words)
    assert ("Traceback" in back.log()) == (state == "failed")


def test_a_loss_that_is_not_finite_is_shown_at_once_and_at_the_end(folder):
    with runs.record() as run:
        run.log(1, loss=1.0, val_loss=math.nan)
        assert run.run.state.reason == ""
        run.log(2, loss=math.inf)
        assert run.run.state.state == "running" and "diverged at step 2: loss is not finite" in run.run.state.reason
        run.log(3, loss=math.nan)
    assert (run.run.state.state, run.run.state.cause) == ("failed", "diverged")
    assert run.run.state.reason == "diverged at step 2: loss not finite"


def test_a_loss_that_came_back_is_no_divergence(folder):
    with runs.record(losses=("d_loss",)) as run:
        run.log(1, d_loss=math.nan, loss=math.nan)
        run.log(2, d_loss=1.0)
    assert run.run.state.state == "finished"


def test_a_request_to_stop_is_seen_and_it_ends_as_stopped(folder, monkeypatch):
    monkeypatch.setattr("fop_core.runs.recording.POLL_EVERY", 0.0)
    with runs.record() as run:
        run.log(3, loss=1.0)
        assert not run.stop_requested
        queue.stop(run.run, by="somebody")
        assert run.stop_requested and run.run.state.state == "stopping"
    assert (run.run.state.state, run.run.state.by) == ("stopped", "somebody")
    assert run.run.state.reason == "by somebody at step 3"


def test_a_script_of_another_host_is_there_while_it_writes_whatever_clock_it_has(folder, tmp_path):
    with runs.record({"lr": 1}) as recording:
        recording.log(1, loss=1.0)
        there = Run(shutil.copytree(recording.run.path, tmp_path / "shared" / recording.id))  # whose lock is free here
    about = json.loads((there.path / "state.json").read_text())
    (there.path / "state.json").write_text(json.dumps(about | {"host": "node7"}))
    assert (there.state.state, there.state.host, there.held()) == ("running", "node7", False)
    with pytest.raises(RunError, match="is being recorded on node7: end its script first"):
        there.delete()
    for name in ("state.json", "progress.json"):
        assert there.state.state == "running"
        seconds = os.stat(there.path / name).st_mtime - 130
        os.utime(there.path / name, (seconds, seconds))
    reason = "its process vanished while it was running, or has written nothing for 120 s: it was on node7"
    assert (there.state.state, there.state.reason, there.state.resumes) == ("lost", reason, False)
    there = there.delete().restore()
    (there.path / "state.json").write_text(json.dumps(about))  # of this host, whose lock is free
    assert (there.state.state, there.state.reason) == ("lost", "its process vanished while it was running")


def test_a_script_that_was_killed_is_lost_and_cannot_be_resumed(folder):
    process = script(
        folder,
        """
        with runs.record({"lr": 1}) as run:
            run.log(1, loss=1.0)
            print("there", flush=True)
            input()
    """,
    )
    assert process.stdout is not None and process.stdout.readline() == "there\n"
    run = the_run(folder)
    assert run.state.state == "running" and run.held()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (run.state.state, run.state.cause) == ("lost", "vanished")
    assert run.state.reason == "its process vanished while it was running"
    assert runs.load(run.path).metrics["loss"].values.tolist() == [1.0]
    with pytest.raises(
        RunError, match=r"recorded by mine\.py, and cannot be trained from here: start its script again"
    ):
        queue.submit(run)
    with pytest.raises(ConfigError, match=r"recorded by mine\.py"):
        config.of_run(run)


def test_two_scripts_at_once_make_two_runs(folder):
    text = """
        with runs.record() as run:
            for step in range(1, 101):
                run.log(step, loss=step / 7)
            print(run.id)
    """
    both = [script(folder, text), script(folder, text)]
    ids = [process.communicate()[0].strip() for process in both]
    assert len({*ids}) == 2 and {path.name for path in folder.iterdir()} == {*ids}
    for id_ in ids:
        run = runs.load(folder / id_)
        assert run.state.state == "finished" and len(run.metrics["loss"].values) == 100


def test_a_script_that_leaves_it_open_ends_it_as_it_ends_itself(folder):
    process = script(
        folder,
        """
        run = runs.record()
        run.log(1, loss=1.0)
        raise ValueError("mine")
    """,
    )
    assert "ValueError: mine" in process.communicate()[1] and process.returncode == 1
    assert (the_run(folder).state.state, the_run(folder).state.reason) == ("failed", "ValueError: mine")


def test_a_process_forked_from_the_script_writes_and_ends_nothing(folder):
    with runs.record() as run:
        if (pid := os.fork()) == 0:
            run.log(9, loss=math.nan)
            run.end(ValueError())
            os._exit(0)
        os.waitpid(pid, 0)
        assert run.run.state.state == "running"
        run.log(1, loss=1.0)
    run.run.metrics.update()
    assert run.run.state.state == "finished" and run.run.metrics.steps.tolist() == [1]


def test_a_process_that_is_forked_while_a_thread_logs_does_not_wait_for_it(folder):
    with runs.record() as run, concurrent.futures.ThreadPoolExecutor(1) as threads:
        begun, forked = threading.Event(), threading.Event()

        def hold():
            with run._lock:
                begun.set()
                forked.wait()

        threads.submit(hold)
        begun.wait()
        if (pid := os.fork()) == 0:
            signal.alarm(20)  # which ends it where it waits
            run.log(9, loss=1.0)
            run.snapshot(None)
            run.note("mine")
            run.end()
            os._exit(int(run.stop_requested))
        forked.set()
        assert os.waitpid(pid, 0)[1] == 0
    assert "mine" not in the_run(folder).log()


def test_rows_that_cannot_be_written_are_said_once_and_the_script_trains_on(folder, capsys):
    with runs.record(name="full") as run:
        run.log(1, loss=1.0)
        [metrics] = run.run.path.glob("metrics.*")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (metrics.stat().st_size + 10, before[1]))  # some of a row fits
        try:
            run.log(2, loss=2.0)
            run.log(3, loss=3.0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        run.log(4, loss=4.0)
    assert capsys.readouterr().err.count("\n") == 1
    back = runs.load(the_run(folder).path)
    assert back.metrics["loss"].steps.tolist() == [1, 4] and not back.metrics.damaged
    assert back.state.state == "finished" and "lost 2 of its rows: " in back.state.reason
    assert "File too large" in back.state.reason


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="a small file system needs root on Linux")
def test_on_a_disk_that_is_truly_full_the_script_trains_on(folder, capfd):
    folder.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with runs.record(name="full") as run:
            run.log(1, loss=1.0)
            (folder / "ballast").write_bytes(os.urandom(650_000))
            for step in range(2, 5000):
                run.log(step, loss=1 / step, **{f"column{n}": step / 3 for n in range(10)})
            run.snapshot(Shown(np.eye(200)))
            steps = 4999
        err = capfd.readouterr().err
        assert err.count("No space left on device") == 1 and err.count("\n") == 1
        back = runs.load(run.run.path)
        assert 1 < len(back.metrics.steps) < steps and not back.metrics.damaged
        assert back.state.state == "finished" and "of its snapshots: the disk was full" in back.state.reason
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_folder_that_is_none_is_said_once_and_the_script_trains_on(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with runs.record(folder=tmp_path / "file") as run:
        run.log(1, loss=1.0)
        run.snapshot(Shown(np.eye(2)))
        assert run.run is None and run.id == "" and not run.stop_requested
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "training goes on" in err and "File exists" in err


def test_a_folder_that_is_taken_away_is_said_once_and_the_script_trains_on(folder, capsys, monkeypatch):
    with runs.record() as run:
        shutil.rmtree(run.run.path)
        for step in range(1, 4):
            run._writer._progress_at = -math.inf  # a progress is due
            run.log(step, loss=1.0)
    assert capsys.readouterr().err.count("\n") == 1


def test_a_value_that_is_no_number_is_said_once_and_the_rest_of_the_row_is_kept(folder, capsys):
    with runs.record() as run:
        for step in range(1, 4):
            run.log(step, loss=1.0, word="x", several=torch.zeros(2), complex=1j)
        run.log(-1, loss=1.0)
        run.log("2", loss=1.0)  # type: ignore[arg-type]
    err = capsys.readouterr().err
    assert err.count("\n") == 4
    assert "'word' at step 1 is left out: 'x', of type str: a number is expected" in err and "shape [2]" in err
    back = runs.load(the_run(folder).path)
    assert back.metrics.columns == ["loss", "seconds"] and back.metrics.steps.tolist() == [1, 2, 3]


@pytest.mark.parametrize("yes", [True, np.bool_(True), np.array([True]), torch.tensor(True)], ids=repr)
def test_a_truth_value_is_no_number_whosever_it_is(folder, capsys, yes):
    with runs.record() as run:
        run.log(1, loss=1.0, yes=yes)
    assert "'yes' at step 1 is left out: a truth value: give 0 or 1" in capsys.readouterr().err
    assert runs.load(the_run(folder).path).metrics.columns == ["loss", "seconds"]


@pytest.mark.parametrize("P", [np.eye(2) * 1j, torch.eye(2) * 1j])
def test_a_p_of_complex_numbers_is_refused(P):
    with pytest.raises(ValueError, match=r"P of 0\.weight is of complex numbers"):
        of_optimizer(Shown(P))


class Hostile:
    """Somebody's number, which is none and cannot even be shown."""

    def item(self):
        raise AttributeError("no number here")

    def __repr__(self):
        raise RuntimeError("nothing to show")


def test_no_value_and_no_name_ends_the_script_or_costs_the_rest_of_its_row(folder, capsys):
    wrong = {"fraction": Fraction(10**400), "huge": 10**400, "hostile": Hostile(), "\ud800": 1.0, "words": [Hostile()]}
    with runs.record() as run:
        run.log(1, loss=1.0, **wrong)
        run.log(Hostile(), loss=1.0)  # type: ignore[arg-type]
        run.log(2, loss=2.0, **{"self": 3.0})
        run.log(2**63, loss=3.0)
        run.snapshot(Shown(np.eye(2)), Hostile())  # type: ignore[arg-type]
        run.snapshot(Shown(np.eye(2)), 2**63)
    back = runs.load(the_run(folder).path)
    assert back.metrics.columns == ["loss", "seconds", "self"] and back.metrics["loss"].values.tolist() == [1.0, 2.0]
    assert capsys.readouterr().err.count(" is left out: ") == len(wrong) + 1
    assert back.state.reason == "" and not list((back.path / "snapshots").iterdir())


def test_a_row_too_long_to_be_read_back_is_said_and_not_written(folder, capsys):
    with runs.record() as run:
        run.log(1, loss=1.0)
        run.log(2, **{"x" * LONGEST_LINE: 1.0})
    back = runs.load(the_run(folder).path)
    assert back.metrics.columns == ["loss", "seconds"] and not back.metrics.damaged
    assert capsys.readouterr().err.count("can be read back") == 1 and "lost 1 of its rows" in back.state.reason


def test_how_far_it_is_can_be_read_back_whatever_was_logged(folder):
    with runs.record(steps=3) as run:
        run.log(1, epoch=1e30, test_accuracy=math.nan)
        assert run.run.progress["step"] == 1 and "epoch" not in run.run.progress


def test_what_a_resumed_script_still_takes_is_measured_from_where_it_began(folder):
    with runs.record(steps=1012) as run:
        run.log(1001)
        run._begun -= 10.0  # so long a step took
        run._writer._progress_at = -math.inf  # a progress is due
        run.log(1002)
        assert 100 <= run.run.progress["eta_seconds"] < 1000


class Shown:
    """An optimizer that shows what it is given."""

    def __init__(self, P, name="0.weight"):
        self.P, self.name = P, name

    def preconditioners(self):
        return {self.name: self.P}


def test_an_optimizer_without_preconditioners_is_said_once(folder, capsys):
    with runs.record() as run:
        for _ in range(3):
            run.snapshot(torch.optim.SGD([torch.zeros(2, requires_grad=True)]))
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "SGD has no preconditioners()" in err
    with pytest.raises(RunError, match="without a snapshot"):
        learned.of_run(run.run)


class Wrapped:
    """An optimizer that is wrapped in what it is given."""

    def __init__(self, within=None):
        self.optimizer = self if within is None else within


class Endless:
    """Whose wrapped optimizer is another one each time."""

    @property
    def optimizer(self):
        return Endless()


@pytest.mark.parametrize("optimizer", [Wrapped(), Wrapped(Wrapped()), Endless()], ids=["itself", "twice", "endless"])
def test_an_optimizer_that_wraps_itself_is_said_and_the_script_trains_on(folder, capsys, optimizer):
    def bark(number, frame):
        raise AssertionError("it is unwrapped for ever")

    signal.signal(signal.SIGALRM, bark)
    signal.alarm(20)
    try:
        assert not matrices.shows(optimizer)
        with runs.record() as run:
            run.snapshot(optimizer)
            run.log(1, loss=1.0)
    finally:
        signal.alarm(0)
    assert "has no preconditioners()" in capsys.readouterr().err
    assert run.run.state.state == "finished" and not run.run.snapshot_steps()


def test_an_optimizer_is_found_within_others():
    within = Shown(np.eye(2))
    assert matrices.unwrapped(Wrapped(Wrapped(Wrapped(within)))) is within


def test_another_thread_logs_while_an_optimizer_takes_its_time(folder):
    logged = threading.Event()

    class Slow(Shown):
        def preconditioners(self):
            assert logged.wait(20), "nothing was logged meanwhile"
            return super().preconditioners()

    with runs.record() as run, concurrent.futures.ThreadPoolExecutor(1) as threads:
        run.log(1, loss=1.0)
        snapshot = threads.submit(run.snapshot, Slow(np.eye(2)))
        run.log(2, loss=1.0)
        logged.set()
        snapshot.result()
    assert run.run.snapshot_steps() and run.run.state.reason == ""


class Colliding(Shown):
    """Whose basis is called as one of its matrices."""

    def bases(self):
        return {"a": np.eye(2)}


COLLIDING = {
    "a factor": (Shown, {"a b": np.eye(2), "a": {"b": np.eye(3)}}, "a b"),
    "another kind of name": (Shown, {1: np.eye(2), "1": np.eye(3)}, "1"),
    "a basis": (Colliding, {"a basis": np.eye(2)}, "a basis"),
}


@pytest.mark.parametrize("case", COLLIDING)
def test_matrices_of_one_name_are_refused_and_none_is_lost_without_a_word(folder, capsys, case):
    kind, shown, name = COLLIDING[case]
    optimizer = kind(None)
    optimizer.preconditioners = lambda: shown
    with runs.record() as run:
        run.snapshot(optimizer)
    assert f"two matrices are called {name!r}" in capsys.readouterr().err
    assert not run.run.snapshot_steps()


def test_an_exception_that_cannot_say_what_it_is_ends_the_run_and_goes_on(folder):
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("nothing to say")

    with pytest.raises(Mute), runs.record():
        raise Mute
    assert (the_run(folder).state.state, the_run(folder).state.reason) == ("failed", "Mute")


def test_a_script_may_change_its_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with runs.record(folder="mine") as run:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        run.log(1, loss=1.0)
        run.snapshot(Shown(np.eye(2)))
    assert run.run.path.parent == tmp_path / "mine" and run.run.state.state == "finished"
    assert run.run.snapshot_steps() == [1]


def test_factors_of_somebodys_optimizer_are_on_preconditioners(folder):
    A = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.bfloat16)
    with runs.record() as run:
        for step, scale in ((1, 1.0), (2, 3.0)):
            run.log(step, loss=1.0)
            run.snapshot(Shown({"input": A * scale, "output": np.eye(3) * scale}))
    shown = learned.of_run(run.run)
    assert list(shown.layers) == ["0.weight input", "0.weight output"] and shown.steps.tolist() == [1, 2]
    layer = shown.layers["0.weight input"]
    assert layer.only_P and layer.about == "Shown, P of 0.weight input"
    np.testing.assert_array_equal(layer.P(1), 3 * np.array([[2.0, 0.5], [0.5, 1.0]]))
    np.testing.assert_allclose(layer.spectra[1], 3 * np.linalg.eigvalsh([[2.0, 0.5], [0.5, 1.0]]), rtol=1e-6)
    run.run.metrics.update()
    assert run.run.metrics["eigenvalue_max/0.weight output"].values.tolist() == [1.0, 3.0]
    [entry] = Listing(folder).entries(now=True).values()
    assert entry.learns


@pytest.mark.parametrize(
    ("P", "form", "matrix"),
    [
        (np.array(2.5), "scalar", False),
        (np.arange(1.0, 7).reshape(2, 3), "diagonal", False),
        (np.array([[1.0, 2.0], [0.0, 1.0]]), "direct", True),  # not symmetric: no spectrum
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), "direct", True),
        (np.diag([1e300, 1.0]), "direct", True),  # infinite in float32, in which it is kept
        (np.diag(np.arange(1.0, 301)), "direct", True),
    ],
)
def test_any_shape_of_p_is_read_back(folder, P, form, matrix):
    with runs.record() as run:
        run.snapshot(Shown(P))
        run.snapshot(Shown(P), step=5, whole=True)
    layer = learned.of_run(run.run).layers["0.weight"]
    assert layer.form == form and layer.is_matrix == matrix
    if matrix:
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(layer.P(-1), P.astype(np.float32))


FORMS = ("factored", "low_rank", "direct", "exponential", "scalar", "diagonal", "mean_removing")
CASES = [(form, {}, False) for form in FORMS]
CASES += [(form, {"normalized": True}, False) for form in FORMS if form != "scalar"]
CASES += [(form, {"max_dim": None}, True) for form in FORMS if form != "exponential"]


@pytest.mark.filterwarnings("ignore:the preconditioner of:UserWarning")
@pytest.mark.parametrize(("form", "options", "wide"), CASES, ids=str)
def test_a_snapshot_of_fop_is_what_our_trainer_keeps_of_it(form, options, wide):
    torch.manual_seed(1)
    layers = (
        [torch.nn.Linear(300, 2)] if wide else [torch.nn.Conv2d(2, 3, 3), torch.nn.Flatten(), torch.nn.Linear(12, 5)]
    )
    model = torch.nn.Sequential(*layers)
    optimizer = FOP(
        torch.optim.SGD(model.named_parameters(), lr=0.05, momentum=0.9), preconditioner=form, hyper_lr=1e-2, **options
    )
    images = torch.randn(4, 300) if wide else torch.randn(4, 2, 4, 4)
    for _ in range(3):
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()
    for whole in (False, True):
        expected, columns = diagnostics.inspect(optimizer, deep=whole, whole=whole)
        snapshot = of_optimizer(optimizer, whole)
        assert snapshot.arrays.keys() == expected.keys() and snapshot.columns.keys() == columns.keys()
        for name, array in expected.items():
            assert snapshot.arrays[name].dtype == array.dtype and snapshot.arrays[name].shape == array.shape, name
            if "counts" in name:
                assert snapshot.arrays[name].sum() == array.sum()  # an edge may be off by a rounding
            else:
                np.testing.assert_allclose(
                    snapshot.arrays[name], array, rtol=1e-3 if "thumbnail" in name else 1e-5, atol=1e-6, err_msg=name
                )
        for name, number in columns.items():
            np.testing.assert_allclose(snapshot.columns[name], number, rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_recorded_fop_is_read_as_one_of_our_own_runs(folder):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(8, 2))
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.1), normalized=True, hyper_lr=1e-2)
    with runs.record() as run:
        for step in (1, 2, 3):
            optimizer.zero_grad()
            model(torch.randn(2, 1, 4, 4)).square().mean().backward()
            optimizer.step()
            run.log(step, loss=1.0)
            run.snapshot(optimizer)
    layer = learned.of_run(run.run).layers["0.weight"]
    assert layer.form == "factored" and layer.kernel == (3, 3) and layer.has_M
    np.testing.assert_allclose(layer.P(-1), optimizer.preconditioners()["0.weight"], rtol=1e-4, atol=1e-6)


def test_a_snapshot_that_does_not_say_what_it_holds_is_damaged(folder):
    with runs.record() as run:
        run.snapshot(Shown(np.eye(2)))
        run._writer.snapshot(1, {"0.weight/P": np.eye(2)}, {"kinds": {"0.weight": ["P"]}})
    with pytest.raises(runs.DamagedFile, match="snapshot of step 1"):
        learned.of_run(run.run)


def test_a_study_does_not_take_a_recorded_run_for_one_of_its_own(folder):
    with runs.record({}) as run:  # whose settings are all of a TrainConfig's defaults
        run.log(1, loss=1.0)
    assert config.parse(run.run.config) and binding.existing(folder) == {}


def test_nothing_here_loads_torch():
    code = "import sys; from fop_core import runs; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=isolated.environment())


def test_the_state_that_is_written_says_that_nothing_resumes_it(folder):
    with runs.record() as run:
        until(lambda: json.loads((run.run.path / "state.json").read_text())["resumes"] is False)
