import csv
import io
import math
import re

import pytest

from fop_core.studies import advance, progress, report, store, submit
from fop_core.studies.analysis import comparisons
from tests.studies import made
from tests.studies.made import study


@pytest.fixture
def ended(folder):
    submit.submit(study(name="A <b>study</b>", target={"value": 0.5}, fresh_seeds=[3, 4]), folder)
    id_ = "a-b-study-b"

    def value(cell):
        return math.nan if cell.config.optimizer.lr == 0.1 else 0.8 + cell.config.optimizer.lr + 0.001 * cell.seed

    made.write(store.load(id_, folder), value)
    advance.advance(id_, folder)
    made.write(store.load(id_, folder), value)
    return id_


def test_the_html_needs_no_network_runs_no_code_and_shows_every_part(folder, ended):
    text = report.html(ended, folder).decode()
    assert text.encode() == report.html(ended, folder), "the same data give the same bytes"
    assert "A &lt;b&gt;study&lt;/b&gt;" in text and "<b>study" not in text
    assert "default-src 'none'" in text and "<script" not in text
    assert set(re.findall(r"(?:src|href)=[\"']?([^:\"' >]*)", text)) == {"data"}
    for words in ("What can be concluded", "Differences", "Winners of the tuning", "Protocol", "Runs", "Made with"):
        assert f"<h2>{words}</h2>" in text
    assert text.count("<img alt=") >= 3 and text.count("<figcaption>") >= 3
    assert "n = 2" in text and "peak MB" in text and "diverged" in text


def test_the_pdf_has_a_page_for_each_figure(folder, ended):
    content = report.pdf(ended, folder)
    assert content == report.pdf(ended, folder), "the same data give the same bytes"
    assert content.startswith(b"%PDF") and len(re.findall(rb"/Type /Page\b", content)) >= 5


def test_no_table_of_the_pdf_is_cut_off():
    axes = f"optimizer.lr={','.join(str(rate / 1000) for rate in range(1, 60))}"
    of = made.table(
        {"momentum": [0.90, 0.91, 0.92], "fop-of-my-own": [0.95, 0.97, 0.96]},
        variants={"fop-of-my-own": {"method": "fop"}},
    )
    for section in report.sections(of, comparisons(of)):
        lines = list(report._plain(section))
        assert all(len(line) <= report.WIDTH for line in lines)
        words = " ".join(lines).split()
        for cell in (cell for line in section.lines for cell in line):
            assert " ".join(words).count(" ".join(cell.split())), (section.title, cell)
    long = report.Section("Protocol", (), ("setting", "value"), (("axis", axes),))
    assert "".join(axes.split()) in "".join("".join(report._plain(long)).split())


def test_winners_have_their_seconds_and_memory(folder, ended):
    [winners] = [part for part in report.sections(*_of(ended, folder)) if part.title == "Winners of the tuning"]
    assert winners.head[-3:-1] == ("training s", "peak MB") and {line[-3:-1] for line in winners.lines} == {
        ("4.0", "10")
    }


def _of(id_, folder):
    table = progress.table(id_, folder)
    return table, comparisons(table)


def test_the_csv_has_a_row_for_each_run_with_all_digits(folder, ended):
    lines = list(csv.DictReader(io.StringIO(report.csv(ended, folder).decode())))
    assert len(lines) == 31
    first = lines[0]
    assert (first["method"], first["optimizer.lr"], first["fop.rank"]) == ("momentum", "0.01", "")
    assert float(first["held_out_accuracy"]) == 0.81 and first["test_accuracy"] == ""
    assert float(first["seconds"]) == 4.0 and first["peak_memory"] == "10000000.0"
    lost = next(line for line in lines if line["diverged"] == "True")
    assert lost["steps_to_target"] == "inf" and lost["state"] == "failed"


def test_no_cell_is_a_formula_of_a_spreadsheet(folder):
    from fop_core.studies.rows import csv_text

    assert csv_text(["a"], [["=1+1"], ["-2"], [-2.0]]) == "a\n'=1+1\n'-2\n-2.0\n"


def test_a_study_without_any_result_has_a_report_too(folder):
    submit.submit(study(), folder)
    assert b"nothing is declared yet" in report.html("s", folder)
    assert len(report.csv("s", folder).splitlines()) == 28


def test_a_study_of_which_every_run_diverged_has_a_report_too(folder):
    submit.submit(study(), folder)
    made.write(store.load("s", folder), lambda cell: math.nan)
    advance.advance("s", folder)
    assert b"no setting of 6 came to its end" in report.html("s", folder)
    assert report.pdf("s", folder).startswith(b"%PDF")
