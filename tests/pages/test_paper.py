"""The Paper page as a reader meets it, without a browser."""

import json
import math
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fop_core.figures.style import number
from fop_core.jobs import queue
from fop_core.reproduction import demonstrations, shipped
from fop_core.reproduction.answers import short
from fop_core.reproduction.cards import CARDS, cards, shipped_evidence
from fop_core.reproduction.demonstrations import symmetric
from fop_core.reproduction.lacking import questions
from fop_core.reproduction.plans import PLANS
from fop_core.reproduction.verdicts import Card, Part
from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile
from fop_core.studies import cells, protocol, store, watcher
from pages.components.download import Screen
from pages.paper import sentences, shown
from pages.paper.links import links
from pages.paper.settings import CASES, FIELDS, VALUES
from pages.shared.run_text import duration
from tests.pages.app import app_at
from tests.pages.test_trajectories import address, component, figure, ran, words
from tests.studies import filled


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty runs folder, and a queue that starts nothing."""
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder=None: None)
    monkeypatch.setattr(watcher, "ensure", lambda folder, again=False: None)
    monkeypatch.setattr("fop_core.runs.listing.FRESH", 0.0)
    return tmp_path / "runs"


def page(**query: str) -> AppTest:
    at = app_at("paper")
    for name, value in query.items():
        at.query_params[name.replace("__", ".")] = value
    return ran(at.run())


def text(at: AppTest) -> str:
    """What the page says, as it is seen: without the backslashes of Markdown."""
    return words(at).replace("\\", "")


def test_every_card_is_there_with_its_claim_its_parts_and_its_verdict():
    at = page()
    said = text(at)
    shown_ = [*cards(), *questions()]
    assert [each.value.replace("\\", "") for each in at.subheader] == [card.title for card in shown_]
    assert [each.value for each in at.header] == ["What the paper lacks"]
    for card in cards():
        assert card.claim in said and all(part.says in said for part in card.parts)
        assert all(control.what in said for control in card.controls)
        assert all(difference in said for difference in card.differences)
        assert f"[{shown.short(card)}](#{shown.anchor(card)}): {shown.STYLES[card.verdict].word.lower()}" in said
    for question in questions():
        assert question.claim in said and all(part.says in said for part in question.parts)
        assert f"[{question.title}](#{shown.anchor(question)}): " in said
        assert question.rows or f"**Planned.** {PLANS[question.plans[0]].about}" in said
        assert [each.key for each in at.button if each.key == f"rerun {question.name}"]
    assert [each.value for each in at.code] == [card.command for card in shown_]
    assert "\n".join(short(shipped_evidence())).replace("\\", "") in said, "the answer opens the page"
    assert not address(at), "as it opens it needs no settings"


def test_theorem_2_opens_with_the_counterexample_and_the_repaired_statement():
    said = text(page())
    assert "Theorem 2 as stated :material/cancel: **is exceeded here**: stated 0.925, reached 0.926." in said
    assert re.search(r"Repaired, .* it :material/check_circle: \*\*holds here\*\*: stated 0.900, reached 0.810.", said)


def test_a_slider_changes_the_sentence_and_the_address_and_a_link_reproduces_it():
    at = page()
    for name in ("t2.along", "t2.across"):
        at.slider(key=f"paper.{name}").set_value(1.0)
    ran(at.run())
    said = "Theorem 2 as stated :material/check_circle: **holds here**: stated 0.900, reached 0.810."
    assert said in text(at) and address(at) == {"t2.along": "1", "t2.across": "1"}
    assert said in text(page(t2__along="1", t2__across="1"))


def test_each_theorem_has_settings_of_its_own():
    at = page(t1__mu="0.5", t2__mu="0.2")
    assert (at.slider(key="paper.t1.mu").value, at.slider(key="paper.t2.mu").value) == (0.5, 0.2)


SAYS = {
    ("t1", "M Mᵀ outgrows the bound"): "The proof's bound :material/cancel: **is exceeded here**: at step 43",
    ("t1", "p∞ too large"): "nothing is promised. Here f grows without end.",
    ("t1", "As proven"): "The proof's bound :material/check_circle: **holds here**",
    ("t2", "P = I"): "Theorem 2 as stated :material/check_circle: **holds here**",
    ("t2", "An unequal P"): "Theorem 2 as stated **says nothing here**",
    ("t2", "A turned P"): "Theorem 2 as stated :material/check_circle: **holds here**",
    ("t2", "Counterexample"): "**is exceeded here**: stated 0.925, reached 0.926.",
}


def test_each_case_shows_what_its_button_says():
    at = page()
    assert {(theorem, case.label) for theorem, cases in CASES.items() for case in cases} == set(SAYS)
    for (theorem, label), says in SAYS.items():
        [button] = [each for each in at.button if each.key == f"{theorem} {label}"]
        button.click()
        ran(at.run())
        assert says in text(at)
        [case] = [case for case in CASES[theorem] if case.label == label]
        changed = {f"{theorem}.{name}" for name in case.values}
        assert {name for name in address(at) if name.startswith(theorem)} == changed


def test_the_picture_that_is_chosen_is_in_the_address():
    at = page(**{"see.A.1": "paper-A1-rank16"})
    assert "Rank 16, σ = 0.01" in text(at) and address(at) == {"see.A.1": "paper-A1-rank16"}
    at.button_group(key="paper picture A.1").set_value("paper-A1-small")
    ran(at.run())
    assert "Full rank, σ = 0.3" in text(at) and not address(at), "the first one needs no setting"


def test_a_picture_of_another_card_is_not_shown():
    at = page(**{"see.5c": "paper-A1"})
    assert "Eigenvalues of the final P of each spatial layer, one seed." in text(at)


def test_what_an_address_has_wrong_is_said():
    said = text(page(t2__mu="5", t1__rho="0.2", t1__form="low_rank", see__2="none"))
    for wrong in (
        "t2.mu=5 is not between 0.01 and 1",
        "t1.rho=0.2 is none of 0, 0.01",
        "t1.form=low_rank is none of direct, mmt",
        "see.2=none is none of ",
    ):
        assert wrong in said


def test_figure_1_shows_the_published_counts():
    at = page()
    notes = [note["text"] for note in figure(at, "picture 1 0")["layout"]["annotations"]]
    assert notes == ["SGD 832", "Adam 6,221", "<b>FOP 543</b>"]


def test_every_chart_says_what_it_shows():
    at = page()
    for card in cards():
        if card.pictures:
            assert component(at, f"picture {card.name} 0")["alt"]


@pytest.mark.parametrize("card", cards(), ids=list(CARDS))
def test_the_links_of_a_card_are_settings_that_their_pages_know(card):
    for link in links(card, ()):
        name = link.page.split("/")[1]
        at = app_at(name)
        for key, value in link.query.items():
            at.query_params[key] = value
        ran(at.run())
        assert "Not all of the address could be used" not in words(at)
        assert not at.error


def test_studies_that_rerun_a_card_are_linked_from_it():
    card = Card("2", "Figure 2: rank", "A claim.", (Part("A part."),), plans=("paper-2-best", "paper-2-small"))
    there = ("paper-2-best", "paper-2-best-2", "paper-2-bestial", "other", "paper-2-small-quick")
    ids = [link.query["study"] for link in links(card, there)]
    assert ids == ["paper-2-best", "paper-2-best-2", "paper-2-small-quick"]


def test_a_verdict_is_a_word_an_icon_and_the_hours_that_it_would_take():
    card = Card("2", "Figure 2: rank", "A claim.", (Part("A part."),), gpu_hours=41.0)
    assert shown.verdict(card) == "Not run: about 41 GPU hours"
    assert len({style.word for style in shown.STYLES.values()} | {style.icon for style in shown.STYLES.values()}) == 8
    assert shown.outcome(Part("A part.", holds=False))[1] == "Does not come out"


def test_numbers_are_told_apart_by_as_many_digits_as_it_takes():
    assert sentences.apart(0.925, 0.92640625) == ("0.925", "0.926")
    assert sentences.apart(0.9250, 0.9250000001) == ("0.925", "0.9250000001")
    assert sentences.apart(0.5, 0.5) == (number(0.5), number(0.5))
    assert sentences.apart(math.inf, 2.0) == ("∞", "2.00")


def test_the_bound_s_sentence_gives_the_step_at_which_it_is_exceeded():
    quadratic = symmetric(0.1, 1.0, 1.0, 1.0, 0.0)
    made = demonstrations.first(quadratic, "mmt", 0.1, 10.0)
    of_bound, _ = sentences.first(made, quadratic, 0.1)
    assert f"at step {made.exceeded} it is {number(made.descent.bounds[made.exceeded])}" in of_bound


def test_where_numbers_end_the_bound_is_spoken_of_up_to_there():
    quadratic = symmetric(0.01, 1.0, 0.05, 0.0, 0.0)
    made = demonstrations.first(quadratic, "direct", 4.0, 30.0)
    of_bound, promise = sentences.first(made, quadratic, 4.0)
    assert made.exceeded is None and 0 < made.ends < demonstrations.STEPS
    assert f"**holds here** up to step {made.ends}, where numbers end: ‖P‖ is " in of_bound and "∞" not in of_bound
    assert promise.startswith("P is singular, so nothing is promised.")


def test_nothing_is_promised_of_a_singular_p():
    quadratic = symmetric(0.1, 1.0, 0.05, 0.0, 0.0)
    made = demonstrations.first(quadratic, "direct", 0.9, 0.0)
    assert not made.promised and "P is singular" in sentences.first(made, quadratic, 0.9)[1]


@pytest.mark.parametrize("angle", [0.0, 30.0])
def test_a_bound_that_rounding_alone_exceeds_is_not_said_to_be_exceeded(angle):
    made = demonstrations.first(symmetric(1.0, 1.0, 2.0, 2.0, angle), "mmt", 4.0, 0.05)
    assert made.exceeded is None and made.ends < 39, "in exact arithmetic it is exceeded at another step"


@pytest.mark.parametrize(("left", "says"), [(0.5, "leave 0.500"), (3.0, "3.00 times"), (math.inf, "without end")])
def test_what_is_left_of_f_is_said(left, says):
    assert says in sentences.left_of_f(left)


def test_all_settings_have_a_value_to_begin_with():
    assert set(FIELDS) == set(VALUES)
    for name, field in FIELDS.items():
        assert field.read(field.write(VALUES[name])) == VALUES[name]


def click(at: AppTest, key: str) -> None:
    [button] = [each for each in at.button if each.key == key]
    button.click()
    ran(at.run())


def test_a_rerun_asks_first_then_stands_in_studies_and_is_linked(folder):
    at = page()
    click(at, "rerun 2")
    said = text(at)
    assert "paper-2-tune-quick" in said and "2 runs · time minutes, not measured here · disk not known" in said
    [launch] = [each for each in at.button if each.key == "launch 2"]
    studies = [plan.quick for name, plan in PLANS.items() if name.startswith("paper-2-")]
    total = len({cell.key for study in studies for cell in cells.cells(study)})
    assert total < sum(sum(cells.count(study)) for study in studies), "two of them have the same runs of SGD"
    assert launch.label == f"Launch {total} runs"
    shared = sum(sum(cells.count(study)) for study in studies) - total
    assert f"Trained once: {shared} runs that two of these studies need." in said
    assert not store.ids(folder), "nothing is launched yet"
    click(at, "launch 2")
    assert store.ids(folder) == sorted(study.name for study in studies)
    assert len([run for run, _ in runs.scan(folder)]) == total
    assert not at.error and not [each for each in at.button if each.key == "launch 2"], "the question is answered"
    click(at, "rerun 2")
    assert "**paper-2-tune-quick** is there already: open it above." in text(at)
    [launch] = [each for each in at.button if each.key == "launch 2"]
    assert launch.disabled


def test_the_whole_of_a_rerun_says_what_its_time_comes_from(folder):
    at = page()
    click(at, "rerun 2")
    at.button_group(key="size 2").set_value("full")
    ran(at.run())
    plan = PLANS["paper-2-best"]
    time = f"about {duration(3600 * plan.hours)} on one core ({plan.measured_on})"
    assert f"35 runs · time {time} · disk not known" in text(at)
    click(at, "cancel 2")
    assert not [each for each in at.button if each.key == "launch 2"] and not store.ids(folder)


def test_time_and_disk_follow_from_runs_that_are_there(folder):
    for cell in cells.cells(PLANS["paper-2-tune"].quick):
        filled.run_of(cell, 0.9)
    at = page()
    click(at, "rerun 2")
    assert re.search(
        r"2 runs · time about .*, as runs like these took here, 2 of them there already · disk about ", text(at)
    )


def test_a_study_whose_data_are_missing_cannot_be_launched(monkeypatch, tmp_path):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path))
    at = page()
    click(at, "rerun 3-imagenet")
    assert "**paper-3-imagenet-quick** cannot be launched: " in text(at)
    [launch] = [each for each in at.button if each.key == "launch 3-imagenet"]
    assert launch.disabled


def test_a_study_that_cannot_be_submitted_says_why_on_its_card():
    at = page()
    click(at, "rerun 2")
    store.create(filled.study("paper-2-tune-quick"))  # since the question was asked
    click(at, "launch 2")
    said = "there is another study 'paper-2-tune-quick'"
    assert any(said in each.value.replace("\\", "") for each in at.error)
    assert "**paper-2-tune-quick** cannot be launched: there is another study" in text(at)


def test_a_card_that_was_not_run_says_what_is_planned():
    [card] = [card for card in cards() if card.name == "3-imagenet"]
    said = text(page())
    assert card.verdict != "not run" or f"**Planned.** {PLANS['paper-3-imagenet'].about}" in said


def test_the_study_of_what_was_not_run_can_be_taken_away():
    at = page()
    of, make = at.session_state["download buttons"]["paper study paper-3-imagenet"]
    file = make(Screen())
    study = protocol.parse(json.loads(file.content))
    assert (of, file.name) == ("3-imagenet", "paper-3-imagenet.json") and study == PLANS["paper-3-imagenet"].study
    assert "assumed, not measured: 1,500 images a second" in text(at)


def test_runs_that_ship_packed_are_put_into_runs_and_linked(folder):
    at = page()
    [unpack] = [each for each in at.button if each.key == "unpack 2"]
    packed = [shipped.load(f"paper-2-{name}") for name in ("tune", "best", "small", "control")]
    count = len({run.cell.key for each in packed for run in each.runs})
    assert unpack.label == f"Put its {count} runs into Runs"
    click(at, "unpack 2")
    assert len(list(runs.scan(folder))) == count
    assert not [each for each in at.button if each.key in ("unpack 2", "unpack A.1")], "A.1 stands on the same runs"
    opened = app_at("runs")
    opened.query_params["where"] = f"name~{','.join(each.study.name for each in packed)}"
    ran(opened.run())
    assert len(component(opened, "table")["rows"]) == count and not opened.error


def test_a_run_that_is_only_called_so_hides_no_button(folder):
    runs.create({"epochs": 1}, name="paper-2-best momentum seed 3")
    [unpack] = [each for each in page().button if each.key == "unpack 2"]
    assert unpack.label.startswith("Put its ")


def test_studies_of_odd_names_are_named_as_they_are_and_a_folder_that_is_none_is_no_error(folder):
    name = "paper-2-best-$x$ :red[hi]"
    (folder / "studies" / name).mkdir(parents=True)
    at = page()
    [label] = {each.label for each in at.get("page_link") if each.label.startswith("Study ")}
    assert label != f"Study {name}" and label.replace("\\", "") == f"Study {name}"
    (folder / "studies" / name).rmdir()
    (folder / "studies").rmdir()
    (folder / "studies").write_text("no folder")
    assert not page().exception


def test_what_ships_and_cannot_be_read_is_said(monkeypatch):
    def damaged(name: str) -> Card:
        raise DamagedFile(f"{name} is not what was packed")

    monkeypatch.setattr("fop_core.reproduction.cards._of_what_ships", damaged)
    at = page()
    assert [each.value.replace("\\", "") for each in at.error] == [
        "What ships of the runs cannot be read: 1 is not what was packed"
    ]
