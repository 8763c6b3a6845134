"""The rules of a race as the pages offer them: those of the library and one of the reader's own, and what each asks."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from fop_core.figures.style import METHODS
from fop_core.optim.forms import FORMS
from fop_core.optim.rules import OF_A_POINT, RULES, Rule
from pages.shared.fields import Choice, Field, Flag, Group, Grouped, Number, Text
from toy_functions.own_rule import OwnRule, compiled
from toy_functions.tokenizer import MAX_LENGTH, ExpressionError

OWN_RULE = "own-rule"
OWN_TEXT = f"{OWN_RULE}.text"
EXAMPLE = "m = 0.9*m + g; x = x - lr*m"
"""The text that a reader's own rule begins with: momentum."""

KINDS: Mapping[str, type[Rule]] = MappingProxyType({**RULES, OWN_RULE: OwnRule})
"""By the name that addresses and ``figures.style.METHODS`` have."""

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
        "Derivative of exp(M)",
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
        "Scale at the start", 1e-6, 100, 0.01, "M, or Q, begins as the identity times this; exp(M) and I + M Mᵀ do not."
    ),
    "guard": Flag(
        "Guard", "A step is tried first, and undone where f does not fall. P learns from the trial all the same."
    ),
    "clip": Flag("Clip", "With the guard: where a step is undone, the gradient there counts as no longer than U."),
    "form": Choice("Form of P", {"full": "full", "diagonal": "diagonal", "scalar": "P = s I"}, "What P may be."),
    "mu": Number("Fitting rate μ", 0, 1, 0.01, "How fast Q is fitted to the curvature; P = Qᵀ Q."),
    "d0": Number("First distance d₀", 1e-12, 1e3, 1e-6, "The first guess of how far away the minimum is.", tiny=True),
    "text": Text(
        "Statements",
        MAX_LENGTH,
        "Statements, divided by ; and carried out in order, for x and for y alike. `x` is the coordinate, `g` its "
        "derivative of f, `t` the step from 1, `lr` the learning rate, `norm` the gradient's length, `f` the loss. "
        "Any other name that you set is kept for the next step, and is 0 at first.",
        placeholder=EXAMPLE,
    ),
}
"""Every setting of a rule by its field's name. ``factor``, M at the start, is the one that is not asked for."""


ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "sgd": "−ε g, and nothing else.",
        "polyak": "−ε (f − f*) g / ‖g‖², which needs f*.",
        "momentum": "along a velocity, which keeps a part of past gradients.",
        "nesterov": "Momentum that counts the new velocity once more.",
        "rmsprop": "g over the root of the mean of its squares.",
        "adam": "RMSProp of a mean of gradients, both means corrected for their start at 0.",
        "adamw": "Adam, and each step pulls x and y towards 0.",
        "lion": "the sign of a mean of gradients alone.",
        "prodigy": "Adam that learns its rate from how far the minimum must be.",
        "newton": "−H⁻¹ g, to a minimum or a saddle.",
        "bfgs": "H⁻¹ learned from differences of gradients, with a line search.",
        "psgd-newton": "P = Qᵀ Q, fitted to what H makes of random vectors.",
        "s-hd": "one factor for the rate, learned by its hypergradient.",
        "pp-hd": "a factor for each coordinate, learned likewise.",
        "osgm-h": "P learned from trial steps; one that raises f is undone.",
        "osgm-best": "OSGM-H with a momentum that is learned as well.",
        "fop-one-step": "P learned from the last gradient alone, Eq. 4 of the paper.",
        "fop-exponential": "FOP with P = exp(M), M symmetric from 0.",
        "fop-osgm": "FOP from trial steps, by AdaGrad: it converges at almost any rate.",
        "fop": "P learned from all gradients that the velocity holds.",
        OWN_RULE: "statements that you write.",
    }
)
"""Each of ``KINDS`` in a line."""

FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Gradient descent": ("sgd", "polyak", "momentum", "nesterov"),
        "Adaptive": ("rmsprop", "adam", "adamw", "lion", "prodigy"),
        "Second order": ("newton", "bfgs", "psgd-newton"),
        "Hypergradient": ("s-hd", "pp-hd", "osgm-h", "osgm-best"),
        "FOP": ("fop-one-step", "fop-exponential", "fop-osgm", "fop"),
        "Your own": (OWN_RULE,),
    }
)
"""``KINDS`` by what they have in common."""

RULE_CHOICE = Grouped(
    "Optimizers",
    {name: METHODS[name].name for name in KINDS},
    groups=tuple(
        Group(family, names, "\n".join(f"- **{METHODS[name].name}**: {ABOUT[name]}" for name in names))
        for family, names in FAMILIES.items()
    ),
)


def of_rule(name: str) -> list[str]:
    """Return which of ``OF_A_RULE`` a rule has."""
    return [each.name for each in dataclasses.fields(KINDS[name]) if each.init and each.name != "factor"]


def mistake(text: str) -> ExpressionError | None:
    """Return what is wrong with the text of a reader's own rule, and where; None where it is one."""
    try:
        compiled(text)
    except ExpressionError as error:
        return error
    return None
