"""``race``: optimizers over a surface, in a table or as JSON."""

import argparse
import dataclasses
import difflib
import json
import math
import re
import types
import typing
from typing import Any

OWN = "own-rule"
"""What a rule is called that a text spells; addresses of pages have it too."""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "race",
        help="race optimizers over a surface",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Race optimizers from one start over a surface, until f - f* < tolerance.",
        epilog="""examples:
  race --preset paper-booth
  race --surface himmelblau --start 0 -1 --optimizer sgd:lr=0.016 --optimizer fop:lr=0.01,hyper_lr=1e-3
  race --surface "(x - 1)^2 + 100*(y - x^2)^2" --optimizer "adam:lr=0.05" --json
  race --optimizer examples/plugins/lion.py:lr=0.01 --optimizer sgd:lr=0.01
  race --optimizer "own-rule:lr=0.01,text=m = 0.9*m + g; x = x - lr*m" --schedule cosine --warmup 10 --max-steps 500

A text of one's own is statements, divided by ; and carried out in order, for x and for y alike. x is the coordinate, g
its derivative of f, t the step from 1, lr the rate, norm the gradient's length, f the loss; any other name that it sets
is kept for the next step, and is 0 at first.""",
    )
    parser.add_argument("--preset", help="paper-booth or paper-himmelblau; the other options then change it")
    parser.add_argument(
        "--surface",
        help="booth, himmelblau, rosenbrock, beale, three-hump-camel, styblinski-tang, rastrigin, ackley, "
        "monkey-saddle, quadratic, or a function of x and y as text",
    )
    parser.add_argument("--start", nargs=2, type=float, metavar=("X", "Y"))
    parser.add_argument(
        "--optimizer",
        action="append",
        metavar="NAME:KEY=VALUE,...",
        help="sgd, polyak, momentum, nesterov, rmsprop, adam, adamw, lion, prodigy, newton, bfgs, psgd-newton, s-hd, "
        "pp-hd, osgm-h, osgm-best, fop, fop-one-step, fop-exponential or fop-osgm, with its settings, or own-rule, "
        "whose last setting is text=STATEMENTS, or a Python file with such a text as RULE; may be repeated",
    )
    parser.add_argument("--tolerance", type=float, help="converged when f - f* < this (1e-6)")
    parser.add_argument("--max-steps", type=int, help="20000")
    parser.add_argument(
        "--schedule",
        choices=("constant", "cosine", "step", "linear"),
        help="what multiplies every learning rate along the --max-steps: 1; half a cosine to 0; a tenth from half "
        "of them, a hundredth from three quarters; a line to 0 (constant)",
    )
    parser.add_argument(
        "--warmup", type=int, metavar="STEPS", help="in which every learning rate first rises from 0 (0)"
    )
    parser.add_argument("--dtype", choices=("float32", "float64"), help="float64; presets carry float32")
    parser.add_argument("--noise", type=float, help="standard deviation of the noise on each gradient component (0)")
    parser.add_argument("--seed", type=int, help="of the noise (0)")
    parser.add_argument("--json", action="store_true", help="print JSON, with the whole trajectories")
    parser.set_defaults(do=_race)


def _race(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from toy_functions import Race, race, surfaces
    from toy_functions.presets import PRESETS

    changes: dict[str, Any] = {
        key: value
        for key in ("tolerance", "max_steps", "dtype", "noise", "seed", "schedule", "warmup")
        if (value := getattr(chosen, key)) is not None
    }
    if chosen.surface is not None:
        changes["surface"] = _surface(chosen.surface)
    if chosen.start is not None:
        changes["start"] = tuple(chosen.start)
    if chosen.optimizer:
        changes["rules"] = dict(parse_optimizer(text) for text in chosen.optimizer)
        if len(changes["rules"]) < len(chosen.optimizer):
            raise ValueError("two optimizers have the same name and settings")
    if chosen.preset is not None:
        if chosen.preset not in PRESETS:
            raise ValueError(f"no preset {chosen.preset!r}: there are {', '.join(PRESETS)}")
        settings = PRESETS[chosen.preset]
        if any(value != getattr(settings, name) for name, value in changes.items() if name != "dtype"):
            # another race: the published counts say nothing of it
            changes |= {"published": {}, "note": ""}
        settings = dataclasses.replace(settings, **changes)
    else:
        surface = changes.setdefault("surface", surfaces.BOOTH)
        changes.setdefault("start", surface.start)
        defaults = ("sgd:lr=0.005", "adam:lr=0.005", "fop:lr=0.005,hyper_lr=0.001")
        changes.setdefault("rules", dict(map(parse_optimizer, defaults)))
        settings = Race(**changes)

    result = race(settings)
    published = settings.published
    if chosen.json:
        print(json.dumps(_as_json(settings, result), allow_nan=False))
    else:
        print(", ".join(_conditions(settings)))
        if not math.isfinite(settings.surface.floor):
            print("no lowest minimum was found: the race ends at the step limit or by divergence")
        print()
        rows = [["optimizer", "steps", "end point", "minimum", "stop reason"]]
        if published:
            rows[0] += ["published", "matches"]
        for name, trajectory in result.items():
            row = [
                name,
                f"{trajectory.steps}",
                _point(trajectory.points[-1]),
                _point(trajectory.minimum),
                trajectory.reason,
            ]
            if published:
                row += [f"{published[name]}", "yes" if trajectory.steps == published[name] else "NO"]
            rows.append(row)
        widths = [max(map(len, column)) for column in zip(*rows)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if settings.note:
            print(f"\n{settings.note}")
    as_published = chosen.preset is not None and not changes
    return int(as_published and any(result[name].steps != count for name, count in published.items()))


def _conditions(settings: Any) -> list[str]:
    """Return what holds for all optimizers of a race, in words."""
    words = [f"{settings.surface.name} from {settings.start}", f"f - f* < {settings.tolerance:g}", settings.dtype]
    if settings.schedule != "constant":
        words.append(f"{settings.schedule} schedule over {settings.max_steps:,} steps")
    return [*words, f"warm-up of {settings.warmup:,} steps"] if settings.warmup else words


def _surface(text: str) -> Any:
    from toy_functions import expressions, lowest, surfaces

    if text in surfaces.SURFACES:
        return surfaces.SURFACES[text]
    try:
        return lowest.with_floor(expressions.parse(text))
    except expressions.ExpressionError as error:
        if re.fullmatch(r"[\w -]+", text) and text not in expressions.FUNCTION_NAMES:
            for near in difflib.get_close_matches(text.lower(), surfaces.SURFACES, n=1):
                raise ValueError(f"no surface {text!r}; did you mean {near}?") from error
        names = ", ".join(surfaces.SURFACES)
        raise ValueError(f"--surface is neither a name ({names}) nor a function of x and y:\n{error}") from error


def parse_optimizer(text: str) -> tuple[str, Any]:
    """Return the name to show and the rule that ``name:key=value,...`` spells.

    ``own-rule`` ends with ``text=...``, which takes all that follows.

    Raises:
        ValueError: for an unknown name or setting, a value of the wrong type, or a text that is no rule.
    """
    from fop_core.optim.rules import RULES
    from toy_functions.expressions import ExpressionError
    from toy_functions.own_rule import OwnRule

    text = "; ".join(text.splitlines())
    if (match := re.fullmatch(r"(.+\.py)(?::(.*))?", text)) is not None:
        return _of_a_file(match[1], match[2] or "")
    name, _, remainder = text.partition(":")
    kinds: dict[str, Any] = {**RULES, OWN: OwnRule}
    if name.strip().lower() not in kinds:
        raise ValueError(f"no optimizer {name.strip()!r}: there are {', '.join(kinds)}")
    kind = kinds[name.strip().lower()]
    settings: dict[str, Any] = {}
    if kind is OwnRule:
        remainder, *statements = re.split(r"(?:^|,)\s*text\s*=", remainder, maxsplit=1)
        if not statements:
            raise ValueError(f"{text!r} has no text: write {OWN}:lr=0.01,text=m = 0.9*m + g; x = x - lr*m")
        settings["text"] = statements[0].strip()
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init and field.name != "factor"}
    for part in filter(None, (part.strip() for part in remainder.split(","))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if key not in fields or not equals:
            raise ValueError(f"{part!r} is no setting of {name}: write key=value with {', '.join(fields)}")
        settings[key] = _value(key, value, typing.get_type_hints(kind)[key])
    if "lr" in fields and fields["lr"].default is dataclasses.MISSING and "lr" not in settings:
        raise ValueError(f"{text!r} has no learning rate: write {name}:lr=0.005")
    try:
        return text, kind(**settings)
    except ExpressionError as error:
        raise ValueError(f"the text of {OWN} is no rule:\n{error}") from error


def _of_a_file(path: str, remainder: str) -> tuple[str, Any]:
    """Return the name and the rule of a plug-in: its ``RULE``, a text that is read, and nothing of the file is run."""
    from fop_core.runs import plugins

    source = plugins.read(path)
    if not source.rule:
        raise ValueError(f'{path} offers no rule for surfaces: write RULE = "m = 0.9*m + g; x = x - lr*m" into it')
    try:
        _, rule = parse_optimizer(f"{OWN}:{remainder},text={source.rule}")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return f"{source.file}:{remainder}".rstrip(":"), rule


def _value(key: str, text: str, wanted: Any) -> Any:
    if isinstance(wanted, types.UnionType):
        wanted = wanted.__args__[0]
    if wanted is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{key} is {text!r}: give true or false")
        return text.lower() == "true"
    try:
        value = wanted(text)
    except ValueError:
        raise ValueError(f"{key} is {text!r}: give a number") from None
    if wanted is float and not math.isfinite(value):  # some rules would stand still, and not say why
        raise ValueError(f"{key} is {text!r}: give a finite number")
    return value


def _point(point: Any) -> str:
    return "-" if point is None else f"({point[0]:.4g}, {point[1]:.4g})"


def _as_json(settings: Any, result: Any) -> dict[str, Any]:
    """Return a race and its trajectories; a number that is not finite becomes null."""
    optimizers = {}
    for name, trajectory in result.items():
        optimizers[name] = {
            "steps": trajectory.steps,
            "status": trajectory.status,
            "reason": trajectory.reason,
            "minimum": trajectory.minimum,
            "points": _numbers(trajectory.points),
            "losses": _numbers(trajectory.losses),
        }
        if trajectory.preconditioners is not None:
            optimizers[name]["preconditioners"] = _numbers(trajectory.preconditioners)
        if name in settings.published:
            optimizers[name]["published"] = settings.published[name]
            optimizers[name]["matches"] = trajectory.steps == settings.published[name]
    keys = ("start", "tolerance", "max_steps", "dtype", "noise", "seed", "schedule", "warmup", "note")
    about = {"surface": settings.surface.name} | {key: getattr(settings, key) for key in keys}
    return about | {"optimizers": optimizers}


def _numbers(array: Any) -> Any:
    import numpy as np

    return np.asarray(np.where(np.isfinite(array), array.astype(object), None)).tolist()
