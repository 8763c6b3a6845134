"""The texts of the pages are short sentences; ``scripts/texts.py`` lists them."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = re.compile(
    r"\b(alarms?|begins? to tell|guarded|heard|hears|held up|kicks?|pens?|places|recorders?|tapes?|tells? of|told)\b",
    re.I,
)
"""Words and phrases that have to be learned before a text can be read."""
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
    assert any(line.endswith(": P of … is not finite at step ….") for line in lines), "JavaScript"
    assert any(line.endswith("Play or pause (space)") for line in lines), "HTML"
    assert not any("Compose training runs" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "count"),
    [("One. Two! Three", 3), ("a: b; c", 1), ("first line\n- an item", 2), ("f at 0.5 is 1e-3.", 1), ("", 0)],
)
def test_sentences_end_at_their_full_stops_and_lines(text, count):
    assert len(texts.sentences(text)) == count


def test_no_text_and_no_document_has_words_of_our_own():
    lines = [f"{path.name}: {line}" for path in DOCUMENTS for line in path.read_text().splitlines()]
    assert not [line for line in [*map(": ".join, texts.texts()), *lines] if OURS.search(line)]


def test_texts_in_javascript_are_strings_and_templates_filled_in():
    code = """f("one", 'two'); // not "this"
      g(`a ${b ? `c ${d}` : "e"} f` + `g\\nh ` + "i", /"no"/);"""
    assert list(texts.javascript(code)) == [(1, "one"), (1, "two"), (2, "c …"), (2, "e"), (2, "a … fg\nh i")]


def test_texts_in_html_are_what_a_reader_sees_or_hears():
    markup = '<p class="no">One <code>two</code>\n three.</p><button title="four"><svg d="no"/></button>'
    assert list(texts.html(markup)) == [(1, "One two three."), (2, "four")]
