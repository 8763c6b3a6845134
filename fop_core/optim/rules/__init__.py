"""Optimizers as pure update rules on the components x, y of a point.

A component is a float for one race (numpy on 2-vectors is ten times too slow to be live), or a numpy or torch array of
any shape for a batch of races. A rule is frozen and holds settings; what it remembers is the state it hands back:

    state = rule.start(x, y)
    x, y, state = rule.step(x, y, df_dx, df_dy, state)

A rule that ``uses_oracle`` needs more than the gradient where it stands: it tries points, or asks for f or the Hessian.

    x, y, state = rule.step(x, y, oracle, state)

Those named as in ``torch.optim`` follow their namesake, FOP follows ``fop_core.FOP`` around ``torch.optim.SGD``, step
for step; the others follow the paper that they name. Nothing is clipped: what overflows becomes inf or nan.
"""

from fop_core.optim.rules.adaptive import Polyak, Prodigy
from fop_core.optim.rules.base import GradientRule, Oracle, OracleRule, Rule
from fop_core.optim.rules.components import Component, Components, State, Step
from fop_core.optim.rules.fop import FOP, OF_A_POINT, OSGMFOP, PPHD, SHD, ExponentialFOP, OneStepFOP
from fop_core.optim.rules.osgm import OSGMH, OSGMBest
from fop_core.optim.rules.plain import SGD, Adam, AdamW, Lion, Momentum, Nesterov, RMSProp
from fop_core.optim.rules.second_order import BFGS, Newton, PSGDNewton

__all__ = [
    "BFGS",
    "FOP",
    "OF_A_POINT",
    "OSGMFOP",
    "OSGMH",
    "PPHD",
    "RULES",
    "SGD",
    "SHD",
    "Adam",
    "AdamW",
    "Component",
    "Components",
    "ExponentialFOP",
    "GradientRule",
    "Lion",
    "Momentum",
    "Nesterov",
    "Newton",
    "OSGMBest",
    "OneStepFOP",
    "Oracle",
    "OracleRule",
    "PSGDNewton",
    "Polyak",
    "Prodigy",
    "RMSProp",
    "Rule",
    "State",
    "Step",
]

RULES: dict[str, type[Rule]] = {
    "sgd": SGD,
    "polyak": Polyak,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
    "lion": Lion,
    "prodigy": Prodigy,
    "newton": Newton,
    "bfgs": BFGS,
    "psgd-newton": PSGDNewton,
    "s-hd": SHD,
    "pp-hd": PPHD,
    "osgm-h": OSGMH,
    "osgm-best": OSGMBest,
    "fop-one-step": OneStepFOP,
    "fop-exponential": ExponentialFOP,
    "fop-osgm": OSGMFOP,
    "fop": FOP,
}
"""By the name that the command line and the pages use."""
