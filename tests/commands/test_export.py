"""The paper's figures and tables on the command line, and docs/paper.md, which is made of them."""

import math
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fop_core.cli import main
from fop_core.reproduction import GALLERY, Gallery, RunError
from fop_core.reproduction.answers import ANSWERS
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.figures import FIGURES, left_out
from fop_core.reproduction.mnist import chance_deg
from fop_core.reproduction.tables import OF_STUDIES, TABLES, cosines, replaced

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "paper.md"
ANSWER = ROOT / "docs" / "does-fop-help.md"


@pytest.fixture(scope="module")
def evidence():
    return Evidence()


def call(capsys, *arguments):
    status = main(["export", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_all_figures_are_made_and_said(capsys, tmp_path):
    status, out, err = call(capsys, "figures", "--out", tmp_path / "new" / "folder")
    assert (status, err) == (0, "")
    made = sorted(path.stem for path in (tmp_path / "new" / "folder").iterdir())
    assert made == sorted(FIGURES)
    for name in FIGURES:
        image = Image.open(tmp_path / "new" / "folder" / f"{name}.png")
        assert image.size[0] == 2100
        assert f"{name}.png: " in out
    for name, why in left_out().items():
        assert f"{name} is not made: {why}" in out


@pytest.mark.parametrize(("kind", "begins"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_one_figure_in_another_format(capsys, tmp_path, kind, begins):
    status, out, _ = call(capsys, "figures", "--only", "paper-5c", "--out", tmp_path, "--format", kind)
    assert status == 0 and [path.name for path in tmp_path.iterdir()] == [f"paper-5c.{kind}"]
    assert (tmp_path / f"paper-5c.{kind}").read_bytes().startswith(begins) and "not made" not in out


def test_a_gallery_without_some_runs_makes_the_figures_of_the_others(capsys, tmp_path):
    shutil.copytree(GALLERY / "cifar10-fop-velocity", tmp_path / "some" / "cifar10-fop-velocity")
    arguments = ("--gallery", tmp_path / "some", "--out", tmp_path, "--only", "paper-5a", "--only", "paper-A1")
    status, _, err = call(capsys, "figures", *arguments)
    assert status == 1 and (tmp_path / "paper-5a.png").is_file() and not (tmp_path / "paper-A1.png").exists()
    assert f"paper-A1 is left out: there is no run mnist-fop-full-seed0 in {tmp_path / 'some'}" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("figures", "--only", "paper-9"), "no figure 'paper-9': there are paper-1-booth, "),
        (("figures", "--gallery", "nowhere"), "no gallery in nowhere: give the folder of its runs with --gallery"),
        (("tables", "--gallery", "nowhere"), "no gallery in nowhere"),
        (("tables", "--into", "nowhere.md"), "nowhere.md"),
        (("figures", "--only", "paper-5c", "--out", "a-file"), "a-file"),
    ],
)
def test_a_wrong_argument_is_explained_in_one_line(capsys, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    status, out, err = call(capsys, *arguments)
    assert (status, out) == (2, "") and says in err and err.count("\n") == 1


def test_a_damaged_snapshot_is_not_passed_over(tmp_path):
    shutil.copytree(GALLERY / "cifar10-fop-velocity", tmp_path / "cifar10-fop-velocity")
    (tmp_path / "cifar10-fop-velocity" / "snapshots" / "00000000.safetensors").write_bytes(b"")
    with pytest.raises(RunError, match=r"cifar10-fop-velocity is not whole: .*00000000\.safetensors"):
        FIGURES["paper-5c"](Gallery(tmp_path))


# what the document says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*TABLES, *OF_STUDIES, *ANSWERS])
def test_what_a_document_says_is_what_follows_from_the_runs(evidence, name):
    document = ANSWER if name in ANSWERS else DOCUMENT
    shown = document.read_text().split(f"<!-- {name} -->\n")[1].split(f"<!-- end of {name} -->")[0]
    made = TABLES[name](evidence.gallery) if name in TABLES else {**OF_STUDIES, **ANSWERS}[name](evidence)
    assert shown.splitlines() == made and len(made) > 0


@pytest.mark.parametrize("document", [DOCUMENT, ANSWER])
def test_tables_are_written_between_their_marks(capsys, tmp_path, document):
    copy = tmp_path / "copy.md"
    copy.write_text(re.sub(r"(<!-- (?!end of).* -->\n)(?:.*\n)*?(<!-- end of)", r"\1\2", document.read_text()))
    assert copy.stat().st_size < document.stat().st_size
    assert call(capsys, "tables", "--into", copy)[0] == 0
    assert copy.read_text() == document.read_text()


def test_a_document_is_whole_or_as_it_was_and_is_written_through_no_link(capsys, tmp_path):
    copy = tmp_path / "copy.md"
    copy.write_bytes(ANSWER.read_bytes().replace(b"\n", b"\r\n"))
    copy.chmod(0o600)
    before = copy.stat().st_ino
    assert call(capsys, "tables", "--into", copy)[0] == 0
    assert copy.read_bytes() == ANSWER.read_bytes().replace(b"\n", b"\r\n"), "its line ends are its own"
    assert copy.stat().st_ino != before and copy.stat().st_mode & 0o777 == 0o600, "replaced, not written over"
    (tmp_path / "link.md").symlink_to(copy)
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "other.md").write_bytes(b"\xff\xfe")
    for name, why in (("link", "a link"), ("pipe", "device or pipe"), ("other", "no text in UTF-8")):
        status, _, err = call(capsys, "tables", "--into", tmp_path / f"{name}.md")
        assert status == 2 and why in err and err.count("\n") == 1
    assert (tmp_path / "link.md").is_symlink() and (tmp_path / "other.md").read_bytes() == b"\xff\xfe"


@pytest.mark.parametrize("text", ["", "<!-- a -->\n", "<!-- end of a -->\n<!-- a -->\n"])
def test_a_document_without_a_place_for_a_table_is_left_alone(text):
    with pytest.raises(ValueError, match="no place for the table of a"):
        replaced(text, {"a": ["| x |"]})


def test_the_document_shows_every_figure():
    text = DOCUMENT.read_text()
    for name in FIGURES:
        assert f"](images/{name}.png)" in text and (ROOT / "docs" / "images" / f"{name}.png").is_file()
    assert sum((ROOT / "docs" / "images" / f"{name}.png").stat().st_size for name in FIGURES) < 2_500_000


def test_frequencies_are_an_orthonormal_basis_that_begins_with_the_constant():
    basis = cosines(4).reshape(16, 16)
    np.testing.assert_allclose(basis @ basis.T, np.eye(16), atol=1e-12)
    np.testing.assert_allclose(basis[0], 0.25)
    down, across = cosines(3)[1, 0], cosines(3)[0, 1]
    assert (down[0] > 0).all() and (down[2] < 0).all() and np.ptp(down, axis=1).max() < 1e-12
    np.testing.assert_allclose(down.T, across)


@pytest.mark.parametrize(
    ("n", "k", "std"), [(784, 784, 0.01), (100, 100, 0.01), (784, 16, 0.01), (400, 400, 1), (400, 20, 0.1)]
)
def test_a_random_M_turns_a_vector_as_far_as_is_said(n, k, std):
    draw = np.random.default_rng(0)
    angles = []
    for _ in range(20):
        M, g = std * draw.standard_normal((n, k)), draw.standard_normal(n)
        Pg = g + M @ (M.T @ g)
        angles.append(math.degrees(math.acos(g @ Pg / np.linalg.norm(g) / np.linalg.norm(Pg))))
    assert np.mean(angles) == pytest.approx(chance_deg(n, k, std), rel=0.1)
