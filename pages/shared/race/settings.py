"""The table of a race's settings, and the way from their values to the race."""

from collections.abc import Mapping
from typing import Any

from fop_core.figures.style import METHODS
from pages.shared.fields import Choice, Field, Flag, Number, Several, Switch, Text
from pages.shared.race.remembered import OWN, Spec, SurfaceSpec
from pages.shared.race.rules import EXAMPLE, KINDS, OF_A_RULE, OWN_RULE, OWN_TEXT, RULE_CHOICE, mistake, of_rule
from toy_functions.expressions import FUNCTION_NAMES, MAX_LENGTH
from toy_functions.own_rule import OwnRule
from toy_functions.scenes import ANGLE, CONDITION, SCENES, Scene
from toy_functions.surfaces import SURFACES

PRESETS = Choice(
    "Preset",
    {name: scene.title for name, scene in SCENES.items()},
    "Sets everything below. Change what you like afterwards: the address of this page holds all of it.",
)

OF_THE_RACE: Mapping[str, Field] = {
    "surface": Choice(
        "Surface",
        {name: surface.name for name, surface in SURFACES.items()}
        | {"quadratic": "Quadratic", OWN: "Your own f(x, y)"},
    ),
    "f": Text(
        "f(x, y) =",
        MAX_LENGTH,
        f"Made of numbers, x, y, pi, e, + - * / ^, brackets, and {', '.join(FUNCTION_NAMES)}. "
        "2x, 3sin(x), (x+1)(y-2) and x² are read as written by hand; 1/2x is (1/2)x.",
        placeholder="x^2 + 10*y^2",
    ),
    "floor": Number(
        "Lowest value of f",
        -1e12,
        1e12,
        1,
        "A run has converged when f is above it by less than the tolerance. Left empty, it is that of the lowest "
        "minimum in and around the view.",
        empty="As found",
    ),
    "left": Number("View: x from", -1e6, 1e6, 1),
    "right": Number("x to", -1e6, 1e6, 1),
    "bottom": Number("y from", -1e6, 1e6, 1),
    "top": Number("y to", -1e6, 1e6, 1),
    "condition": Number("Condition number", 1, 1e6, 10, "How many times steeper the valley is across than along."),
    "angle": Number("Turned by (degrees)", -180, 180, 5, "From the x axis to the valley's floor, counterclockwise."),
    "x": Number("Start x", -1e6, 1e6, 0.5),
    "y": Number("Start y", -1e6, 1e6, 0.5),
    "rules": RULE_CHOICE,
    "tolerance": Number(
        "Tolerance",
        0,
        1e6,
        1e-6,
        "A run has converged when f − f* is below it, where f* is f at the lowest minimum.",
        tiny=True,
    ),
    "steps": Number("Step limit", 1, 100_000, 1000, "A run that has not converged by then ends.", whole=True),
    "dtype": Choice(
        "Arithmetic", {"float32": "float32", "float64": "float64"}, "Figure 1's counts come out in float32."
    ),
    "noise": Number(
        "Gradient noise σ",
        0,
        1e6,
        0.1,
        "Standard deviation of the Gaussian noise added to df/dx and df/dy at each step, the same for all optimizers.",
    ),
    "seed": Number("Seed of the noise", 0, 2**31 - 1, 1, whole=True),
    "seeds": Number(
        "Seeds",
        1,
        50,
        1,
        "With several seeds, this one and those after it, losses and steps are medians and quartiles.",
        whole=True,
    ),
    "rates": Choice(
        "Learning rates",
        {"own": "As set for each", "same": "The same for all", "best": "Each at its best"},
        "At its best: the rate with which it converges in the fewest steps from this start, of twenty a decade.",
    ),
    "rate": Number("Learning rate ε of all", 0, 10, 0.001, "How far a step goes for a gradient of size 1."),
    "schedule": Choice(
        "Schedule",
        {"constant": "Constant", "cosine": "Cosine to 0", "linear": "Line to 0", "step": "Steps to a hundredth"},
        "What every learning rate ε is multiplied by, from the warm-up to the step limit. Steps: a tenth from half of "
        "the way on, a hundredth from three quarters. OSGM-H and OSGM-Best have no ε, and none of this.",
    ),
    "warmup": Number(
        "Warm-up steps", 0, 100_000, 10, "Over so many first steps every ε rises from near 0 to itself.", whole=True
    ),
    "axis": Switch("Steps and time", {"log": "Logarithmic", "linear": "Linear"}),
    "view": Switch("View", {"2d": "2D", "3d": "3D"}, quiet=True),
    "height": Switch(
        "Height",
        {"log": "log f", "linear": "f"},
        "What the height of the surface shows. An f without a lowest value has no logarithm, and is drawn as it is.",
    ),
    "arrows": Flag(
        "Arrows",
        "At each head: dotted, against the gradient; dashed, against P g, where P is learned; solid, the step itself.",
    ),
    "loss": Switch("Loss", {"log": "log f", "linear": "f", "tolerance": "Steps to tolerance"}),
    "hidden": Several("Hidden runs", {name: METHODS[name].name for name in KINDS}),
}


VIEWS = ("axis", "view", "height", "arrows", "loss", "hidden")
"""Settings that only change how things are shown."""

FIELDS: Mapping[str, Field] = {
    **OF_THE_RACE,
    **{f"{rule}.{setting}": OF_A_RULE[setting] for rule in KINDS for setting in of_rule(rule)},
}
"""All settings of the page, by the names they have in its address."""


def values(scene: Scene) -> dict[str, Any]:
    """Return the value that a scene gives to each of ``FIELDS``."""
    race = scene.race
    names = [name for name, surface in SURFACES.items() if surface is race.surface]
    own = scene if scene.formula else SCENES["own"]
    left, right, bottom, top = own.race.surface.view
    rules = scene.rules() | {OWN_RULE: OwnRule(scene.rate(), EXAMPLE)}
    return {
        "surface": names[0] if names else OWN,
        "f": own.formula,
        "floor": None,
        "left": left,
        "right": right,
        "bottom": bottom,
        "top": top,
        "condition": CONDITION,
        "angle": ANGLE,
        "x": race.start[0],
        "y": race.start[1],
        "rules": scene.chosen(),
        "tolerance": race.tolerance,
        "steps": race.max_steps,
        "dtype": race.dtype,
        "noise": race.noise,
        "seed": race.seed,
        "seeds": 1,
        "rates": "own",
        "rate": scene.rate(),
        "schedule": race.schedule,
        "warmup": race.warmup,
        "axis": "log",
        "view": "2d",
        "height": "log",
        "arrows": False,
        "loss": "log",
        "hidden": [],
        **{f"{name}.{setting}": getattr(rules[name], setting) for name in KINDS for setting in of_rule(name)},
    }


def surface_spec(settings: Mapping[str, Any]) -> SurfaceSpec:
    """Return the surface that the settings ask for."""
    match settings["surface"]:
        case "quadratic":
            return ("quadratic", settings["condition"], settings["angle"])
        case name if name == OWN:
            view = tuple(settings[side] for side in ("left", "right", "bottom", "top"))
            return (OWN, settings["f"], settings["floor"], view)
        case name:
            return (name,)


def rule_value(settings: Mapping[str, Any], name: str, setting: str) -> Any:
    """Return the value of a rule's setting; M has no scale at the start where its form begins otherwise."""
    if setting == "init_scale" and settings.get(f"{name}.preconditioner") in ("exponential", "low_rank"):
        return 1.0
    return settings[f"{name}.{setting}"]


def racing(settings: Mapping[str, Any]) -> list[str]:
    """Return the chosen rules; one of the reader's own with a mistake in its text cannot race, and is left out."""
    return [name for name in settings["rules"] if name != OWN_RULE or mistake(settings[OWN_TEXT]) is None]


def spec(settings: Mapping[str, Any]) -> Spec:
    """Return the race that the settings ask for, each rule at its own rate or all at the same.

    A warm-up ends with the race at the latest.
    """

    def value(name: str, setting: str) -> Any:
        same = setting == KINDS[name].main_rate == "lr" and settings["rates"] == "same"
        return settings["rate"] if same else rule_value(settings, name, setting)

    return Spec(
        surface=surface_spec(settings),
        start=(settings["x"], settings["y"]),
        rules=tuple((name, tuple((each, value(name, each)) for each in of_rule(name))) for name in racing(settings)),
        tolerance=settings["tolerance"],
        max_steps=settings["steps"],
        dtype=settings["dtype"],
        noise=settings["noise"],
        seed=settings["seed"],
        schedule=settings["schedule"],
        warmup=min(settings["warmup"], settings["steps"]),
        seeds=settings["seeds"] if settings["noise"] else 1,
    )
