"""What the player needs to run a race by itself, while the reader drags the start or moves a rate."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pages.shared.race.remembered import Spec, surface
from pages.shared.race.rules import KINDS
from toy_functions.framing import digits
from toy_functions.live import SETTINGS, TracedRule, packed, traced, traced_hessian
from toy_functions.racing import Race, gradient_noise
from toy_functions.schedules import is_scheduled, rate_factor
from toy_functions.tracing import Untraceable

MOST = 20_000
"""Steps for which noise and schedules are sent: the most that the browser runs; MOST of live.js."""


def live(
    spec: Spec, rules: Sequence[str], movable: Mapping[tuple[str, str], str]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return ``LiveData`` of the player's types.d.ts: its JSON, and its arrays.

    Args:
        spec: of the race.
        rules: those that are shown, in the player's order.
        movable: by a rule and one of its rates, the name of the setting that gives it.
    """
    race, settings = spec.race(), {name: dict(pairs) for name, pairs in spec.rules}
    objective, noisy = surface(spec.surface), race.noise > 0
    values: dict[str, float] = {}
    heads: list[dict[str, Any] | None] = []
    programs: list[TracedRule] = []
    for name in rules:
        try:
            program = traced(race.rules[name], objective, race.dtype, noisy)
        except Untraceable:  # it follows when the hand rests
            heads.append(None)
            continue
        others = {key: value for key, value in settings[name].items() if key not in SETTINGS}
        key = repr((replace(spec, rules=()), name, others))
        head: dict[str, Any] = {"programs": len(program.steps), "learns": program.learns, "key": key}
        for rate in SETTINGS:
            value = settings[name].get(rate)
            if value is None:
                continue
            setting = movable.get((name, rate))
            if setting is not None and value:
                values[setting] = value
            head[rate] = setting if setting in values else value
        heads.append(head)
        programs.append(program)
    code, numbers = zip(packed([traced_hessian(objective, race.dtype)]), *(program.packed for program in programs))
    target = np.array([objective.floor + race.tolerance])
    arrays = {"code": b"".join(code), "numbers": b"".join([target.tobytes(), *numbers])} | _along(race)
    return {
        "single": race.dtype == "float32",
        "steps": race.max_steps,
        "digits": digits(objective.view),
        "settings": values,
        "runs": heads,
    }, arrays


def movable(spec: Spec, rates: str, one: str) -> dict[tuple[str, str], str]:
    """Return the settings that the rates of a race's rules come from, by rule and rate; none for what is looked for.

    Args:
        spec: of the race.
        rates: the setting of that name: "own" | "same" | "best".
        one: the name of the setting that all learning rates come from where they are the same.
    """
    settings: dict[tuple[str, str], str] = {}
    for name, pairs in spec.rules:
        main = KINDS[name].main_rate
        for rate in SETTINGS:
            if rate not in dict(pairs) or (rates == "best" and rate == main):
                continue
            settings[name, rate] = one if rates == "same" and rate == main == "lr" else f"{name}.{rate}"
    return settings


def _along(race: Race) -> dict[str, bytes]:
    """Return what a race has for each of its steps: noise, and factors of the rate."""
    arrays, schedule = {}, (race.schedule, race.warmup, race.max_steps)
    steps = min(race.max_steps, MOST)
    noise = gradient_noise(race)
    if noise is not None:
        arrays["noise"] = noise[:steps].astype(np.float64).tobytes()
    if is_scheduled(*schedule):
        factors = [rate_factor(*schedule, step) for step in range(steps)]
        arrays["factors"] = np.array(factors, np.float64).tobytes()
    return arrays
