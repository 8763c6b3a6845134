"""The table of a race's settings, and the way from their values to the race."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from fop_core.figures.style import METHODS
from fop_core.optim.forms import FORMS
from fop_core.optim.rules import OF_A_POINT, RULES
from pages.shared.fields import Choice, Field, Flag, Number, Several, Switch, Text
from pages.shared.race import OWN, Spec, SurfaceSpec
from toy_functions.expressions import FUNCTION_NAMES, MAX_LENGTH
from toy_functions.scenes import ANGLE, CONDITION, SCENES, Scene
from toy_functions.surfaces import SURFACES

PRESETS = Choice(
    "Preset",
    {name: scene.title for name, scene in SCENES.items()},
    "Sets everything below. Change what you like afterwards: the address of this page holds all of it.",
)

OF_A_RULE: Mapping[str, Field] = {
    "lr": Number("Learning rate ε", 0, 10, 0.001, "How far a step goes for a gradient of size 1."),
    "momentum": Number("Momentum", 0, 0.9999, 0.05, "How much of the last velocity is kept at each step."),
    "dampening": Number("Dampening", 0, 1, 0.05, "The share of each new gradient that is kept out of the velocity."),
    "nesterov": Flag("Nesterov", "Steps along g + momentum · v in place of v."),
    "alpha": Number("Smoothing α", 0, 0.99999, 0.01, "How much of the mean of squared gradients is kept at each step."),
    "beta1": Number("β₁", 0, 0.9999, 0.01, "How much of the mean of gradients is kept at each step."),
    "beta2": Number("β₂", 0, 0.99999, 0.001, "How much of the mean of squared gradients is kept at each step."),
    "eps": Number(
        "Stabilizer", 1e-20, 1, 1e-8, "Added to the root of the mean squared gradient before dividing by it.", tiny=True
    ),
    "weight_decay": Number("Weight decay", 0, 10, 0.01, "Each step also pulls x and y towards 0, by ε times this."),
    "hyper_lr": Number(
        "Hypergradient rate ρ", 0, 10, 0.01, "How fast the preconditioner is learned; 0 leaves it as it began."
    ),
    "preconditioner": Choice(
        "Form of P",
        {name: form.label for name, form in FORMS.items() if name in OF_A_POINT},
        "P is the preconditioner: it multiplies the gradient before each step, and is learned as the race goes. "
        "M Mᵀ never turns a step against the gradient (Eq. 2 of the paper), M alone may (Eq. 1), I + M Mᵀ, with M of "
        "rank 1, can only lengthen steps. exp(M), M symmetric from 0, never turns one either, and closes no direction.",
    ),
    "trace": Choice(
        "Hypergradient",
        {"velocity": "of the velocity", "one_step": "of the last gradient"},
        "What each new gradient is compared with to learn P: all that the velocity holds, or the last gradient alone, "
        "as in the paper's Eq. 4. Without momentum the two are the same.",
    ),
    "derivative": Choice(
        "Derivative of exp(A)",
        {"exact": "exact", "root": "by the root of P"},
        "By the root: R S R / 2, R = P^½, which is cheaper.",
    ),
    "feedback": Choice(
        "Feedback",
        {"hypergradient": "hypergradient", "osgm": "by the squared step"},
        "What M descends: the hypergradient, or that divided by ‖U‖², where U is what the last step was made of.",
    ),
    "hyper_optimizer": Choice(
        "What learns M", {"sgd": "SGD", "adagrad": "AdaGrad"}, "The rule by which M descends its feedback."
    ),
    "init_scale": Number(
        "Scale at the start", 1e-6, 100, 0.01, "M, or Q, begins as the identity times this; exp(A) and I + M Mᵀ do not."
    ),
    "guard": Flag(
        "Guard", "A step is tried first, and undone where f does not fall. P learns from the trial all the same."
    ),
    "clip": Flag("Clip", "With the guard: where a step is undone, the gradient there counts as no longer than U."),
    "form": Choice("Form of P", {"full": "full", "diagonal": "diagonal", "scalar": "P = s I"}, "What P may be."),
    "mu": Number("Fitting rate μ", 0, 1, 0.01, "How fast Q is fitted to the curvature; P = Qᵀ Q."),
    "d0": Number("First distance d₀", 1e-12, 1e3, 1e-6, "The first guess of how far away the minimum is.", tiny=True),
}
"""Every setting of a rule by its field's name. ``factor``, M at the start, is the one that is not asked for."""

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
    "rules": Several("Optimizers", {name: METHODS[name].name for name in RULES}),
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
    "rates": Choice(
        "Learning rates",
        {"own": "As set for each", "same": "The same for all", "best": "Each at its best"},
        "At its best: the rate with which it converges in the fewest steps from this start, of twenty a decade.",
    ),
    "rate": Number("Learning rate ε of all", 0, 10, 0.001, "How far a step goes for a gradient of size 1."),
    "axis": Switch("Steps and time", {"log": "Logarithmic", "linear": "Linear"}),
    "view": Switch("View", {"2d": "2D", "3d": "3D"}),
    "arrows": Flag(
        "Arrows",
        "At each head: dotted, against the gradient; dashed, against P g, where P is learned; solid, the step itself.",
    ),
    "loss": Switch("Loss", {"log": "log f", "linear": "f", "tolerance": "Steps to tolerance"}),
}


VIEWS = ("axis", "view", "arrows", "loss")
"""Settings that only change how things are shown."""


def of_rule(name: str) -> list[str]:
    """Return which of ``OF_A_RULE`` a rule has."""
    return [each.name for each in dataclasses.fields(RULES[name]) if each.init and each.name != "factor"]


FIELDS: Mapping[str, Field] = {
    **OF_THE_RACE,
    **{f"{rule}.{setting}": OF_A_RULE[setting] for rule in RULES for setting in of_rule(rule)},
}
"""All settings of the page, by the names they have in its address."""


def values(scene: Scene) -> dict[str, Any]:
    """Return the value that a scene gives to each of ``FIELDS``."""
    race = scene.race
    names = [name for name, surface in SURFACES.items() if surface is race.surface]
    own = scene if scene.formula else SCENES["own"]
    left, right, bottom, top = own.race.surface.view
    rules = scene.rules()
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
        "rates": "own",
        "rate": scene.rate(),
        "axis": "log",
        "view": "2d",
        "arrows": False,
        "loss": "log",
        **{f"{name}.{setting}": getattr(rules[name], setting) for name in RULES for setting in of_rule(name)},
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


def spec(settings: Mapping[str, Any]) -> Spec:
    """Return the race that the settings ask for, each rule at its own rate or all at the same."""

    def value(name: str, setting: str) -> Any:
        same = setting == RULES[name].main_rate == "lr" and settings["rates"] == "same"
        return settings["rate"] if same else rule_value(settings, name, setting)

    return Spec(
        surface=surface_spec(settings),
        start=(settings["x"], settings["y"]),
        rules=tuple((name, tuple((each, value(name, each)) for each in of_rule(name))) for name in settings["rules"]),
        tolerance=settings["tolerance"],
        max_steps=settings["steps"],
        dtype=settings["dtype"],
        noise=settings["noise"],
        seed=settings["seed"],
    )
