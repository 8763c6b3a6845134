"""A race to take away: every step as a table, and a script that runs it again."""

import dataclasses
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from csv import writer
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.optim.rules import Rule
from toy_functions import expressions, surfaces
from toy_functions.own_rule import OwnRule
from toy_functions.racing import Race, Trajectory
from toy_functions.racing import race as run
from toy_functions.surfaces import SURFACES, Surface

COLUMNS = ("optimizer", "step", "x", "y", "f", "p_xx", "p_xy", "p_yy", "surface")
"""Of the table. P is the one that the next step applies; its cells are empty for a rule that learns none."""

_PLAIN = {"schedule": "constant", "warmup": 0}  # is not written down
_LINE = 100  # letters in a line of a script
_IF_MISSING = (
    "except ModuleNotFoundError as error:",
    '    sys.exit(f"{error}. Install FOP Lab for this Python: python -m pip install PATH_OF_ITS_FOLDER")',
)
_PROJECT = Path(__file__).parents[1]  # FOP Lab's own folder, or where packages are installed


def csv(race: Race, trajectories: Mapping[str, Trajectory]) -> str:
    """Return a race as CSV with ``COLUMNS``, one row for each rule and step.

    Numbers read back to the last bit, in float32 with no more digits than that takes; what is not finite is inf, -inf
    or nan.

    Args:
        race: its rules give the order.
        trajectories: what they did, by name.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions import Race, race
        >>> from toy_functions.export import csv
        >>> from toy_functions.surfaces import BOOTH
        >>> settings = Race(BOOTH, (0.0, -4.0), {"SGD": SGD(0.0625)}, max_steps=2)
        >>> print(csv(settings, race(settings)))
        optimizer,step,x,y,f,p_xx,p_xy,p_yy,surface
        SGD,0,0.0,-4.0,306.0,,,,Booth
        SGD,1,4.125,0.875,18.28125,,,,Booth
        SGD,2,3.234375,0.640625,10.62158203125,,,,Booth
    """
    file = io.StringIO()
    table = writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(_rows(race, trajectories))
    return file.getvalue()


def csv_of_seeds(race: Race, seeds: int, progress: Callable[[float], object] | None = None) -> str:
    """Return ``csv`` of a noisy race with several seeds, with one more column: the seed.

    Args:
        race: with the first seed.
        seeds: how many, that one and those after it.
        progress: called now and then with the share of one race that is done; what it raises ends the work.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions import Race
        >>> from toy_functions.export import csv_of_seeds
        >>> from toy_functions.surfaces import BOOTH
        >>> noisy = Race(BOOTH, BOOTH.start, {"SGD": SGD(0.03)}, max_steps=100, noise=10.0)
        >>> rows = csv_of_seeds(noisy, seeds=2).splitlines()
        >>> rows[0], len(rows)
        ('optimizer,step,x,y,f,p_xx,p_xy,p_yy,surface,seed', 203)
    """
    file = io.StringIO()
    table = writer(file, lineterminator="\n")
    table.writerow([*COLUMNS, "seed"])
    for seed in range(race.seed, race.seed + seeds):
        of_seed = dataclasses.replace(race, seed=seed)
        table.writerows([*row, seed] for row in _rows(of_seed, run(of_seed, progress)))
    return file.getvalue()


def _rows(race: Race, trajectories: Mapping[str, Trajectory]) -> Iterator[list[Any]]:
    for name in race.rules:
        trajectory = trajectories[name]
        columns = [*trajectory.points.T, trajectory.losses]
        if trajectory.preconditioners is not None:
            columns += [trajectory.preconditioners[:, i, j] for i, j in ((0, 0), (0, 1), (1, 1))]
        cells = [map(str, column.tolist() if column.dtype == np.float64 else column) for column in columns]
        last = [""] * (len(COLUMNS) - 3 - len(columns)) + [race.surface.name]
        yield from ([name, step, *row, *last] for step, row in enumerate(zip(*cells)))


def snippet(
    race: Race, formula: str | None = None, quadratic: tuple[float, float] | None = None, seeds: int = 1
) -> str:
    """Return a Python script that runs a race again with this library, and prints how each rule ended.

    The script runs from any folder: where the library is not installed, it looks in the folder of the project that the
    script was made in, and where it is not there either, it says how to install it.

    Of a rule it names the settings that differ from their defaults, of the race all that have an effect.

    Args:
        race: what to run.
        formula: the text of the surface, where it is a user's own.
        quadratic: condition number and angle of the surface, where it is a quadratic.
        seeds: with how many seeds of the noise: the race's and those after it.

    Raises:
        ValueError: the surface is not that of the formula or of the quadratic, or without them not in ``SURFACES``.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions import Race
        >>> from toy_functions.export import snippet
        >>> from toy_functions.surfaces import BOOTH
        >>> script = snippet(Race(BOOTH, BOOTH.start, {"SGD": SGD(0.05)}))
        >>> exec(script)
        SGD: converged, 80 steps, end (1.0006554235015852, 2.999344576498415)
        >>> print(script.splitlines()[-3])
        for name, path in race(settings).items():
    """
    imports: dict[str, set[str]] = {"fop_core.optim.rules": set(), "toy_functions": {"Race", "race"}}
    for rule in race.rules.values():
        own = isinstance(rule, OwnRule)
        imports.setdefault(OwnRule.__module__ if own else "fop_core.optim.rules", set()).add(type(rule).__name__)
    rules = [_rule(name, rule) for name, rule in race.rules.items()]
    settings = [
        _surface(race.surface, formula, quadratic, imports),
        f"start={_value(tuple(map(float, race.start)))}",
        f"rules={_block('{', rules, '}', 4, spread=bool(rules))}",
        *(f"{name}={_value(getattr(race, name))}" for name in ("tolerance", "max_steps", "dtype")),
        *(f"{name}={_value(getattr(race, name))}" for name in ("noise", "seed") if race.noise),
        *(f"{name}={_value(getattr(race, name))}" for name, plain in _PLAIN.items() if getattr(race, name) != plain),
    ]
    what = "a formula" if formula is not None else race.surface.name
    if seeds == 1:
        loop, margin, each = "", "", ""
    else:
        imports["dataclasses"] = {"replace"}
        loop, margin = f"for seed in range({race.seed}, {race.seed + seeds}):\n", "    "
        each = "seed {seed}, "
    settings_of = "replace(settings, seed=seed)" if seeds > 1 else "settings"
    return f"""# A race of optimizers on {what}, made with FOP Lab. It runs from any folder.

{_imports(imports)}

settings = {_block("Race(", settings, ")", 0, spread=True)}

{loop}{margin}for name, path in race({settings_of}).items():
{margin}    x, y = path.points[-1].tolist()
{margin}    print(f"{each}{{name}}: {{path.status}}, {{path.steps}} steps, end ({{x!r}}, {{y!r}})")
"""


def _surface(
    surface: Surface, formula: str | None, quadratic: tuple[float, float] | None, imports: dict[str, set[str]]
) -> str:
    """Return the argument of a race that is its surface, and add to the imports what that needs."""
    if formula is not None:
        made = expressions.parse(formula, view=surface.view)
        imports["toy_functions.expressions"] = {"parse"}
        arguments = [_value(formula), f"view={_value(surface.view)}"]
        code = _block("surface=parse(", arguments, ")", 4)
        if surface.floor != made.floor:
            imports["dataclasses"] = {"replace"}
            arguments = [_block("parse(", arguments, ")", 8), f"floor={_value(surface.floor)}"]
            code = _block("surface=replace(", arguments, ")", 4)
        same = made.latex == surface.latex
    elif quadratic is not None:
        condition, angle = map(float, quadratic)
        imports["toy_functions.surfaces"] = {"quadratic"}
        code = f"surface=quadratic(condition={_value(condition)}, angle={_value(angle)})"
        same = surfaces.quadratic(condition, angle).name == surface.name
    else:
        names = {name for name, value in vars(surfaces).items() if isinstance(value, Surface) and value == surface}
        names |= {f"SURFACES[{_value(name)}]" for name, value in SURFACES.items() if value == surface}
        same = bool(names)
        name = min(names, key=len, default="")
        imports["toy_functions.surfaces"] = {name.partition("[")[0]}
        code = f"surface={name}"
    if not same:
        raise ValueError(f"the surface of the race is {surface.name!r}: give its formula, or the quadratic's numbers")
    return code


def _rule(name: str, rule: Rule) -> str:
    fields = [field for field in dataclasses.fields(rule) if field.init]
    changed = [field.name for field in fields if getattr(rule, field.name) != field.default]
    settings = [f"{setting}={_value(getattr(rule, setting))}" for setting in changed]
    return _block(f"{_value(name)}: {type(rule).__name__}(", settings, ")", 8)


def _block(opening: str, parts: Sequence[str], closing: str, indent: int, *, spread: bool = False) -> str:
    """Return parts between brackets, in one line or, where that gets too long or they are ``spread``, one in each."""
    line = f"{opening}{', '.join(parts)}{closing}"
    if not spread and "\n" not in line and indent + len(line) < _LINE:  # a comma follows
        return line
    margin = " " * indent
    return "\n".join([opening, *(f"{margin}    {part}," for part in parts), f"{margin}{closing}"])


def _imports(names: Mapping[str, set[str]]) -> str:
    """Return import statements in the usual order, those of the library with what to do where it is not found."""

    def order(name: str) -> tuple[bool, bool, str]:
        return not name.isupper(), not name[0].isupper(), name

    lines = [
        f"    from {module} import {', '.join(sorted(names[module], key=order))}"
        for module in sorted(names)
        if names[module] and module != "dataclasses"
    ]
    standard = ["import sys", *(["from dataclasses import replace"] if "dataclasses" in names else []), ""]
    fallback = []
    if (_PROJECT / "pyproject.toml").is_file():
        fallback = [
            "# Where FOP Lab is looked for if it is not installed.",
            f"sys.path.append({_value(str(_PROJECT))})",
            "",
        ]
    return "\n".join([*standard, *fallback, "try:", *lines, *_IF_MISSING])


def _value(value: Any) -> str:
    """Return a setting as Python writes it.

    Raises:
        TypeError: for what no setting is.
    """
    match value:
        case str():
            spelled = repr(value)
            return spelled if '"' in value else f'"{spelled[1:-1]}"'
        case bool() | int() | None:
            return repr(value)
        case float():
            return repr(float(value)) if math.isfinite(value) else f'float("{float(value)}")'
        case tuple():
            return f"({', '.join(map(_value, value))}{',' if len(value) == 1 else ''})"
    raise TypeError(f"a setting is {value!r}: no number, text, or tuple of those")
