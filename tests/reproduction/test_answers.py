"""What docs/does-fop-help.md answers is what docs/paper.md says of the same runs."""

import re

import pytest
from scipy import stats

from fop_core.reproduction import answers, mnist, mnist_tables, plans
from fop_core.reproduction.cards import shipped_evidence
from fop_core.reproduction.measured import p_words, percent
from fop_core.studies.statistics import holm


@pytest.fixture(scope="module")
def evidence():
    return shipped_evidence()


def test_what_learning_adds_has_the_same_p_in_both_documents(evidence):
    small = evidence.study(mnist.SMALL)
    of = {
        learned: [
            list(percent(small.of(plans.small(name, 0.3, learned=learned))).values()) for name in plans.SMALL_RANKS
        ]
        for learned in (True, False)
    }
    p = holm([stats.ttest_ind(*pair, equal_var=False).pvalue for pair in zip(of[True], of[False])])[-1]
    assert p_words(p) == "p = 0.057"
    said = "\n".join(answers.step_length(evidence))
    assert f"Learned less never learned: +0.24 points (n = 5, {p_words(p)} by Holm's method over 5 ranks), not" in said
    head, rows = mnist_tables.small_rows(evidence)
    assert rows[-1][head.index("p, Welch")] == "0.011" and rows[-1][head.index("p, Holm")] == "0.057"


def test_the_best_of_four_rules_is_compared_as_one_of_four(evidence):
    helps, does_not = answers.where_it_helps(evidence), answers.where_it_does_not(evidence)
    assert not any("fop-osgm" in line for line in helps)
    [line] = [line for line in does_not if "fop-osgm" in line]
    assert "Welch's t, p = 0.13 by Holm's method over 4 rules)" in line
    rule = answers.which_rule(evidence)
    assert "p = 0.13 by Holm's method over 4 rules), not significant" in rule[0] and "highest mean" in rule[0]
    assert "| 0.033 | 0.13 |" in "\n".join(rule)


def test_at_least_so_many_times_is_rounded_down(evidence):
    small = evidence.study(mnist.SMALL)
    runs = small.of(plans.small("full", 0.3, learned=False))
    least = min(
        float(sum(run.metrics[f"length_ratio/{layer}"].values.mean() for run in runs) / len(runs))
        for layer in list(mnist.INPUTS)[1:]
    )
    [said] = re.findall(r"at least (\d+) times", "\n".join(answers.step_length(evidence)))
    assert int(said) == 12 and int(said) <= least


def test_the_claim_that_came_out_is_said_to_have_been_searched_for(evidence):
    assert "1 came out (Figure 1, whose settings were searched for until it did)" in answers.short(evidence)[-1]
