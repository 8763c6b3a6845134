"""The text of the study paper-text is fixed: its run directory says which it was, and another one is refused."""

import hashlib
from pathlib import Path

import pytest

from fop_core.reproduction import plans
from fop_core.runs import plugins
from fop_core.runs.plugins import PluginError
from fop_core.training.plugins import Plugins

PROSE = Path(plans.__file__).parent / "prose.txt"
DIGEST = hashlib.sha256(PROSE.read_bytes()).hexdigest()


def made(settings, source=None):
    made = Plugins({"data": source or plugins.read(plans.CHARACTERS)})
    made.set({"data": settings})
    return made.data(0)


def test_the_files_that_a_run_keeps_fix_its_text():
    plan = plans.PLANS["paper-text"]
    assert {source.digest for source in plan.sources.values()} == {plan.study.plugins["data"].sha256}
    assert DIGEST in plan.sources["data"].content.decode(), "the run's copy of the file names the text"
    assert 100_000 < PROSE.stat().st_size < 300_000
    data = made(plan.study.plugins["data"].settings)
    assert len(data.train[0]) + len(data.test[0]) == len(PROSE.read_text()) // 64


def test_another_text_than_the_run_s_is_refused(tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("to be or not to be, that is the question " * 40)
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    assert len(made({"file": str(own)}).train[0]) == len(made({"file": str(own), "sha256": digest}).train[0]) > 0
    own.write_text("to be and not to be " * 40)
    with pytest.raises(PluginError, match=f"own.txt has changed: its SHA-256 is .*, and {digest} is wanted"):
        made({"file": str(own), "sha256": digest})


def test_prose_that_was_changed_is_refused():
    source = plugins.read(plans.CHARACTERS)
    other = plugins.Source(source.file, source.content.replace(DIGEST.encode(), b"0" * 64))
    with pytest.raises(PluginError, match=r"prose.txt has changed: its SHA-256 is .*, and 0{64} is wanted"):
        made({}, other)
