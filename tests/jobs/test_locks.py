"""The locks of slots lie where others may write: one that cannot be trusted is a slot that is taken, and says why."""

import fcntl
import json
import os

import pytest

from fop_core.cli import main
from fop_core.jobs import dispatcher, queue, slots
from fop_core.runs.files import DamagedFile
from tests import damage
from tests.damage import watchdog  # noqa: F401, a fixture
from tests.jobs.conftest import new
from tests.permissions import permissions_hold  # noqa: F401, a fixture

pytestmark = pytest.mark.usefixtures("watchdog")

NOBODY = 65534


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """The folder of GPUs' locks of a machine with one GPU, and a stand-in for its nvidia-smi."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\ncase $1 in --query-gpu=uuid,name,*) echo 'GPU-aa, H100, 10, 81559';; esac\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(slots.tempfile, "gettempdir", lambda: str(tmp_path))
    slots._gpus.cache_clear()
    yield tmp_path / "fop-lab-slots"
    slots._gpus.cache_clear()


def gpu(folder) -> slots.Slot:
    return next(slot for slot in slots.slots(folder) if slot.kind == "gpu")


def assert_unusable(folder, noted, capsys, word: str) -> None:
    """The GPU is not taken, that is said, and the CPU is used all the same."""
    first, second = new(folder, "device=cuda"), new(folder, "device=cpu")
    for run in (first, second):
        queue.submit(run)
    assert dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [second.id]
    capsys.readouterr()
    assert main(["queue", "list"]) == 0
    assert word in next(line for line in capsys.readouterr().out.splitlines() if line.startswith("H100"))
    assert word in queue.waits_for(first)
    assert main(["queue", "list", "--json"]) == 0
    assert word in json.loads(capsys.readouterr().out)["slots"][0]["unusable"]
    with pytest.raises(DamagedFile, match=word):
        slots.take(gpu(folder), first.id)


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "folder"])
def test_a_lock_that_is_no_file_of_one_name_is_taken_and_nothing_is_written_through_it(
    folder, noted, shared, tmp_path, capsys, kind
):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    shared.mkdir(mode=0o755)
    make = {"link": lambda path: os.symlink(victim, path), "hard link": lambda path: os.link(victim, path)}
    (make | {"pipe": os.mkfifo, "folder": os.mkdir})[kind](shared / "GPU-aa.lock")
    assert_unusable(folder, noted, capsys, "GPU-aa.lock")
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("kind", ["a link to a folder", "a file", "no sticky bit", "of another, for nobody else"])
def test_a_folder_of_locks_that_others_could_change_is_not_trusted(folder, noted, shared, tmp_path, capsys, kind):
    match kind:
        case "a link to a folder":
            (tmp_path / "theirs").mkdir()
            os.symlink(tmp_path / "theirs", shared)
        case "a file":
            shared.touch()
        case "no sticky bit":
            shared.mkdir()
            shared.chmod(0o777)
        case _:
            if os.geteuid() != 0:
                pytest.skip("gives a folder to another user, which only root can")
            shared.mkdir(mode=0o755)
            os.chown(shared, NOBODY, NOBODY)
    assert_unusable(folder, noted, capsys, "folder of GPUs' locks")
    if (tmp_path / "theirs").exists():
        assert list((tmp_path / "theirs").iterdir()) == []


def test_a_lock_that_we_may_not_open_is_taken(folder, noted, shared, capsys, permissions_hold):  # noqa: F811
    shared.mkdir()
    (shared / "GPU-aa.lock").touch(mode=0)
    assert_unusable(folder, noted, capsys, "Permission denied")


@pytest.mark.parametrize("mode", [0, 0o600])
def test_a_folder_of_locks_that_we_may_not_look_into_is_not_used(
    folder,
    noted,
    shared,
    capsys,
    permissions_hold,  # noqa: F811
    mode,
):
    shared.mkdir()
    shared.chmod(mode)
    try:
        assert_unusable(folder, noted, capsys, "chmod 1777")
    finally:
        shared.chmod(0o1777)


def test_a_lock_that_another_user_made_is_shared(folder, shared):
    shared.mkdir()
    shared.chmod(0o1777)
    lock = shared / "GPU-aa.lock"
    lock.write_text("an earlier run")
    lock.chmod(0o666)
    if os.geteuid() == 0:
        for path in (shared, lock):
            os.chown(path, NOBODY, NOBODY)
    file = slots.take(gpu(folder), "ours")
    assert file is not None
    assert gpu(folder).used_by == "ours"
    assert slots.take(gpu(folder), "another") is None
    os.close(file)
    assert gpu(folder).free


@pytest.mark.parametrize(
    "content", [b"a\0b", b"../a", b"a/b", b"..", b".a", b"a\nb", b"\x1b[2J", b"\xff" * 300, b"x" * 300]
)
def test_a_slot_is_taken_whatever_its_holder_wrote(folder, noted, capsys, content):
    slots.choose(folder, cpu_slots=2)
    theirs, ours = slots.locks_folder(folder) / "cpu-0.lock", new(folder)
    theirs.write_bytes(content)
    queue.submit(ours)
    with theirs.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["queue", "list"]) == 0
        dispatcher.Dispatcher(folder, noted).step()
        both = slots.slots(folder)
    assert noted.started == [ours.id]
    assert both[1].used_by == ours.id
    assert both[0].used_by == (
        "a run that cannot be named" if len(content) < 300 else content.decode("utf-8", "replace")[:256]
    )


def test_a_lock_that_we_make_is_for_all_users(folder, shared):
    file = slots.take(gpu(folder), "ours")
    assert file is not None
    os.close(file)
    assert shared.stat().st_mode & 0o7777 == 0o1777
    assert (shared / "GPU-aa.lock").stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e400", "0", "-1", "many"])
def test_a_limit_that_nothing_could_read_again_is_refused(folder, capsys, value):
    assert main(["queue", "set", "--limit-gb", "7"]) == 0
    assert main(["queue", "set", f"--limit-gb={value}"]) == 2
    assert "limit" in capsys.readouterr().err
    assert slots.settings(folder).limit_gb == 7


@pytest.mark.parametrize(("kind", "replace"), damage.KINDS, ids=[kind for kind, _ in damage.KINDS])
def test_damaged_settings_are_named_keep_every_run_waiting_and_are_mended_by_set(folder, noted, capsys, kind, replace):
    run = new(folder)
    queue.submit(run)
    slots.choose(folder, cpu_slots=3)
    path = folder / ".queue" / "settings.json"
    replace(path)
    if kind in ("nothing", "JSON, an empty object"):
        return  # settings like any
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == []
    capsys.readouterr()
    assert main(["queue", "list"]) == 0
    listed = capsys.readouterr().out
    assert run.id in listed and str(path) in listed and "queue set" in listed
    assert main(["queue", "set", "--cpu-slots", "0", "--limit-gb", "inf"]) == 2
    assert os.path.lexists(path) and not list(path.parent.glob("*.damaged.*"))
    capsys.readouterr()
    assert main(["queue", "set", "--cpu-slots", "2"]) == 0
    (aside,) = path.parent.glob("settings.json.damaged.*")
    assert str(aside) in capsys.readouterr().err
    assert slots.settings(folder) == slots.SlotSettings(2)
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [run.id]


@pytest.mark.parametrize("device", ["cuda:x", "cuda:", "cuda:-1", "cuda:99999999999", "cuda:²"])
def test_a_device_that_cannot_be_blinds_no_list_where_there_is_a_gpu(folder, noted, shared, capsys, device):
    odd, whole = new(folder), new(folder, "device=cpu")
    for run in (odd, whole):
        queue.submit(run)
    about = json.loads((odd.path / "run.json").read_text())
    about["config"]["device"] = device
    (odd.path / "run.json").write_text(json.dumps(about))
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [whole.id]
    assert main(["queue", "list"]) == 0
    assert "a device that this machine does not have" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["a file", "mode 000", "mode 600"])
@pytest.mark.parametrize("which", [".queue", "the machine's"])
def test_a_queue_folder_that_cannot_be_used_is_named_and_what_to_do(
    folder,
    noted,
    tmp_path,
    capsys,
    permissions_hold,  # noqa: F811
    which,
    kind,
):
    run = new(folder)
    queue.submit(run)
    path = folder / ".queue" if which == ".queue" else slots.locks_folder(folder)
    path.mkdir(parents=True, exist_ok=True)
    if kind == "a file":
        path.rename(tmp_path / "elsewhere")
        path.touch()
    else:
        path.chmod(int(kind.split()[1], 8))
    said = "is a file" if kind == "a file" else f"is of {kind}"
    try:
        assert queue.placed(folder) == {}
        assert slots.slots(folder)[-1].unusable.startswith(f"{path} {said}")
        assert f"{path} {said}" in queue.blocking_reason(folder) and "queue set" not in queue.blocking_reason(folder)
        for command in (["queue", "set", "--cpu-slots", "2"], ["queue", "set", "--launcher", "local"]):
            assert main(command) == 2
            assert f"{path} {said}" in capsys.readouterr().err
        assert main(["queue", "list"]) == 0
        listed = capsys.readouterr().out
        assert run.id in listed and str(path) in listed
        assert main(["runs", "show", run.id]) == 0
        shown = capsys.readouterr()
        assert "damaged" not in shown.out and str(path) in shown.out
    finally:
        path.chmod(0o755)


@pytest.mark.parametrize(("kind", "replace"), damage.KINDS, ids=[kind for kind, _ in damage.KINDS])
@pytest.mark.parametrize("name", ["launcher", "notices"])
def test_a_damaged_file_of_other_settings_is_named_keeps_none_from_being_set_and_is_mended(
    folder, capsys, name, kind, replace
):
    option = {"launcher": ["--launcher", "slurm"], "notices": ["--webhook", "https://example.com/x"]}[name]
    assert main(["queue", "set", *option]) == 0
    (path,) = (folder / ".queue").glob(f"{name}-*.json")
    before = path.read_text()
    replace(path)
    if kind in ("nothing", "JSON, an empty object"):
        return  # settings like any
    capsys.readouterr()
    assert main(["queue", "set", "--cpu-slots", "2"]) == 0  # says nothing of that file, and leaves it
    assert slots.settings(folder).cpu_slots == 2 and not list(path.parent.glob("*.damaged.*"))
    capsys.readouterr()
    assert main(["queue", "set", *option]) == 0
    (aside,) = path.parent.glob(f"{path.name}.damaged.*")
    assert str(aside) in capsys.readouterr().err
    assert path.read_text() == before


@pytest.mark.parametrize("linked", [".queue", "the machine's"])
def test_a_queue_folder_that_is_a_link_is_named_and_nothing_is_written_through_it(
    folder, noted, tmp_path, capsys, linked
):
    run = new(folder)
    queue.submit(run)
    path = folder / ".queue" if linked == ".queue" else slots.locks_folder(folder)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    before = {each: each.stat().st_mtime_ns for each in elsewhere.rglob("*")}
    assert slots.slots(folder)[-1].unusable
    with pytest.raises(DamagedFile, match="is a link"), queue.electing(folder):
        pass
    assert main(["queue", "set", "--cpu-slots", "2"]) == 2
    assert "is a link" in capsys.readouterr().err
    assert main(["queue", "list"]) == 0
    assert run.id in capsys.readouterr().out
    assert before == {each: each.stat().st_mtime_ns for each in elsewhere.rglob("*")}
