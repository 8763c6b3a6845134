"""What each card is compared with, and in what it differs from the paper."""

import pytest

from fop_core.reproduction import cifar, figures, planned, plans, shipped
from fop_core.reproduction.cards import CARDS, cards
from fop_core.reproduction.evidence import Evidence
from tests.reproduction.test_verdict_rules import Replaced, made

NO_CONTROL: dict[str, str] = {}
"""Cards for which none applies, and why."""


def accuracy(cell) -> float:
    return 0.6 + 0.001 * cell.seed + 0.05 * (cell.method in ("fop", "before", "after"))


@pytest.fixture(scope="module")
def all_run():
    """What ships, and runs of every study of which none does."""
    wanted = (planned.IMAGENET, planned.FIXED, planned.RATES, planned.ADAM, cifar.STUDY, cifar.CONTROL)
    ends = {name: (1.0, 60.0) for name in (planned.IMAGENET, planned.FIXED)}
    ends |= {name: tuple(map(float, cifar.EPOCHS)) for name in (cifar.STUDY, cifar.CONTROL)}
    made_ = {
        name: made(plans.PLANS[name].study, accuracy, epochs=ends.get(name, (1.0, 10.0)))
        for name in wanted
        if Evidence().study(name) is None
    }
    return Replaced(made_)


def test_every_card_has_a_control_or_says_why_none_applies(all_run):
    for card in cards():
        assert card.controls or NO_CONTROL.get(card.name), card.title
    for name in CARDS:
        card = CARDS[name](all_run)
        assert card.controls and card.verdict != "not run"
        shown = [control.shows for control in card.controls]
        assert all(shown) and not any("nan" in words or "inf " in words for words in shown), card.title


def test_figure_4_s_controls_say_who_is_better_at_its_best(all_run):
    [best] = planned.figure_4a(all_run).controls
    assert "FOP less SGD, each at its best of the grid: +0.22 points" in best.shows and "FOP ε 0.05" in best.shows
    [where] = planned.figure_4b(all_run).controls
    assert where.shows.startswith("After the moments less before them, each at its own best rate: −0.30 points")
    [fixed] = planned.figure_3_imagenet(all_run).controls
    assert "It less SGD after one epoch: +0.00 points" in fixed.shows and "FOP less SGD +5.00" in fixed.shows


def test_figure_3_s_controls_of_p_are_not_run_until_they_are_and_say_what_they_take(all_run):
    *_, rate, final = cifar.figure_3(Evidence()).controls
    if Evidence().study(cifar.CONTROL) is None:
        assert not rate.shows and not final.shows
        assert all(each.what.endswith("It takes 3 runs, 1.5 hours of one core.") for each in (rate, final))
    for control in cifar.figure_3(all_run).controls[-2:]:
        assert "In the end, it less SGD: +0.00 points" in control.shows
        assert "FOP less it: +5.00 points (65.10 ± 0.10 against 60.10 ± 0.10 %, n = 3; Welch's t" in control.shows
    assert [row[0] for row in cifar.rows(all_run)[1]][-2:] == ["control, rate", "control, final"]


def test_the_one_step_run_of_the_gallery_stands_beside_the_others():
    [control] = [each for each in CARDS["3-cifar10"](Evidence()).controls if "last step alone" in each.what]
    assert "After one epoch it is at 28.31 %; SGD 44.23" in control.shows and "68.32 %; SGD 79.90" in control.shows
    assert "cifar10-fop-one-step" in CARDS["3-cifar10"](Evidence()).gallery


@pytest.mark.parametrize("name", ["3-cifar10", "3-imagenet", "4a", "4b", "5a", "5b", "5c"])
def test_cards_say_that_the_hypergradient_is_not_the_paper_s(name):
    differences = CARDS[name](Evidence()).differences
    assert cifar.VELOCITY in differences and (cifar.JPEG in differences) is (name != "3-imagenet")


def test_figure_1_says_which_p_it_is_and_what_algorithm_1_would_give():
    said = CARDS["1"](Evidence()).differences[-1]
    assert "P is M itself (Eq. 1)" in said and "Booth 536, Himmelblau 291 steps" in said


def test_what_is_left_out_of_the_document_s_images_follows_from_what_ships(monkeypatch):
    assert all("--rerun trains them" in figures.left_out()[name] for name in figures.NEEDS if not _ships(name))
    monkeypatch.setattr(shipped, "names", lambda: ["paper-4a"])
    assert figures.left_out()["Figure 4a"] == "paper-4a ships: the Paper page draws it"
    assert "--study paper-4b --rerun" in figures.left_out()["Figure 4b"]


def _ships(figure: str) -> bool:
    return figures.NEEDS[figure] in shipped.names()
