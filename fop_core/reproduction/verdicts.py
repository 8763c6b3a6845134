"""What a card of the paper holds: a claim, its parts with their numbers, a control; and the rule of the verdict.

The rule. A claim has parts, each of which is a comparison of measured numbers that comes out or does not:

- with two seeds or more it comes out where the difference has the published sign and p < 0.05 (the test is named, and
  many comparisons of one part are corrected by Holm's method);
- a claim on many settings (Figure 4a) where the settings are the sample: better in more of them than worse by a sign
  test, halves of them apart by a rank sum test, p < 0.05, by Holm's method where both are judged;
- a run that diverged is worse than every other, and is compared by its rank; of "every" and "all" nothing comes of it
  while one of those meant has not been run;
- a claim that something is "no longer better" comes out where the test does not find it better, beside others that it
  does: it is no evidence that two are equal;
- with one seed, or none, where the numbers have the published order; the part then says that there is no test.

A claim all of whose parts come out is "reproduced"; one of which some do, "in part"; one of which none does, "not".
One of which no part has been measured is "not run", and one of which some have not is at most "in part".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["reproduced", "in part", "not", "not run"]

ALPHA = 0.05
"""The p value below which a difference counts."""


@dataclass(frozen=True)
class Part:
    """A part of a claim.

    Attributes:
        says: what is claimed, and under which settings, in one sentence.
        published: the paper's number; "" where it gives none.
        measured: ours, with spread, n, test and p; "" where nothing was measured.
        holds: whether it comes out, by the rule above; None where nothing was measured.

    Example:
        >>> from fop_core.reproduction.verdicts import Part
        >>> Part("Full rank ends above SGD.", "+0.6 points, p < 1e-4", "−0.03 points, p = 0.83", False).holds
        False
    """

    says: str
    published: str = ""
    measured: str = ""
    holds: bool | None = None


@dataclass(frozen=True)
class Control:
    """What the paper did not try, and what it shows.

    Attributes:
        what: the control, in one sentence.
        shows: what comes of it, with numbers; "" where it was not run.
    """

    what: str
    shows: str = ""


@dataclass(frozen=True)
class Card:
    """A figure or a theorem of the paper, and what came of it here.

    Attributes:
        name: in addresses and on the command line: "2", "3-cifar10", "A.1", "theorem-2".
        title: "Figure 2: rank, on MNIST".
        claim: the paper's, in one line.
        parts: the claim's parts, published beside measured.
        controls: with what they show.
        differences: each difference of settings from the paper's, in one sentence.
        plans: names of the studies that rerun it, see ``plans.PLANS``; none of a theorem or a race.
        shipped: names of the packed studies that it was measured on, see ``shipped.load``.
        gallery: names of runs of the gallery that it was measured on.
        pictures: what draws it: keys of ``figures.FIGURES``.
        gpu_hours: of what was not run; None where it was, or runs on a CPU.

    Example:
        >>> from fop_core.reproduction.verdicts import Card, Part
        >>> card = Card("2", "Figure 2: rank, on MNIST", "Every rank is faster.", (Part("k = 16 is faster."),))
        >>> card.verdict, card.command
        ('not run', 'python -m fop_core paper --figure 2')
    """

    name: str
    title: str
    claim: str
    parts: tuple[Part, ...]
    controls: tuple[Control, ...] = ()
    differences: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    shipped: tuple[str, ...] = ()
    gallery: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    gpu_hours: float | None = None

    @property
    def verdict(self) -> Verdict:
        """By the rule of this module."""
        return verdict(self.parts)

    @property
    def command(self) -> str:
        """What prints it; with ``--rerun`` it submits the studies."""
        return f"python -m fop_core paper --figure {self.name}"


def verdict(parts: Sequence[Part]) -> Verdict:
    """Return what comes of a claim, by the rule of this module.

    Example:
        >>> from fop_core.reproduction.verdicts import Part, verdict
        >>> verdict([Part("one", holds=True), Part("other", holds=False)])
        'in part'
        >>> verdict([Part("one"), Part("other")])
        'not run'
    """
    holds = [part.holds for part in parts]
    if all(each is None for each in holds):
        return "not run"
    if all(holds):
        return "reproduced"
    return "in part" if any(holds) else "not"
