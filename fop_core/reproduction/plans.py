"""The studies that rerun the paper's figures, each whole and quick, and what they cost.

A plan's study has the plan's name, so ``studies/<name>`` in the runs folder is it; ``quick`` is the same study of a few
minutes, called ``<name>-quick``, which shows that all of it runs and measures nothing that counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fop_core.studies import protocol
from fop_core.studies.cells import count
from fop_core.studies.protocol import Study, parse_axis

RANKS: Mapping[str, int] = {"k1": 1, "k4": 4, "k16": 16, "k64": 64, "k100": 100, "full": 784}
"""Of Figure 2, by the names that variants have: full rank of the first layer, whose inputs are 784 pixels."""
SMALL_RANKS = ("k1", "k4", "k16", "k100", "full")
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
BEST_RATE, SMALL_RATE = 0.1, 1e-3
"""Of SGD on MNIST: the best one on held-out images, as ``paper-2-tune`` found, and one that is too small."""
STDS = (0.01, 0.3)


@dataclass(frozen=True)
class Plan:
    """A study of the paper.

    Attributes:
        study: it.
        quick: the same with few images, epochs and seeds.
        about: what it asks, in one sentence.
        seconds: that a run takes on one core, on average.
        measured_on: what that comes from; a prediction says so.
        gpu: whether the time is a GPU's.
    """

    study: Study
    quick: Study
    about: str
    seconds: float
    measured_on: str
    gpu: bool = False

    @property
    def name(self) -> str:
        """Of the study, and of its folder."""
        return self.study.name

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return sum(count(self.study))

    @property
    def hours(self) -> float:
        """Of one core, or of a GPU, that all of it takes."""
        return self.runs * self.seconds / 3600


def _study(name: str, **content: Any) -> Study:
    return protocol.parse({"name": name, **content})


def _quick(study: Study, base: Mapping[str, Any], seeds: int = 1, **changes: Any) -> Study:
    """Return a study with other settings for all, and its first seeds."""
    content = study.to_json()
    content |= {"name": f"{study.name}-quick", "base": {**study.base, **base}, **changes}
    content["seeds"] = study.seeds[:seeds]
    content["fresh_seeds"] = (study.fresh_seeds or ())[:seeds]
    return protocol.parse(content)


FEW: Mapping[str, Any] = {"epochs": 2, "data.limit": 2000, "snapshots": 4, "log_every": 10}
"""What makes a run of MNIST quick: seconds each."""


def _figure_2() -> list[Plan]:
    tune = _study(
        "paper-2-tune",
        methods=["momentum"],
        axes=[parse_axis(f"optimizer.lr={','.join(map(str, RATES))}").model_dump()],
        seeds=[0, 1, 2],
        fresh_seeds=[],
    )
    of_rank = {name: {"method": "fop", "settings": {"fop.rank": k}} for name, k in RANKS.items()}
    best = _study(
        "paper-2-best",
        methods=["momentum", *of_rank],
        variants=of_rank,
        base={"optimizer.lr": BEST_RATE},
        seeds=[3, 4, 5, 6, 7],
        analysis={"baseline": "momentum"},
    )
    of_std = {}
    for std in STDS:
        for name in SMALL_RANKS:
            drawn = {"fop.rank": RANKS[name], "fop.init_std": std}
            of_std[small(name, std, learned=True)] = {"method": "fop", "settings": drawn}
            fixed = {**drawn, "fop.hyper_lr": 0.0}
            of_std[small(name, std, learned=False)] = {"method": "fop", "settings": fixed}
    too_small = _study(
        "paper-2-small",
        methods=["momentum", *of_std],
        variants=of_std,
        base={"optimizer.lr": SMALL_RATE},
        seeds=[3, 4, 5, 6, 7],
        analysis={"baseline": "momentum"},
    )
    few_ranks = ["momentum", "k1", "full"]
    few_stds = ["momentum", *(small("full", 0.3, learned=learned) for learned in (True, False))]
    return [
        Plan(
            tune,
            _quick(tune, FEW, axes=[parse_axis("optimizer.lr=0.02,0.1").model_dump()]),
            "Which rate is best for SGD with momentum on MNIST, on held-out images?",
            16.0,
            "21 runs that ship",
        ),
        Plan(
            best,
            _quick(best, FEW, 2, methods=few_ranks, variants={name: of_rank[name] for name in few_ranks[1:]}),
            "At that rate: is FOP of any rank faster than SGD, and does it end better?",
            41.0,
            "35 runs that ship",
        ),
        Plan(
            too_small,
            _quick(too_small, FEW, 2, methods=few_stds, variants={name: of_std[name] for name in few_stds[1:]}),
            "At a rate too small for SGD: what of FOP's gain is learned, and what is there before anything is?",
            37.0,
            "105 runs that ship",
        ),
    ]


def small(name: str, std: float, *, learned: bool) -> str:
    """Return what a variant of ``paper-2-small`` is called.

    Args:
        name: of ``RANKS``.
        std: σ, of the entries of M at first.
        learned: whether M is learned, or stays as it was drawn.
    """
    return f"{name}-std{std:g}" + ("" if learned else "-fixed")


def _plans() -> dict[str, Plan]:
    return {plan.name: plan for plan in [*_figure_2()]}


PLANS: Mapping[str, Plan] = _plans()
"""By name, in the paper's order."""
