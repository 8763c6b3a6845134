"""Races worth seeing, each with the sentence that says what to see: where the Trajectories page begins.

In the first P turns onto the inverse Hessian, the next two are the paper's Figure 1. Every scene has settings for all
rules: those its race leaves out take the race's own learning rate, so that a rule added to a race runs at the same rate
as the others, unless they have a rate that is natural to them: 1 is Newton's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from fop_core.optim.rules import FOP, OSGMFOP, PPHD, RULES, SGD, SHD, Adam, Momentum, Newton, OneStepFOP, Rule
from toy_functions import expressions, presets
from toy_functions.racing import Race
from toy_functions.surfaces import BOOTH, ROSENBROCK, SURFACES

CONDITION, ANGLE = 100.0, 30.0
"""Of the quadratic in ``SURFACES``."""


@dataclass(frozen=True)
class Scene:
    """A race to begin with.

    Attributes:
        title: a few words.
        sentence: what there is to see.
        race: its rules by the name of their kind, as in ``RULES``' classes.
        formula: the text of the surface where it is a user's own.

    Example:
        >>> from toy_functions import race
        >>> from toy_functions.scenes import SCENES
        >>> scene = SCENES["turning"]
        >>> scene.title
        'P turns onto H⁻¹'
        >>> for name, path in race(scene.race).items():
        ...     print(name, path.steps)
        SGD 700
        Momentum 144
        Newton 1
        FOP OSGM 29
    """

    title: str
    sentence: str
    race: Race
    formula: str = ""

    def rules(self) -> dict[str, Rule]:
        """Return settings for all of ``RULES``, by its names.

        Example:
            >>> from toy_functions.scenes import SCENES
            >>> rules = SCENES["valley"].rules()
            >>> len(rules), rules["adam"], rules["newton"]
            (20, Adam(lr=0.01, beta1=0.9, beta2=0.999, eps=1e-08), Newton(lr=1.0))
        """
        rate = self.rate()
        by_kind = {type(rule): rule for rule in self.race.rules.values()}
        return {
            name: by_kind.get(kind) or (kind() if has_natural_rate(kind) else kind(lr=rate))  # type: ignore[call-arg]
            for name, kind in RULES.items()
        }

    def rate(self) -> float:
        """Return the learning rate of the race's first rule that has one.

        Example:
            >>> from toy_functions.scenes import SCENES
            >>> SCENES["paper-booth"].rate(), SCENES["noise"].rate()
            (0.005, 0.03)
        """
        return next(rule.lr for rule in self.race.rules.values() if hasattr(rule, "lr"))

    def chosen(self) -> list[str]:
        """Return which of ``RULES`` race, by its names.

        Example:
            >>> from toy_functions.scenes import SCENES
            >>> SCENES["valley"].chosen()
            ['sgd', 'momentum', 's-hd', 'pp-hd', 'fop']
        """
        kinds = {type(rule) for rule in self.race.rules.values()}
        return [name for name, kind in RULES.items() if kind in kinds]


def has_natural_rate(kind: type[Rule]) -> bool:
    """Return whether a rule's main rate has a default.

    Example:
        >>> from fop_core.optim.rules import SGD, Newton
        >>> from toy_functions.scenes import has_natural_rate
        >>> has_natural_rate(SGD), has_natural_rate(Newton)
        (False, True)
    """
    return hasattr(kind, kind.main_rate)


_OWN = "(x*y - 1)^2 + (x - y)^2/10"
_SADDLE = "x^4/4 - x^2/2 + y^2/2"

SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "turning": Scene(
            "P turns onto H⁻¹",
            "First-Order Preconditioning (FOP) learns, while it descends, the matrix P that turns and stretches each "
            "step. In this valley P turns onto the inverse Hessian H⁻¹, with which each step would be Newton's.",
            Race(
                SURFACES["quadratic"],
                (3.0, -2.0),
                {"SGD": SGD(0.01), "Momentum": Momentum(0.01), "Newton": Newton(), "FOP OSGM": OSGMFOP()},
            ),
        ),
        "paper-booth": Scene(
            "Figure 1: Booth",
            "The left half of the paper's Figure 1. From one start and at one learning rate, FOP learns a "
            "preconditioner on its way and arrives first.",
            presets.PAPER_BOOTH,
        ),
        "paper-himmelblau": Scene(
            "Figure 1: Himmelblau",
            "Four minima of equal depth. FOP and SGD end in the same one, Adam in another: the right half of the "
            "paper's Figure 1.",
            presets.PAPER_HIMMELBLAU,
        ),
        "valley": Scene(
            "Oblique valley",
            "A valley a hundred times steeper across than along, and turned by 30°. FOP's P can stretch steps along "
            "it; one number (S-HD), or one per coordinate (PP-HD), cannot.",
            Race(
                SURFACES["quadratic"],
                SURFACES["quadratic"].start,
                {
                    "SGD": SGD(0.01),
                    "Momentum": Momentum(0.01),
                    "S-HD": SHD(0.01, 0.1),
                    "PP-HD": PPHD(0.01, 0.1),
                    "FOP": FOP(0.01, 0.1),
                },
            ),
        ),
        "rosenbrock": Scene(
            "Rosenbrock's bend",
            "A narrow valley that turns: the P that FOP learns before the bend does not fit behind it. Around the same "
            "momentum, FOP needs more steps here than Momentum alone.",
            Race(
                ROSENBROCK,
                ROSENBROCK.start,
                {
                    "SGD": SGD(0.001),
                    "Momentum": Momentum(0.001),
                    "Adam": Adam(0.001),
                    "FOP": FOP(0.001, 0.001, momentum=0.9),
                },
            ),
        ),
        "noise": Scene(
            "Noisy gradients",
            "Near the minimum noise makes each step overshoot, so consecutive gradients oppose each other and "
            "hypergradients shrink P. FOP and S-HD settle closer to the minimum than SGD at the same rate. In the "
            "first steps P grows: with 15 of 100 seeds so far that FOP diverges.",
            Race(
                BOOTH,
                BOOTH.start,
                {"SGD": SGD(0.03), "S-HD": SHD(0.03, 0.003), "FOP": FOP(0.03, 0.003)},
                max_steps=2_000,
                noise=10.0,
            ),
        ),
        "runaway": Scene(
            "Momentum runs away",
            "Around momentum each gradient moves the next ten steps, of which the one-step hypergradient sees one: in "
            "noise P grows until the loss does. The hypergradient of the velocity shrinks P instead.",
            Race(
                BOOTH,
                BOOTH.start,
                {
                    "Momentum": Momentum(0.01),
                    "FOP one-step": OneStepFOP(0.01, 0.001, momentum=0.9),
                    "FOP": FOP(0.01, 0.001, momentum=0.9),
                },
                max_steps=3_000,
                noise=10.0,
            ),
        ),
        "saddle": Scene(
            "Saddle",
            "All slide to the saddle at (0, 0) first, where H has a negative eigenvalue and Newton's method stays. P "
            "knows of gradients only: it lengthens the steps on the way in, and others on the way out.",
            Race(
                replace(expressions.parse(_SADDLE, view=(-2.0, 2.0, -2.0, 2.0)), floor=-0.25),
                (0.001, 1.5),
                {
                    "SGD": SGD(0.05),
                    "Momentum": Momentum(0.05),
                    "Adam": Adam(0.05),
                    "S-HD": SHD(0.05, 0.5),
                    "FOP": FOP(0.05, 0.5),
                },
                max_steps=5_000,
            ),
            formula=_SADDLE,
        ),
        "own": Scene(
            "Your own f(x, y)",
            "Type a formula in the sidebar: it is differentiated exactly. This one has minima at (1, 1) and (−1, −1).",
            Race(
                expressions.parse(_OWN),
                (-2.0, 0.5),
                {"SGD": SGD(0.01), "Momentum": Momentum(0.01), "Adam": Adam(0.01), "FOP": FOP(0.01, 0.01)},
                max_steps=10_000,
            ),
            formula=_OWN,
        ),
    }
)
"""By the name they have in an address; the first is the one to begin with."""
