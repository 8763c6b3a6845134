"""The paper's cards: their rule, and what follows from the runs that ship."""

import dataclasses
import math
import statistics

import pytest
from scipy import stats

from fop_core.reproduction import cards, mnist, plans
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import above, comes_out, p_words, percent
from fop_core.reproduction.plans import PLANS
from fop_core.reproduction.shipped import Packed
from fop_core.reproduction.verdicts import Part, verdict
from fop_core.studies import cells


class Changed(Evidence):
    """What ships, with every accuracy of some methods of a study shifted by some points."""

    def __init__(self, study: str, methods: tuple[str, ...], points: float) -> None:
        super().__init__()
        self._of, self._methods, self._points = study, methods, points

    def study(self, name: str) -> Packed | None:
        packed = cards.shipped_evidence().study(name)  # read once
        if name != self._of or packed is None:
            return packed
        return dataclasses.replace(packed, runs=tuple(map(self._shifted, packed.runs)))

    def _shifted(self, run):
        if run.cell.method not in self._methods:
            return run
        series = run.metrics["test_accuracy"]
        shifted = series._replace(values=series.values + self._points / 100)
        return dataclasses.replace(run, metrics={**run.metrics, "test_accuracy": shifted})


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ([], "not run"),
        ([None, None], "not run"),
        ([True, True], "reproduced"),
        ([True, None], "in part"),
        ([True, False], "in part"),
        ([False, False], "not"),
        ([False, None], "not"),
    ],
)
def test_a_verdict_follows_from_its_parts(holds, expected):
    assert verdict([Part("a", holds=each) for each in holds]) == expected


def test_every_card_is_whole_and_its_plans_are_there():
    made = cards.cards()
    assert [card.name for card in made] == list(cards.CARDS)
    for card in made:
        assert card.claim and card.parts and card.differences and set(card.plans) <= set(PLANS)
        assert all(bool(part.measured) is (part.holds is not None) for part in card.parts)
        assert (card.gpu_hours is not None) == (card.name == "3-imagenet")
    assert {card.name: card.verdict for card in made} == {
        "1": "reproduced",
        "2": "in part",
        "3-cifar10": "in part",
        "3-imagenet": "not run",
        "4a": "not",
        "4b": "not",
        "5a": "in part",
        "5b": "in part",
        "5c": "in part",
        "A.1": "not",
        "theorem-1": "in part",
        "theorem-2": "in part",
    }


def test_the_difference_is_that_of_welchs_test_by_hand():
    best = Evidence().study("paper-2-best")
    ours, theirs = (
        [100 * run.metrics["test_accuracy"].values[-1] for run in best.of(method)] for method in ("full", "momentum")
    )
    result = stats.ttest_ind(ours, theirs, equal_var=False)
    difference = above(percent(best.of("full")), percent(best.of("momentum")))
    assert difference.mean == pytest.approx(statistics.mean(ours) - statistics.mean(theirs))
    assert difference.p == pytest.approx(result.pvalue) and not comes_out(difference)
    assert f"p = {result.pvalue:.2f}" in cards.card("2").parts[0].measured


def test_other_numbers_make_another_verdict():
    ranks = tuple(plans.RANKS)
    part = mnist.figure_2(Changed("paper-2-best", ("full",), 2.0)).parts[0]
    assert part.holds and part.measured.startswith("+1.97 points") and "p < 1e-4" in part.measured
    assert mnist.figure_2(Changed("paper-2-best", ranks, 2.0)).parts[1].holds
    assert not mnist.figure_2(Changed("paper-2-best", ranks[1:], 2.0)).parts[1].holds, "one rank is not ahead"
    worse = tuple(plans.small(name, 0.3, learned=True) for name in plans.SMALL_RANKS)
    assert mnist.figure_2(Changed("paper-2-small", worse, -10.0)).verdict == "in part", "the order of k is still there"
    assert not mnist.figure_2(Changed("paper-2-small", worse, -10.0)).parts[8].holds


def test_the_captions_claim_of_few_ranks_is_judged_with_that_of_the_others():
    ranks = tuple(plans.RANKS)

    def part(*methods: str) -> Part:
        return mnist.figure_2(Changed("paper-2-best", methods, 2.0)).parts[3]

    assert part(*ranks[1:]).holds and "above SGD 0 of 1 with k < 4, 5 of 5 of the others" in part(*ranks[1:]).measured
    assert not part(*ranks).holds, "k = 1 is above, too"
    assert not part(*ranks[2:]).holds, "k = 4 is not"
    assert not part().holds, "none is above: that k = 1 is not says nothing"


def test_every_setting_of_figure_2_is_judged_by_the_same_parts():
    says = [part.says.rpartition(": ") for part in cards.card("2").parts]
    assert len({at for at, _, _ in says}) == 3
    parts = [[what for at, _, what in says if at == setting] for setting in dict.fromkeys(at for at, _, _ in says)]
    assert parts[0] == parts[1] == parts[2] and len(parts[0]) == 4


def test_what_is_learned_from_close_to_the_identity_is_said_by_part_and_control():
    small = Evidence().study("paper-2-small")
    of = [
        [100 * run.at_epoch("test_accuracy", 2) for run in small.of(method)]
        for method in ("full-std0.01", "full-std0.01-fixed")
    ]
    card = cards.card("2")
    [control] = [each for each in card.controls if "σ = 0.01" in each.what]
    assert f"after epoch 2 +{statistics.mean(of[0]) - statistics.mean(of[1]):.2f} (p = 0.0004)" in control.shows
    [early] = [part for part in card.parts if "σ = 0.01: every rank is ahead" in part.says and "0.001" in part.says]
    assert "full +24.0 points; 1 of 5 ahead" in early.measured and early.holds is False


def test_the_best_rate_is_the_one_that_the_studies_use():
    assert mnist.best_rate(Evidence().study("paper-2-tune")) == plans.BEST_RATE


def test_without_runs_a_claim_is_not_run_and_its_plans_are_named(tmp_path):
    nothing = Evidence(runs=tmp_path)
    for card in (mnist.figure_2(nothing), mnist.figure_a1(nothing)):
        assert card.verdict == "not run" and card.plans and not card.shipped
        assert not any(part.measured for part in card.parts) and not any(each.shows for each in card.controls)


def test_p_values_are_written_with_what_they_tell():
    assert [p_words(p) for p in (0.856, 0.0123, 1e-5, math.nan)] == ["p = 0.86", "p = 0.012", "p < 1e-4", "no test"]


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_and_its_quick_form_are_studies_that_can_be_made(name):
    plan = PLANS[name]
    assert plan.name == name and plan.quick.name == f"{name}-quick" and plan.about.endswith((".", "?"))
    assert 0 < plan.hours < 300 and plan.measured_on
    whole, quick = cells.check(plan.study), cells.check(plan.quick)
    assert len(quick) < len(whole) and {cell.method for cell in quick} <= {cell.method for cell in whole}
    assert all(cell.config.epochs <= 2 for cell in quick)
