"""Plug-ins as text: whose they are, whether they are what was confirmed, and when they are not run."""

import os
import stat

import pytest

from fop_core.runs import compare, confirmed, fields, plugins, store
from fop_core.runs.plugins import PluginError

NOBODY = 65534
LION = b'RULE = "x = x - lr*sign(g)"\nopen("ran", "w")\ndef make_optimizer(named, settings, total_steps): ...\n'


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv(confirmed.SWITCH, raising=False)


def config(source, part="optimizer"):
    return {part: {"name": "plugin", "plugin": {"file": source.file, "sha256": source.digest}, "settings": {}}}


@pytest.fixture
def run(tmp_path):
    source = plugins.text("lion.py", LION)
    return store.create(config(source), sources={"optimizer": source}, folder=tmp_path / "runs")


def test_a_file_is_read_and_nothing_of_it_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lion.py").write_bytes(LION)
    source = plugins.read("lion.py")
    assert (source.file, source.offers, source.rule) == ("lion.py", {"optimizer"}, "x = x - lr*sign(g)")
    assert os.listdir(tmp_path) == ["lion.py"]


@pytest.mark.parametrize("content", [b"x = = 2", b"\0", b"(" * 5000, b"# coding: none\n", b"RULE = 3", b"RULE = f()"])
def test_what_is_no_python_offers_nothing(content):
    source = plugins.text("bad.py", content)
    assert (source.offers, source.rule) == (frozenset(), "")


def test_a_text_that_no_parser_gets_through_is_no_python():
    for content in (b"-" * 100_000 + b"1", b"a" + b".b" * 20_000, b"(" * 5000):
        assert "no Python: " in (fault := plugins.text("own.py", content).fault) and not fault.endswith(": ")


def test_what_is_no_file_of_python_is_refused(tmp_path):
    (tmp_path / "large.py").write_bytes(b"#" * (plugins.LARGEST + 1))
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    for name, words in {
        "lion.txt": "one Python file",
        "none.py": "is not there",
        "large.py": "more than 1 MB",
        "folder.py": "no file, but a folder",
        "pipe.py": "device or pipe",
    }.items():
        with pytest.raises(PluginError, match=words):
            plugins.read(tmp_path / name)


def test_a_run_keeps_its_plugins_and_refuses_others(tmp_path, run):
    source = plugins.text("lion.py", LION)
    assert plugins.of_run(run) == {"optimizer": source}
    assert (run.path / "source" / "optimizer.py").read_bytes() == LION
    for sources in ({}, {"optimizer": plugins.text("lion.py", LION + b"#")}):
        with pytest.raises(PluginError, match=r"lion\.py: "):
            store.create(config(source), sources=sources, folder=tmp_path / "other")
    with pytest.raises(ValueError, match="no setting names the plug-in of model"):
        store.create({}, sources={"model": source}, folder=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_is_not_confirmed_is_not_run_and_each_content_is_confirmed_once(run):
    assert "you have not confirmed this content" in plugins.refusal(run)
    confirmed.confirm(plugins.text("lion.py", LION).digest)
    assert plugins.refusal(run) == ""
    file = run.path / "source" / "optimizer.py"
    file.write_bytes(LION + b"import os")
    assert "it is not what this run was made with" in plugins.refusal(run)


def test_a_changed_run_json_confirms_nothing(run):
    confirmed.confirm(plugins.text("lion.py", LION).digest)
    other = plugins.text("lion.py", LION + b"# another")
    (run.path / "source" / "optimizer.py").write_bytes(other.content)
    text = (run.path / "run.json").read_text()
    (run.path / "run.json").write_text(text.replace(plugins.text("", LION).digest, other.digest))
    assert "you have not confirmed" in plugins.refusal(store.Run(run.path))


def test_a_link_or_a_pipe_is_no_plugin(run, tmp_path):
    confirmed.confirm(plugins.text("lion.py", LION).digest)
    file = run.path / "source" / "optimizer.py"
    file.rename(tmp_path / "elsewhere.py")
    file.symlink_to(tmp_path / "elsewhere.py")
    assert "a regular file is expected" in plugins.refusal(run)
    file.unlink()
    os.mkfifo(file)
    assert "not a regular file" in plugins.refusal(run)
    file.unlink()
    assert "is missing" in plugins.refusal(run)
    (run.path / "source").rename(tmp_path / "folder")
    (run.path / "source").symlink_to(tmp_path / "folder")
    assert "is a link, not a folder" in plugins.refusal(run)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user, which only root can")
@pytest.mark.parametrize("part", ["source/optimizer.py", "source", "run.json", "."])
def test_somebody_elses_is_not_run_though_we_have_confirmed_the_content(run, part):
    confirmed.confirm(plugins.text("lion.py", LION).digest)
    os.chown(run.path / part, NOBODY, -1)
    assert "belongs to nobody" in plugins.refusal(run)


def test_a_server_forbids_them_and_a_misspelt_prohibition_permits_nothing(run, monkeypatch):
    confirmed.confirm(plugins.text("lion.py", LION).digest)
    monkeypatch.setenv(confirmed.SWITCH, "off")
    assert "switched off" in plugins.refusal(run)
    monkeypatch.setenv(confirmed.SWITCH, "of")
    assert "give on or off" in plugins.refusal(run)
    monkeypatch.setenv(confirmed.SWITCH, "on")
    assert plugins.refusal(run) == ""


def test_a_run_without_plugins_is_never_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(confirmed.SWITCH, "off")
    assert plugins.refusal(store.create({"optimizer": {"name": "sgd"}}, folder=tmp_path)) == ""


def test_confirmations_are_the_users_alone():
    confirmed.confirm("0" * 64)
    folder = confirmed.folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and confirmed.is_confirmed("0" * 64)
    assert not confirmed.is_confirmed("1" * 64)
    folder.chmod(0o777)
    for do in (confirmed.is_confirmed, confirmed.confirm):
        with pytest.raises(PermissionError, match="you alone can write to"):
            do("0" * 64)


def test_who_has_no_home_is_told_where_confirmations_would_be(run, monkeypatch):
    sources = plugins.of_run(run)
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 54321)  # as a container's user without a name
    for do in (confirmed.is_confirmed, confirmed.confirm):
        with pytest.raises(FileNotFoundError, match="set HOME, or XDG_STATE_HOME"):
            do("0" * 64)
    assert "set HOME" in plugins.refused(sources)


@pytest.mark.parametrize("digest", ["", "../../x", "0" * 63, "A" * 64])
def test_what_is_no_digest_is_not_written(digest):
    with pytest.raises(ValueError, match="is no SHA-256"):
        confirmed.confirm(digest)
    assert not confirmed.folder().exists()


def test_a_link_in_a_digests_place_confirms_nothing(tmp_path):
    confirmed.confirm("0" * 64)
    (confirmed.folder() / ("1" * 64)).symlink_to(confirmed.folder() / ("0" * 64))
    assert not confirmed.is_confirmed("1" * 64)


@pytest.mark.parametrize("plugin", [3, {}, {"file": "x.py"}, {"file": "x.py", "sha256": "../../etc"}])
def test_a_run_json_that_names_none_is_refused(tmp_path, plugin):
    with pytest.raises(ValueError, match="a file and its sha256 are expected"):
        store.create({"model": {"plugin": plugin}}, folder=tmp_path)


def test_a_files_own_setting_takes_no_built_in_ones_name_in_a_query():
    known = fields.Known(dict.fromkeys(("optimizer.settings.lr", "optimizer.settings.tau", "optimizer.lr")), {})
    assert known.resolve("lr") == "set.*.lr"  # each run's own: a built-in optimizer's before a file's
    assert known.resolve("tau") == "set.optimizer.settings.tau"
    assert known.resolve("optimizer.settings.lr") == "set.optimizer.settings.lr"


def test_a_run_of_ones_own_optimizer_is_called_after_its_file():
    settings = compare.settings(config(plugins.text("lion.py", LION)))
    assert compare.method(settings) == "lion.py" and "optimizer.precondition_every" not in settings
    assert compare.method(settings | {"fop.preconditioner": "factored"}) == "fop"


def test_what_is_no_python_names_its_line_once():
    assert plugins.text("a.py", b"x = 1\nif x\n").fault == "a.py, line 2: no Python: expected ':'"
