"""Whatever is typed, the command line ends by itself, with a sentence and an exit status and no traceback."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fop_core.cli import main, parser
from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.runs.state import ENDED
from fop_core.training import config
from tests.sampled import sampled
from tests.training import tiny

ROOT = Path(__file__).resolve().parents[2]
RUN = str(ROOT / "trained_models" / "gallery" / "mnist-sgd-seed0")
FORKED = str(ROOT / "trained_models" / "gallery" / "cifar10-fop-velocity")
SECONDS = 120  # after which a command counts as one that does not end

VALUES = {
    "empty": "",
    "blank": " ",
    "NUL": "a\0b",
    "nobody's home": "~nobodyzz/x",
    "long": "x" * 70_000,
    "nested": "(" * 5000,
    "NaN": "NaN",
    "inf": "inf",
    "too large": "1e400",
    "minus one": "-1",
    "huge": "9" * 30,
    "no text": "\udcff\udcfe",
    "escape": "a\x1b]0;title\x07\x1b[2J\nb",
    "a folder": "/",
    "a device": "/dev/zero",
}

BASES = {
    "race": ["race", "--max-steps", "20"],
    "train": ["train", "--preset", "mnist-mlp", "--dry-run"],
    "queue submit": ["queue", "--folder", "A-FILE", "submit", "--preset", "mnist-mlp"],
    "queue fork": ["queue", "--folder", "A-FILE", "fork", RUN, "--matrices", "frozen", "--steps", "1"],
    "queue stop": ["queue", "stop"],
    "queue resume": ["queue", "resume"],
    "runs show": ["runs", "show"],
    "runs export": ["runs", "export"],
    "runs delete": ["runs", "delete"],
    "runs restore": ["runs", "restore"],
    "runs replay": ["runs", "replay"],
    "runs why": ["runs", "why"],
    "paper": ["paper", "--figure", "theorem-2"],
    "export figures": ["export", "figures", "--only", "paper-5c", "--gallery", "nowhere"],
    "export tables": ["export", "tables", "--gallery", "nowhere"],
}
"""What a command is called with beside a hostile argument: enough to get far, too little to do much."""

INSTEAD = {("train", "--resume"): ["train"], ("train", "--run"): ["train"], ("train", "--config"): ["train"]}
INSTEAD |= {("queue submit", "--config"): ["queue", "--folder", "A-FILE", "submit"]}
INSTEAD |= {("queue fork", "--control"): ["queue", "--folder", "A-FILE", "fork", RUN]}
"""The same where an option takes the place of one of these."""


def arguments_of(
    command: argparse.ArgumentParser, names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.Action]]:
    """Give every argument with a value of every command, read from the parsers: a new one is among them at once."""
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from arguments_of(inner, (*names, name))
        elif action.nargs != 0 and action.help != argparse.SUPPRESS and names != ("data",):
            yield names, action


def calls(names: tuple[str, ...], action: argparse.Action, value: str) -> Iterator[list[str]]:
    """Give the command with a value for an argument, in each way that one writes it."""
    name = " ".join(names)
    if name in ("queue", "runs"):  # --folder goes before the verb
        yield [name, f"--folder={value}", "list"]
    elif action.option_strings:
        option = action.option_strings[-1]
        base = INSTEAD.get((name, option), BASES.get(name, list(names)))
        yield [*base, option, *[value] * (action.nargs if isinstance(action.nargs, int) else 1)]
        yield [*base, f"{option}={value}"]
    elif name == "runs export":
        yield [*names, "--", *([value, "metrics.csv"] if action.dest == "run_id" else [RUN, value])]
    elif name == "runs diff":
        yield [*names, "--", *([value, RUN] if action.dest == "one" else [RUN, value])]
    else:
        yield [*names, *(["--matrices", "frozen"] if name == "queue fork" else []), "--", value]


ARGUMENTS = {f"{' '.join(names)} {action.dest}": (names, action) for names, action in arguments_of(parser())}


@contextlib.contextmanager
def an_end() -> Iterator[None]:
    """Raise where it takes too long; the machine may be loaded, so that is long."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not at an end after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.delenv("FOP_DATA_DIR", raising=False)
    (tmp_path / "A-FILE").touch()
    return tmp_path / "runs"


def call(capsys, *arguments):
    """The exit status, and what was said; an exception is a traceback, and fails the test."""
    try:
        with an_end():
            status = main(list(arguments))
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    captured.out.encode()
    return status, captured.out, captured.err


def no_control(text):
    return not [character for character in text if not character.isprintable() and character not in "\n\t"]


@pytest.mark.parametrize("argument", sampled(ARGUMENTS, 3))
def test_whatever_an_argument_is_the_command_ends_in_a_sentence(capsys, argument):
    for kind, value in VALUES.items():
        for arguments in calls(*ARGUMENTS[argument], value):
            sensible(kind, *call(capsys, *arguments))


@pytest.mark.parametrize("path", sampled(config.described(), 3))
def test_whatever_a_setting_is_the_command_ends_in_a_sentence(capsys, path):
    for kind, value in VALUES.items():
        outcome = call(capsys, "train", "--preset", "mnist-mlp", "--dry-run", "--set", f"{path}={value}")
        sensible(kind, *outcome)


def sensible(kind, status, out, err):
    assert status in (0, 1, 2), kind
    assert err.strip() if status else True, kind
    assert "Traceback" not in out + err, kind
    assert no_control(out) and no_control(err), kind


@pytest.mark.parametrize("variable", ["FOP_RUNS_DIR", "FOP_DATA_DIR"])
@pytest.mark.parametrize("kind", [kind for kind in VALUES if kind not in ("NUL", "a folder")])
@pytest.mark.parametrize(
    "command",
    [
        ("runs", "list"),
        ("runs", "show", "x"),
        ("queue", "list"),
        ("queue", "clear"),
        ("queue", "set", "--cpu-slots", "1"),
        ("doctor",),
        ("train", "--preset", "cifar10-allcnn"),
        ("train", "--preset", "imagefolder"),
    ],
    ids=" ".join,
)
def test_a_hostile_environment_ends_in_a_sentence(capsys, monkeypatch, variable, kind, command):
    monkeypatch.setenv(variable, VALUES[kind])
    sensible(kind, *call(capsys, *command))


# what is wrong is said, and nothing is made ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("train", "--preset", "imagefolder", "--set", "data.path=~nobodyzz/x"), "data.path = ~nobodyzz/x"),
        (("train", "--resume", ""), "no run ''"),
        (("train", "--run", ""), "no run ''"),
        (("train", "--preset", ""), "no preset ''"),
        (("train", "--preset", "mnist-mlp", "--method", ""), "no method ''"),
        (("train", "--config", ""), "no file"),
        (("train", "--preset", "mnist-mlp", "--name", "two\nlines"), r"'two\nlines' is not one line"),
        (("train", "--preset", "mnist-mlp", "--tag", "good", "--tag", "a\x1b[2Jb"), r"'a\x1b[2Jb' is not one line"),
        (("queue", "submit", "--preset", "mnist-mlp", "--name", "a\x1b[2Jb"), r"'a\x1b[2Jb' is not one line"),
        (("queue", "submit", "--preset", "mnist-mlp", "--tag", "two\nlines"), r"'two\nlines' is not one line"),
        (
            ("queue", "fork", FORKED, "--matrices", "frozen", "--epochs", "20", "--name", "a\tb"),
            r"'a\tb' is not one line",
        ),
        (("queue", "fork", FORKED, "--matrices", "frozen", "--epochs", "20", "--tag", "\u202e"), "is not one line"),
        (("train", "--preset", "mnist-mlp", "--set", "lr=0.1"), "lr: no such setting; did you mean optimizer.lr?"),
        (("train", "--preset", "mnist-mlp", "--set", "optimizer.rl=1"), "did you mean optimizer.lr?"),
        (("train", "--preset", "mnist-mlp", "--set", "optimiser.lr=1"), "did you mean optimizer"),
        (("train", "--preset", "mnist-mlp", "--set", "rank=4"), "did you mean fop.rank?"),
        (("train", "--preset", "mnist-mlp", "--set", "learning_rate=4"), "did you mean optimizer.lr"),
        (("train", "--preset", "mnist-mlp", "--set", "epoch=4"), "did you mean epochs?"),
        (("train", "--preset", "mnist-mlp", "--set", "epochs.x=4"), "epochs.x: no such field; did you mean epochs"),
        (
            ("train", "--config", "wrong.json"),
            "batchsize: no such setting; did you mean batch_size?",
        ),
    ],
)
def test_what_is_wrong_is_named_and_no_run_is_made(capsys, folder, arguments, says):
    Path("wrong.json").write_text(json.dumps({"optimizer": {"learn_rate": 0.1}, "batchsize": 7}))
    status, out, err = call(capsys, *arguments)
    assert (status, out) == (2, "") and says in err
    assert not list(store.scan(folder))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1,1,99999999999", "99999999999"),
        ("0,2147483648", "2147483648"),
        ("0,-1", "-1"),
        ("1,x", "'x'"),
        ("2-0", "0-2"),
        ("", "''"),
        ("0-100", "at most 100"),
        ("0,1e3", "'1e3'"),
    ],
)
def test_with_one_wrong_seed_nothing_is_queued(capsys, folder, text, says):
    status, out, err = call(capsys, "queue", "submit", "--preset", "mnist-mlp", f"--seeds={text}")
    assert (status, out) == (2, "") and says in err
    assert not list(store.scan(folder))


@pytest.mark.parametrize(
    ("text", "numbers"), [("0-2", [0, 1, 2]), ("0,1,2", [0, 1, 2]), ("0-2,5", [0, 1, 2, 5]), ("3, 1-2 3", [3, 1, 2])]
)
def test_seeds_are_written_as_on_the_page(capsys, monkeypatch, folder, text, numbers):
    monkeypatch.setattr(queue, "_start", lambda folder: None)  # they wait, and no job begins
    assert call(capsys, "queue", "submit", "--preset", "mnist-mlp", "--seeds", text)[0] == 0
    runs = [run for run, _ in store.scan(folder)]
    assert sorted(run.config["seed"] for run in runs) == sorted(numbers)
    assert {run.name for run in runs} == {f"mnist-mlp fop, seed {number}" for number in numbers}
    assert sorted(run.config["seed"] for run in queue.waiting(folder)) == sorted(numbers)


def test_a_name_from_elsewhere_steers_no_terminal(capsys, folder):
    run = store.create(config.preset("mnist-mlp").to_json(), name="good", folder=folder)
    labels = {"name": "a\x1b]0;title\x07\nb\u202ec", "tags": [], "notes": "", "archived": False}
    (run.path / "labels.json").write_text(json.dumps(labels))
    (run.path / "log.txt").write_text("one\n\x1b[2Jtwo\n")
    state = json.loads((run.path / "state.json").read_text())
    (run.path / "state.json").write_text(json.dumps({**state, "reason": "because\x1b[31m"}))
    for command in (("runs", "list"), ("runs", "show", run.id), ("queue", "list"), ("doctor",)):
        status, out, err = call(capsys, *command)
        assert status == 0 and no_control(out) and no_control(err)
        if command[0] == "runs":
            assert r"a\x1b]0;title\x07\nb\u202ec" in out
    assert "one\n" in call(capsys, "runs", "show", run.id)[1], "a log keeps its lines"
    (run.path / "state.json").write_text("{")  # the queue names what is damaged
    status, out, _ = call(capsys, "queue", "list")
    assert status == 0 and out.startswith(rf"{run.id}  a\x1b]0;title\x07\nb\u202ec  damaged")


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--preset", "mnist-mlp"),
        ("queue", "submit", "--preset", "mnist-mlp"),
        ("queue", "fork", FORKED, "--matrices", "unchanged", "--epochs", "20"),
        ("queue", "set", "--cpu-slots", "1"),
        ("queue", "list"),
        ("runs", "list"),
        ("runs", "show", "x"),
        ("doctor",),
        ("export", "figures", "--only", "paper-5c", "--out", "A-FILE/x"),
        ("runs", "export", RUN, "A-FILE/metrics.csv"),
    ],
    ids=" ".join,
)
def test_a_folder_that_cannot_be_is_named(capsys, tmp_path, monkeypatch, command):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path / "data"))
    tiny.cifar10(tmp_path / "data" / "cifar10", train=1, test=1)
    shutil.copytree(ROOT / "data" / "MNIST", tmp_path / "data" / "MNIST")
    monkeypatch.setenv("FOP_RUNS_DIR", "A-FILE")
    status, out, err = call(capsys, *command)
    assert status in (0, 2) and "Traceback" not in err
    assert "A-FILE" in out + err
    if command[0] in ("queue", "runs") and RUN not in command:
        monkeypatch.setenv("FOP_RUNS_DIR", "elsewhere")
        assert call(capsys, command[0], "--folder", "A-FILE", *command[1:])[0] == status


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("command", [("runs", "list"), ("queue", "set", "--webhook", "-")], ids=" ".join)
def test_a_stream_that_is_closed_is_read_as_empty_and_takes_what_is_printed(folder, closed, command):
    """Else what is opened first would be it, and a library's word would be written into a run's file."""
    done = subprocess.run(
        [sys.executable, "-m", "fop_core", *command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | {"FOP_RUNS_DIR": str(folder)},
        preexec_fn=lambda: [os.close(number) for number in closed],
    )
    assert (done.returncode, done.stderr) == (0, "")


# Ctrl-C ---------------------------------------------------------------------------------------------------------------

LONG = ("race", "--surface", "x^2 + y^2", "--max-steps", "20000000", "--optimizer", "sgd:lr=1e-12")


@pytest.mark.parametrize(
    "command",
    [LONG, ("runs", "replay", RUN, "--steps", "4000"), ("doctor",), ("train", "--preset", "mnist-mlp")],
    ids=" ".join,
)
@pytest.mark.parametrize("after", [0.15, 0.6, 1.5, 3])
def test_ctrl_c_at_any_moment_is_130_in_at_most_a_line(folder, command, after):
    """At whatever moment it comes: on the way in, while torch is loaded, at work. A run of it says how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fop_core", *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"FOP_RUNS_DIR": str(folder)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    with process:
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(after)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    if "Traceback" in err:  # Python itself was still starting, at most at our first lines, which nothing can guard
        ours = [line for line in err.splitlines() if "File" in line and "fop_core" in line]
        assert all("__init__.py" in line or "__main__.py" in line for line in ours), err
        assert not list(store.scan(folder))
        return
    assert "KeyboardInterrupt" not in err
    runs = [run for run, _ in store.scan(folder)]
    if process.returncode == 130:
        assert sum("Ctrl-C" in line for line in err.splitlines()) <= 1
        assert all(run.state.state == "stopped" and "Ctrl-C" in run.state.reason for run in runs)
    elif process.returncode == 3:  # the loop had begun: with a checkpoint
        assert [run.state.state for run in runs] == ["stopped"]
    elif process.returncode == -signal.SIGINT:  # before a line of ours was run, or after the last
        assert all(run.state.state in ENDED for run in runs)
    else:
        assert process.returncode == 0, err  # it was done already


LOST = """
import importlib.abc, runpy, signal, sys

INTERRUPTED = sys.argv.pop()

class Interrupted(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == INTERRUPTED:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise ImportError('PyCapsule_Import could not import module "datetime"') from None

sys.meta_path.insert(0, Interrupted())
runpy.run_module("fop_core", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("module", "status", "says"),
    [("numpy", -signal.SIGINT, ""), ("toy_functions", 130, "python -m fop_core: ended by Ctrl-C\n")],
)
def test_ctrl_c_that_a_module_makes_another_error_of_ends_the_program(folder, module, status, says):
    """In C, of numpy or of Python itself, the interruption of what is loaded is lost in an ImportError or the like."""
    done = subprocess.run(
        [sys.executable, "-c", LOST, *LONG, module],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=os.environ | {"FOP_RUNS_DIR": str(folder)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, "", says)


def test_ctrl_c_before_the_loop_leaves_an_honest_state(capsys, monkeypatch, folder):
    from fop_core.training import datasets, loop

    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop.datasets, "load", pressed)
    monkeypatch.setattr(datasets, "load", pressed)
    status, out, err = call(capsys, "train", "--preset", "mnist-mlp", "--quiet")
    assert status == 130 and err.splitlines()[-1].endswith("ended by Ctrl-C") and not out
    (run,) = [run for run, _ in store.scan(folder)]
    assert run.state.state == "stopped" and "Ctrl-C" in run.state.reason
    assert not run.held()


PRESSED = """
import importlib.abc, os, signal, sys

class Pressed(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.startswith("torch."):
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Pressed())
from fop_core.cli import main
try:
    main(["doctor"])
finally:
    print("raised")
"""


def test_ctrl_c_in_the_start_up_of_torch_raises_nothing_there():
    """What is raised inside its C++ is lost, or aborts the program: seen once with a train of 0.6 s."""
    done = subprocess.run(
        [sys.executable, "-c", PRESSED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "python -m fop_core: ended by Ctrl-C\n")


@pytest.mark.parametrize("content", [b"def make_optimizer(:\n", b"\x00", b"[" * 5000], ids=["syntax", "NUL", "nested"])
def test_a_file_that_is_no_python_is_not_confirmed(capsys, tmp_path, monkeypatch, content):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "mine.py").write_bytes(content)
    status, out, err = call(capsys, "plugins", "confirm", str(tmp_path / "mine.py"))
    assert (status, out) == (2, "") and "mine.py" in err and "no Python" in err
    assert not (tmp_path / "state").exists()
