"""What docs/does-fop-help.md answers is what docs/paper.md says of the same runs."""

import importlib.util
import itertools
import re
import statistics
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fop_core.reproduction import answers, contrasts, mnist, mnist_tables, paragraphs, plans
from fop_core.reproduction.cards import shipped_evidence
from fop_core.reproduction.measured import p_words, percent
from fop_core.studies.statistics import holm

DOCS = Path(__file__).resolve().parents[2] / "docs"


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


def welch(rules: list[str], at: int) -> list[float]:
    """p of the small net's rules against SGD, by Holm's method, from the file of results."""
    of = contrasts.small_net()["methods"]
    accuracies = [[run["accuracy"][at] for run in of[name]["runs"]] for name in (*rules, "sgd")]
    return list(holm([stats.ttest_ind(each, accuracies[-1], equal_var=False).pvalue for each in accuracies[:-1]]))


def test_the_small_net_is_said_after_every_epoch_that_was_measured(evidence):
    p = welch(list(contrasts.RULES), 1)
    assert [p_words(each) for each in p] == ["p = 0.031", "p = 0.18", "p = 0.034", "p = 0.034"]
    net = contrasts.groups(evidence)[-1]
    assert list(net.at) == contrasts.small_net()["epochs"] == [1, 2, 4, 10]
    for at, of in enumerate(net.at.values()):
        assert [each.p for each in of.values()] == pytest.approx(welch(list(contrasts.RULES), at))
    assert "after epoch 2 `fop`, `fop-osgm` and `fop-after` (+3.43 to +12.93)" in answers.where_it_helps(evidence)[-1]
    does_not = answers.where_it_does_not(evidence)[-1]
    assert "after epoch 10 all 4 rules (−0.55 to +2.42)" in does_not and "epoch 2 `fop-exponential` (+3.23)" in does_not


def test_the_best_of_four_rules_is_compared_as_one_of_four(evidence):
    rule = answers.which_rule(evidence)
    assert "p = 0.13 by Holm's method over 4 rules), not significant" in rule[0] and "highest mean" in rule[0]
    assert "less `fop`" in rule[0] and "the paper's rule" not in rule[0]
    assert "| 0.033 | 0.13 |" in "\n".join(rule)


def test_every_comparison_is_where_it_helps_or_where_it_does_not_once(evidence):
    for group in contrasts.groups(evidence):
        for epoch, of in group.at.items():
            assert sorted(itertools.chain(*group.signs(epoch))) == sorted(of)
    rows = list(contrasts.table(evidence))
    assert len(rows) == 6 + 5 + 5 + 4 and all(len(row) == 2 + 4 for row in rows)
    helps = "\n".join(answers.where_it_helps(evidence))
    assert "+1.31 to +6.66" in helps, "all ranks at a rate too small"
    assert "CIFAR" not in helps and "n = 1" not in helps, "one seed is no evidence"


def test_a_comparison_that_is_significantly_below_is_said_so(evidence, monkeypatch):
    worse = {seed: value - 50 for seed, value in contrasts.of_net("fop", -1).items()}
    of_net = contrasts.of_net
    monkeypatch.setattr(contrasts, "of_net", lambda name, at: worse if (name, at) == ("fop", 3) else of_net(name, at))
    assert re.search(
        r"after epoch 10 `fop` \(−50\.55\) significantly below SGD", answers.where_it_does_not(evidence)[-1]
    )


def test_the_papers_own_hypergradient_is_named_and_measured(evidence):
    ours, theirs = (
        evidence.gallery.run(name).metrics["test_accuracy"].values for name in ("cifar10-fop-one-step", "cifar10-sgd")
    )
    first, last = (f"−{abs(100 * float(ours[at] - theirs[at])):.2f}" for at in (0, -1))
    assert (first, last) == ("−15.92", "−11.58")
    row = next(line for line in answers.one_seed(evidence) if "one-step" in line)
    assert row.startswith(f"| FOP, one-step (Eq. 4) | 1 | {first} |") and row.endswith(f"| {last} |")
    assert f"one-step hypergradient: {first} points (n = 1: no test)" in "\n".join(answers.short(evidence))


def test_what_a_learned_p_adds_from_close_to_the_identity_is_said(evidence):
    small = evidence.study(mnist.SMALL)
    of = {
        name: [100 * run.at_epoch("test_accuracy", 2) for run in small.of(name)]
        for name in ("momentum", *(plans.small(rank, 0.01, learned=True) for rank in plans.SMALL_RANKS))
    }
    theirs, *ours = of.values()
    p = holm([stats.ttest_ind(each, theirs, equal_var=False).pvalue for each in ours])[-1]
    less = statistics.mean(ours[-1]) - statistics.mean(theirs)
    assert (f"{less:.2f}", f"{p:.2g}") == ("29.70", "0.00038")
    assert "after two epochs: +29.70 points (n = 5, p = 0.00038)" in answers.short(evidence)[2]
    assert "+29.70 (p = 0.00038) after epoch 2" in "\n".join(paragraphs.figure_2(evidence))
    lengths = [run.metrics["length_ratio/1.weight"].values for run in small.of("full-std0.01")]
    mean, last = np.concatenate(lengths).mean(), np.mean([each[-1] for each in lengths])
    assert f"makes g {mean:.0f} times as long on average in layer 1 ({last:.0f} times at the end" in "\n".join(
        paragraphs.figure_2(evidence)
    )


def test_how_much_longer_steps_are_is_a_mean_with_its_range(evidence):
    runs = evidence.study(mnist.SMALL).of(plans.small("full", 0.3, learned=False))
    first, *others = (
        np.concatenate([run.metrics[f"length_ratio/{layer}"].values for run in runs]) for layer in mnist.INPUTS
    )
    means = [each.mean() for each in others]
    said = "\n".join(answers.step_length(evidence))
    assert f"{first.mean():.3g} times as long (single steps: {first.min():.3g} to {first.max():.3g})" in said
    assert f"{min(means):.3g} to {max(means):.3g} times as long (single steps: 9.2 to 18.6) in the others" in said


def test_where_steps_of_one_length_are_turned_the_test_says_whether_that_harms(evidence):
    small, control = evidence.study(mnist.SMALL), evidence.study(mnist.CONTROL)
    p = []
    for learned in (True, False):
        pairs = [
            [list(percent(packed.of(method)).values()) for packed, method in both]
            for both in (
                ((small, plans.small(name, 0.3, learned=learned)), (control, plans.as_long("length", name, 0.3)))
                for name in plans.SMALL_RANKS
            )
        ]
        assert all(statistics.mean(ours) < statistics.mean(theirs) for ours, theirs in pairs)
        p.append(holm([stats.ttest_ind(*pair, equal_var=False).pvalue for pair in pairs]))
    assert [sum(each < 0.05 for each in of) for of in p] == [3, 5]
    said = paragraphs.figure_2_length(evidence)
    assert "significantly above it at 0 ranks, below it at 3" in said[0] and "below they harm" in said[0]
    assert "above it at 0 ranks, below it at 5" in said[1]
    assert "significantly below it: k = 1 −1.04, k = 4 −1.44, k = 16 −1.50" in "\n".join(answers.step_length(evidence))


def test_both_documents_say_why_their_tests_differ():
    of = contrasts.small_net()["methods"]
    apart = [
        (name, at)
        for at in range(4)
        for name, p in zip(contrasts.RULES, welch(list(contrasts.RULES), at))
        if (of[name]["difference"][at]["low"] > 0) != (p < 0.05)
    ]
    assert apart == [("osgm", 0)]
    assert "`fop-osgm` after one epoch is above SGD there" in (DOCS / "does-fop-help.md").read_text()
    assert "`osgm` after epoch 1 is apart from SGD by its interval alone" in (DOCS / "benchmarks.md").read_text()


def test_the_claim_that_came_out_is_said_to_have_been_searched_for(evidence):
    assert "1 came out (Figure 1, whose settings were searched for until it did)" in answers.short(evidence)[-1]


def test_the_answer_that_opens_the_page_is_in_short_sentences(evidence):
    spec = importlib.util.spec_from_file_location("texts", DOCS.parent / "scripts/texts.py")
    texts = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(texts)
    sentences = [each for line in answers.short(evidence) for each in texts.sentences(line.removeprefix("- "))]
    assert not [each for each in sentences if len(each.split()) > texts.MOST]


def test_what_does_not_ship_and_what_is_assumed_is_said(evidence):
    text = (DOCS / "does-fop-help.md").read_text()
    assert "its runs do not ship" in text and "from runs that ship" in text.partition("Those of the small net")[0]
    [imagenet] = [line for line in answers.not_run(evidence) if "ImageNet" in line]
    assert "GPU hours (assumed, not measured" in imagenet
