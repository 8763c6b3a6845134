"""What the paper lacks: questions that it leaves open, each with a study, and what that study says.

A question has no published number. Its parts are comparisons by the rule of ``verdicts``: whether FOP is above.
"""

import functools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fop_core.formatting import NONE, duration, size
from fop_core.reproduction.cards import shipped_evidence
from fop_core.reproduction.cifar import JPEG
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import above, compared, corrected, percent, spread
from fop_core.reproduction.planned import SMALL_NET, at_best
from fop_core.reproduction.plans import PLANS
from fop_core.reproduction.shipped import Packed, PackedRun
from fop_core.reproduction.verdicts import Card, Part

RHO, TRACE, TEXT = "paper-rho", "paper-trace", "paper-text"
PROSE = Path(__file__).with_name("prose.txt")
"""What the transformer learns to write."""
CALLED = {
    "momentum": "SGD",
    "adam": "Adam",
    "fop": "FOP",
    "one-step": "FOP, one-step hypergradient",
    "fop-adam": "FOP around Adam",
}
"""What the studies' methods are called."""
FIELDS = {"fop.hyper_lr": "ρ", "optimizer.lr": "ε"}
HEAD = ("method", "held out, %", "test, %", "n", "time, memory")


@dataclass(frozen=True)
class Question(Card):
    """A card of a question that the paper leaves open.

    Attributes:
        rows: of its table, whose head is ``HEAD``: accuracy with spread, and what it costs; none until there are runs.
    """

    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def command(self) -> str:
        """What prints it; with ``--rerun`` it submits the study."""
        return f"python -m fop_core paper --study {self.plans[0]}"

    @property
    def outcome(self) -> str:
        """Whether it has been measured: "measured", "in part" or "not run"."""
        known = [part.holds is not None for part in self.parts]
        return "measured" if all(known) else "in part" if any(known) else "not run"


def rows(packed: Packed) -> tuple[tuple[str, ...], ...]:
    """Return the table of a study: each method at each of its settings, with what a run costs."""
    made = []
    for method in packed.study.methods:
        runs = packed.of(method)
        for point in {repr(run.cell.point): run.cell.point for run in runs}.values():
            here = packed.of(method, point)
            held_out = percent([run for run in here if run.cell.role == "tune"], column="held_out_accuracy")
            test = percent([run for run in here if run.cell.role == "report"])
            words = [f"{FIELDS.get(field, field)} {value:g}" for field, value in point.items()]
            counts = "+".join(str(len(of)) for of in (held_out, test) if of)
            cost = ", ".join([*_cost(here, "seconds", duration), *_cost(here, "peak_memory", size)])
            named = ", ".join([CALLED.get(method, method), *words])
            made.append((named, spread(held_out), spread(test), counts or "0", cost or NONE))
    return tuple(made)


def _cost(runs: Sequence[PackedRun], name: str, in_words: Callable[[float], str]) -> list[str]:
    """Return what a run costs, in the mean of those that know it; nothing where none does."""
    values = [run.costs[name] for run in runs if name in run.costs]
    return [in_words(statistics.mean(values))] if values else []


Pair = tuple[str, Sequence[PackedRun], Sequence[PackedRun], str]
"""What is said, ours and theirs, and the column that is compared."""


def _parts(pairs: Sequence[Pair]) -> tuple[Part, ...]:
    """Return a part for each comparison; several that can be made are corrected by Holm's method."""
    values = [[percent(runs, column=column) for runs in (ours, theirs)] for _, ours, theirs, column in pairs]
    known = [index for index, both in enumerate(values) if all(both)]
    tests = dict(zip(known, corrected([above(*values[index]) for index in known], "comparisons")))
    parts = []
    for index, (says, *_) in enumerate(pairs):
        if index not in tests:
            parts.append(Part(says))
            continue
        made = tests[index]
        ours, theirs = values[index]
        parts.append(Part(says, "", compared(ours, theirs, made if len(known) > 1 else None), made.comes_out))
    return tuple(parts)


def _question(
    evidence: Evidence,
    name: str,
    title: str,
    study: str,
    pairs: Callable[[Packed], Sequence[Pair]],
    differences: tuple[str, ...],
) -> Question:
    packed = evidence.study(study)
    empty = Packed(PLANS[study].study, ())
    return Question(
        name,
        title,
        PLANS[study].about,
        _parts(pairs(empty if packed is None else packed)),
        differences=differences,
        plans=(study,),
        shipped=(study,) if packed is not None else (),
        pictures=(study,),
        rows=() if packed is None else rows(packed),
    )


def rho(evidence: Evidence) -> Question:
    """Return how much the rate of M matters."""

    def pairs(packed: Packed) -> list[Pair]:
        tuned = at_best(packed, "fop", "tune")
        nothing = [run for run in packed.of("fop") if run.cell.role == "tune" and run.cell.point["fop.hyper_lr"] == 0]
        largest = max((float(run.cell.point["fop.hyper_lr"]) for run in packed.of("fop")), default=0.0)
        most = [
            run for run in packed.of("fop") if run.cell.role == "tune" and run.cell.point["fop.hyper_lr"] == largest
        ]
        best = at_best(packed, "fop", "report"), at_best(packed, "momentum", "report")
        return [
            ("At its best ρ, on the test set with other seeds: FOP ends above SGD.", *best, "test_accuracy"),
            ("On held-out images: the best ρ ends above ρ = 0.", tuned, nothing, "held_out_accuracy"),
            ("On held-out images: the best ρ ends above the largest.", tuned, most, "held_out_accuracy"),
        ]

    return _question(evidence, "rho", "ρ: the rate of M", RHO, pairs, (SMALL_NET, JPEG))


def trace(evidence: Evidence) -> Question:
    """Return whether the hypergradient of one step is worse than the velocity's."""

    def pairs(packed: Packed) -> list[Pair]:
        one_step, fop, sgd = (packed.of(method) for method in ("one-step", "fop", "momentum"))
        return [
            ("The velocity's hypergradient ends above that of one step.", fop, one_step, "test_accuracy"),
            ("FOP by the velocity's ends above SGD.", fop, sgd, "test_accuracy"),
            ("FOP by that of one step ends above SGD.", one_step, sgd, "test_accuracy"),
        ]

    return _question(evidence, "trace", "One step, or the velocity", TRACE, pairs, (SMALL_NET, JPEG))


def text(evidence: Evidence) -> Question:
    """Return whether FOP helps a small transformer."""

    def pairs(packed: Packed) -> list[Pair]:
        fop, sgd, fop_adam, adam = (at_best(packed, name, "report") for name in ("fop", "momentum", "fop-adam", "adam"))
        return [
            ("Each at its own best rate: FOP ends above SGD.", fop, sgd, "test_accuracy"),
            ("Each at its own best rate: FOP around Adam ends above Adam.", fop_adam, adam, "test_accuracy"),
        ]

    length = size(PROSE.stat().st_size)
    about = (f"{length} of this program's own documents, two layers of width 64, 10 epochs: a small model of text.",)
    return _question(evidence, "text", "A transformer on text", TEXT, pairs, about)


QUESTIONS: Mapping[str, Callable[[Evidence], Question]] = {
    name: make
    for name, (study, make) in {"rho": (RHO, rho), "trace": (TRACE, trace), "text": (TEXT, text)}.items()
    if study in PLANS  # what pip installs has no file of the transformer
}


@functools.cache
def _of_what_ships(name: str) -> Question:
    return QUESTIONS[name](shipped_evidence())


def questions(evidence: Evidence | None = None) -> tuple[Question, ...]:
    """Return all questions, from what ships unless there is other evidence.

    Raises:
        DamagedFile: where what ships is not what was packed.
    """
    return tuple(_of_what_ships(name) if evidence is None else make(evidence) for name, make in QUESTIONS.items())
