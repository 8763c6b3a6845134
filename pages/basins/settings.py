"""The table of the Basins page's settings, and the way from their values to maps, and to a race from one cell."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fop_core.optim.rules import FOP, PPHD, SGD, SHD, Adam, Momentum, Nesterov, RMSProp
from pages.basins.maps import Grid, Rates
from pages.shared.fields import Choice, Field, Number, Switch
from pages.shared.form import versioned
from pages.shared.race import settings as race_settings
from pages.shared.race.remembered import OWN
from pages.shared.race.rules import of_rule
from pages.shared.race.settings import racing, rule_value, surface_spec
from toy_functions.racing import Race
from toy_functions.scenes import SCENES, Scene
from toy_functions.surfaces import HIMMELBLAU, ROSENBROCK, STYBLINSKI_TANG, SURFACES, THREE_HUMP_CAMEL

_SADDLE = SCENES["saddle"]

MAPS: Mapping[str, Scene] = MappingProxyType(
    {
        "himmelblau": Scene(
            "Himmelblau",
            "Four minima of equal depth, each with its area. Momentum leaps over the borders: far out a hair's breadth "
            "decides where it lands.",
            Race(
                HIMMELBLAU,
                HIMMELBLAU.start,
                {
                    "SGD": SGD(0.01),
                    "Momentum": Momentum(0.01),
                    "RMSProp": RMSProp(0.02),
                    "Adam": Adam(0.1),
                    "S-HD": SHD(0.01, 0.002),
                    "FOP": FOP(0.01, 0.002),
                },
                max_steps=500,
            ),
        ),
        "too-far": Scene(
            "A rate too large",
            "At ε = 0.018 SGD cannot stay at the minimum C: f bends more there than 2/ε. Hypergradients shrink P "
            "until it holds, but from far out they diverge more often.",
            Race(
                HIMMELBLAU,
                HIMMELBLAU.start,
                {
                    "SGD": SGD(0.018),
                    "S-HD": SHD(0.018, 0.001),
                    "PP-HD": PPHD(0.018, 0.001),
                    "FOP": FOP(0.018, 0.001),
                },
                max_steps=500,
            ),
        ),
        "camel": Scene(
            "Three-hump camel",
            "The middle minimum is the lowest. Momentum carries most starts into it, FOP comes next; in the others a "
            "path rests without converging.",
            Race(
                THREE_HUMP_CAMEL,
                THREE_HUMP_CAMEL.start,
                {
                    "SGD": SGD(0.05),
                    "Momentum": Momentum(0.05),
                    "Nesterov": Nesterov(0.05),
                    "Adam": Adam(0.1),
                    "S-HD": SHD(0.05, 0.1),
                    "FOP": FOP(0.05, 0.1),
                },
                max_steps=500,
            ),
        ),
        "styblinski-tang": Scene(
            "Styblinski-Tang",
            "Only a quarter of the box leads down to the lowest of four minima. x and y do not mix here: borders are "
            "straight.",
            Race(
                STYBLINSKI_TANG,
                STYBLINSKI_TANG.start,
                {
                    "SGD": SGD(0.01),
                    "Momentum": Momentum(0.01),
                    "RMSProp": RMSProp(0.05),
                    "Adam": Adam(0.3),
                    "S-HD": SHD(0.01, 0.001),
                    "FOP": FOP(0.01, 0.001),
                },
                max_steps=500,
            ),
        ),
        "valley": Scene(
            "Oblique valley",
            "One minimum, so only speed differs. SGD is fast on the line across the valley alone, FOP far out too, "
            "where large gradients teach its P most. Momentum is faster still.",
            Race(
                SURFACES["quadratic"],
                SURFACES["quadratic"].start,
                {
                    "SGD": SGD(0.01),
                    "Momentum": Momentum(0.01),
                    "Adam": Adam(0.1),
                    "S-HD": SHD(0.01, 0.1),
                    "PP-HD": PPHD(0.01, 0.1),
                    "FOP": FOP(0.01, 0.1),
                },
                max_steps=1_500,
            ),
        ),
        "rosenbrock": Scene(
            "Rosenbrock's bend",
            "One minimum, in a valley that turns. The threads are starts that momentum, or Adam, carries straight into "
            "it.",
            Race(
                ROSENBROCK,
                ROSENBROCK.start,
                {
                    "Momentum": Momentum(0.0005),
                    "Adam": Adam(0.1),
                    "FOP": FOP(0.0005, 0.0001, momentum=0.9),
                },
                tolerance=1e-3,
                max_steps=2_000,
            ),
        ),
        "own": Scene(
            "Your own f(x, y)",
            "Type a formula in the sidebar. Its minima need not be known: the points where many paths come to rest are "
            "taken for them. This one has two, and a saddle between them.",
            Race(
                _SADDLE.race.surface,
                _SADDLE.race.start,
                {"SGD": SGD(0.3), "Momentum": Momentum(0.3), "FOP": FOP(0.3, 0.1)},
                max_steps=500,
            ),
            formula=_SADDLE.formula,
        ),
    }
)
"""Maps to begin with, by the name they have in an address; each scene's start is that of the map of rates."""

PRESETS = Choice(
    "Preset",
    {name: scene.title for name, scene in MAPS.items()},
    "Sets everything below. Change what you like afterwards: the address of this page holds all of it.",
)

SIZES = {size: f"{size}²" for size in ("64", "128", "256", "512")}

_OF_A_SURFACE = ("surface", "f", "floor", "left", "right", "bottom", "top", "condition", "angle")

FIELDS: Mapping[str, Field] = {
    **{
        name: race_settings.FIELDS[name]
        for name in (*_OF_A_SURFACE, "x", "y", "rules", "schedule", "warmup", "tolerance")
    },
    "size": Switch("Starts", SIZES, "How many starts a map has. Four times as many take four times as long."),
    "steps": Number("Step limit", 1, 20_000, 100, "A path that has not converged by then ends.", whole=True),
    **{name: field for name, field in race_settings.FIELDS.items() if "." in name},
}
"""All settings of the page, by the names they have in its address."""


def values(scene: Scene) -> dict[str, Any]:
    """Return the value that a scene gives to each of ``FIELDS``."""
    race_values = race_settings.values(scene)
    if not scene.formula:  # what "Your own f(x, y)" begins with
        own = race_settings.values(MAPS["own"])
        race_values |= {name: own[name] for name in ("f", "floor", "left", "right", "bottom", "top")}
    return {name: "256" if name == "size" else race_values[name] for name in FIELDS}


def _rule(settings: Mapping[str, Any], name: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    return name, tuple((each, rule_value(settings, name, each)) for each in of_rule(name))


def grid(settings: Mapping[str, Any]) -> Grid:
    """Return the maps of starts that the settings ask for."""
    return Grid(
        surface_spec(settings),
        tuple(_rule(settings, name) for name in racing(settings)),
        settings["tolerance"],
        settings["steps"],
        int(settings["size"]),
        settings["schedule"],
        min(settings["warmup"], settings["steps"]),
    )


def rates(settings: Mapping[str, Any]) -> Rates:
    """Return the map of FOP's rates that the settings ask for; what its own two are does not matter."""
    name, rule = _rule(settings, "fop")
    return Rates(
        surface_spec(settings),
        (name, tuple((each, 1.0 if each in ("lr", "hyper_lr") else value) for each, value in rule)),
        (settings["x"], settings["y"]),
        settings["tolerance"],
        settings["steps"],
        settings["schedule"],
        min(settings["warmup"], settings["steps"]),
    )


def race_address(settings: Mapping[str, Any], **changes: Any) -> dict[str, str]:
    """Return the address in Trajectories of the race of these settings, in float64 as the maps are.

    Args:
        settings: of this page.
        changes: settings of the race that are others.
    """
    first = race_settings.values(next(iter(SCENES.values())))
    race = first | {name: settings[name] for name in first if name in settings} | {"dtype": "float64"} | changes
    own, quadratic = ("f", "floor", "left", "right", "bottom", "top"), ("condition", "angle")
    idle = {*(own if race["surface"] != OWN else ()), *(quadratic if race["surface"] != "quadratic" else ())}
    return versioned(
        {
            name: field.write(race[name])
            for name, field in race_settings.FIELDS.items()
            if race[name] != first[name] and name not in idle and name.split(".")[0] in (name, *race["rules"])
        }
    )
