"""The studies that rerun the paper's figures, each whole and quick, and what they cost.

A plan's study has the plan's name, so ``studies/<name>`` in the runs folder is it; ``quick`` is the same study of a few
minutes, called ``<name>-quick``, which shows that all of it runs and measures nothing that counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fop_core.runs import plugins
from fop_core.runs.plugins import Source
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
STEP_LENGTH = Path(__file__).parent / "controls" / "step_length.py"
"""The optimizer of Figure 2's control: SGD with steps as long as P makes them."""
OF_STEP_LENGTH: Mapping[str, Any] = {
    "run": "",
    "rank": 16,
    "init_std": 0.3,
    "rule": "start",
    "lr": SMALL_RATE,
    "momentum": 0.9,
    "weight_decay": 0.0,
}
"""All of its settings, whose defaults are known to the file alone."""


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
        files: files of one's own that the study takes, by part; none for most.
    """

    study: Study
    quick: Study
    about: str
    seconds: float
    measured_on: str
    gpu: bool = False
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def sources(self) -> dict[str, Source]:
        """The files that the study takes, as they are read.

        Raises:
            PluginError: where one cannot be read.
        """
        return {part: plugins.read(path) for part, path in self.files.items()}

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
            of_fop = {"fop.rank": RANKS[name], "fop.init_std": std}
            of_std[small(name, std, learned=True)] = {"method": "fop", "settings": of_fop}
            fixed = {**of_fop, "fop.hyper_lr": 0.0}
            of_std[small(name, std, learned=False)] = {"method": "fop", "settings": fixed}
    too_small = _study(
        "paper-2-small",
        methods=["momentum", *of_std],
        variants=of_std,
        base={"optimizer.lr": SMALL_RATE},
        seeds=[3, 4, 5, 6, 7],
        analysis={"baseline": "momentum"},
    )
    of_length = {}
    for std in STDS:
        for rule in ("start", "length"):
            for name in SMALL_RANKS:
                drawn: dict[str, Any] = {"rule": rule, "rank": RANKS[name], "init_std": std}
                settings = {f"optimizer.settings.{key}": value for key, value in drawn.items()}
                of_length[as_long(rule, name, std)] = {"method": "plugin", "settings": settings}
    source = plugins.read(STEP_LENGTH)
    control = _study(
        "paper-2-control",
        methods=["momentum", *of_length],
        variants=of_length,
        base={"optimizer.lr": SMALL_RATE},
        seeds=[3, 4, 5, 6, 7],
        analysis={"baseline": "momentum"},
        plugins={"optimizer": {"file": source.file, "sha256": source.digest, "settings": OF_STEP_LENGTH}},
    )
    few_lengths = ["momentum", *(as_long(rule, "full", 0.3) for rule in ("start", "length"))]
    few_ranks = ["momentum", "k1", "full"]
    few_stds = ["momentum", *(small("full", 0.3, learned=learned) for learned in (True, False))]
    return [
        Plan(
            tune,
            _quick(tune, FEW, axes=[parse_axis("optimizer.lr=0.02,0.1").model_dump()]),
            "Which rate is best for SGD with momentum on MNIST, on held-out images?",
            16.7,
            "21 runs that ship",
        ),
        Plan(
            best,
            _quick(best, FEW, 2, methods=few_ranks, variants={name: of_rank[name] for name in few_ranks[1:]}),
            "At that rate: is FOP of any rank faster than SGD, and does it end better?",
            38.6,
            "35 runs that ship",
        ),
        Plan(
            too_small,
            _quick(too_small, FEW, 2, methods=few_stds, variants={name: of_std[name] for name in few_stds[1:]}),
            "At a rate too small for SGD: what of FOP's gain is learned, and what is there before anything is?",
            35.0,
            "105 runs that ship",
        ),
        Plan(
            control,
            _quick(control, FEW, 2, methods=few_lengths, variants={name: of_length[name] for name in few_lengths[1:]}),
            "At that rate: is SGD as good, where its steps are as long as P would make them?",
            11.8,
            "105 runs that ship",
            files={"optimizer": STEP_LENGTH},
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


def as_long(rule: str, name: str, std: float) -> str:
    """Return what a variant of ``paper-2-control`` is called.

    Args:
        rule: of ``controls.step_length``.
        name: of ``RANKS``, the rank of the P that is drawn.
        std: σ of its M.
    """
    return f"{rule}-{name}-std{std:g}"


FIGURE_3 = (
    "momentum",
    "adamw",
    "muon",
    "s-hd",
    "pp-hd",
    "fop-norm",
    "fop",
    "fop-exponential",
    "fop-osgm",
    "mean-removing",
)
TINY: Mapping[str, Any] = {"epochs": 2, "data.limit": 500, "model.width": 0.125, "snapshots": 4, "log_every": 4}
"""What makes a run of CIFAR-10 quick: seconds each."""


CIFAR_COST = "from six runs of the gallery, 24 to 37 minutes each"


def _figure_3() -> list[Plan]:
    cifar = _study(
        "paper-3-cifar10",
        preset="cifar10-allcnn-small",
        methods=FIGURE_3,
        base={"threads": 1},
        seeds=[0, 1, 2],
        analysis={"baseline": "momentum"},
    )
    control = _study(
        "paper-3-control",
        preset="cifar10-allcnn-small",
        methods=["rate", "final"],
        variants={
            "rate": {"method": "s-hd", "settings": {"fop.hyper_lr": 0.0}},
            "final": {"method": "fop", "settings": {"fop.hyper_lr": 0.0}},
        },
        base={"threads": 1},
        seeds=[0, 1, 2],
    )
    imagenet = _study(
        "paper-3-imagenet",
        preset="imagenet-resnet18",
        methods=["momentum", "s-hd", "pp-hd", "fop-norm", "fop"],
        base={"device": "cuda", "data.workers": 8},
        seeds=[0, 1, 2],
        analysis={"baseline": "momentum"},
    )
    fixed = _study(
        "paper-3-imagenet-fixed",
        preset="imagenet-resnet18",
        methods=["mean-removing"],
        base={"device": "cuda", "data.workers": 8},
        seeds=[0, 1, 2],
    )
    few = {"epochs": 1, "data.limit": 256, "batch_size": 32, "snapshots": 2, "log_every": 2, "device": "auto"}
    return [
        Plan(
            cifar,
            _quick(cifar, TINY, methods=["momentum", "fop", "fop-norm", "mean-removing"]),
            "Which method is faster on CIFAR-10, and which ends better?",
            1830.0,
            CIFAR_COST,
        ),
        Plan(
            control,
            _quick(control, TINY),
            "How much of FOP on CIFAR-10 is a rate that follows tr P, and how much its final P from step 0?",
            1830.0,
            CIFAR_COST,
        ),
        Plan(
            imagenet,
            _quick(imagenet, few, methods=["momentum", "fop"]),
            "The same on ImageNet.",
            IMAGES * 60 / THROUGHPUT,
            OF_THROUGHPUT,
            gpu=True,
        ),
        Plan(
            fixed,
            _quick(fixed, few),
            "Figure 3's control on ImageNet: a fixed P that takes the mean over a kernel out of the gradient.",
            IMAGES * 60 / THROUGHPUT,
            OF_THROUGHPUT,
            gpu=True,
        ),
    ]


IMAGES = 1_281_167
"""Training images of ImageNet."""
THROUGHPUT = 1500
"""Images a second of a ResNet-18 at 299 pixels on one GPU, assumed: nobody has measured it here."""
OF_FOP = 1.9
"""Milliseconds that FOP adds to a step of All-CNN on an H200, by ``benchmarks.step_overhead``: docs/benchmarks.md."""
OF_THROUGHPUT = (
    f"assumed, not measured: {THROUGHPUT:,} images a second on one H100-class GPU, with FOP and without. "
    f"Measured: FOP adds {OF_FOP} ms to a step of All-CNN on an H200"
)
SMALL_NET: Mapping[str, Any] = {
    "model.width": 0.125,
    "data.limit": 20_000,
    "data.augmentation": "flip",
    "epochs": 10,
    "schedule.milestones": [6],
    "snapshots": 10,
    "threads": 1,
}
"""The net of ``benchmarks.small_net``: an eighth of All-CNN's width on 20,000 images of CIFAR-10."""
NET_COST = "from benchmarks.small_net: 24 s a run of SGD, 29 s of FOP"
GRID = {"optimizer.lr": "0.01,0.05,0.2,0.5", "optimizer.momentum": "0,0.5,0.9,0.99"}


def _small_net(name: str, **content: Any) -> Study:
    return _study(name, preset="cifar10-allcnn-small", base=SMALL_NET, **content)


def _axes(**of: str) -> list[dict[str, Any]]:
    return [parse_axis(f"{name.replace('__', '.')}={values}").model_dump() for name, values in of.items()]


def _figure_4() -> list[Plan]:
    grid = _small_net(
        "paper-4a",
        methods=["momentum", "fop"],
        axes=[parse_axis(f"{name}={values}").model_dump() for name, values in GRID.items()],
        seeds=[0, 1],
        fresh_seeds=[],
    )
    around = {"optimizer.name": "adam"}
    both = {
        "before": {"method": "fop", "settings": around},
        "after": {"method": "fop-after", "settings": around},
    }
    adam = _small_net(
        "paper-4b",
        methods=["adam", *both],
        variants=both,
        axes=_axes(optimizer__lr="0.0003,0.001,0.003,0.01"),
        seeds=[0, 1],
        fresh_seeds=[2, 3],
        analysis={"baseline": "adam"},
    )
    return [
        Plan(
            grid,
            _quick(grid, TINY, axes=_axes(optimizer__lr="0.05,0.5", optimizer__momentum="0.5,0.9")),
            "At which rates and momenta does FOP help SGD?",
            273.0,
            "64 runs that ship, made while the machine did much else: 80 s beside one other run",
        ),
        Plan(
            adam,
            _quick(adam, TINY, axes=_axes(optimizer__lr="0.001,0.01")),
            "Does FOP help Adam at its best rate, with P before its moments or after them?",
            281.0,
            "30 runs that ship, made while the machine did much else: 81 s beside one other run",
        ),
    ]


CHARACTERS = Path(__file__).resolve().parents[2] / "examples" / "plugins" / "characters.py"


def _lacking() -> list[Plan]:
    """Return what the paper has no figure of: the rate of M, the hypergradient's trace, and text."""
    rho = _small_net(
        "paper-rho",
        methods=["momentum", "fop"],
        axes=_axes(fop__hyper_lr="0,0.00001,0.0001,0.0005,0.002,0.01"),
        seeds=[0, 1, 2],
        analysis={"baseline": "momentum"},
    )
    one_step = {"one-step": {"method": "fop", "settings": {"fop.trace": "one_step"}}}
    trace = _small_net(
        "paper-trace",
        methods=["momentum", "fop", *one_step],
        variants=one_step,
        seeds=[0, 1, 2],
        analysis={"baseline": "momentum"},
    )
    return [
        Plan(
            rho,
            _quick(rho, TINY, axes=_axes(fop__hyper_lr="0,0.0005")),
            "How much does the rate of M matter?",
            27.0,
            NET_COST,
        ),
        Plan(
            trace,
            _quick(trace, TINY),
            "Is the one-step hypergradient of Eq. 4 worse than the velocity's?",
            394.0,
            "9 runs that ship, made while the machine did much else: 81 s beside one other run",
        ),
        *_text(),
    ]


def _text() -> list[Plan]:
    """Return the study of a small transformer; none where its file is not there, as in what pip installs."""
    if not CHARACTERS.is_file():
        return []
    source = plugins.read(CHARACTERS)
    settings = {"file": "", "sha256": "", "length": 64, "width": 64, "depth": 2}
    plugin = {"file": source.file, "sha256": source.digest, "settings": settings}
    around = {"fop-adam": {"method": "fop", "settings": {"optimizer.name": "adam"}}}
    text = _study(
        "paper-text",
        preset="mnist-mlp",
        methods=["momentum", "fop", "adam", *around],
        variants=around,
        base={"epochs": 10, "batch_size": 32, "threads": 1},
        axes=[
            parse_axis("momentum+fop:optimizer.lr=0.03,0.1,0.3").model_dump(),
            parse_axis("adam+fop-adam:optimizer.lr=0.001,0.003,0.01").model_dump(),
        ],
        seeds=[0, 1, 2],
        plugins={"data": plugin, "model": plugin},
    )
    few = {"epochs": 1, "snapshots": 2, "max_steps": 40}
    quick = _quick(
        text,
        few,
        axes=[
            parse_axis("momentum+fop:optimizer.lr=0.1").model_dump(),
            parse_axis("adam+fop-adam:optimizer.lr=0.003").model_dump(),
        ],
    )
    about = "Does FOP help a small transformer that writes text, around SGD and around Adam?"
    files = {"data": CHARACTERS, "model": CHARACTERS}
    return [Plan(text, quick, about, 120.0, "a guess: no run of it has been timed", files=files)]


def _plans() -> dict[str, Plan]:
    return {plan.name: plan for plan in [*_figure_2(), *_figure_3(), *_figure_4(), *_lacking()]}


PLANS: Mapping[str, Plan] = _plans()
"""By name, in the paper's order."""
