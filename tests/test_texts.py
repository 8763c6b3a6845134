"""The texts of the pages are short sentences; ``scripts/texts.py`` lists them."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("texts", ROOT / "scripts/texts.py")
assert SPEC is not None and SPEC.loader is not None
texts = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(texts)


def listed(*options: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/texts.py"), *options]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_no_sentence_of_the_pages_is_longer_than_25_words():
    done = listed("--long")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_list_has_what_the_pages_say_and_none_of_their_docstrings(tmp_path):
    lines = listed(cwd=tmp_path).stdout.splitlines()
    assert any(line.endswith("Follow them in Runs") for line in lines)
    assert any("from step … on P g is 90° or more from g" in line for line in lines), "f-strings, filled in"
    assert not any("Compose training runs" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "count"),
    [("One. Two! Three", 3), ("a: b; c", 3), ("first line\n- an item", 2), ("f at 0.5 is 1e-3.", 1), ("", 0)],
)
def test_sentences_end_where_a_reader_takes_breath(text, count):
    assert len(texts.sentences(text)) == count
