"""Traced rules have the bits of the rules, on every surface and in both kinds of arithmetic."""

import itertools
import math
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from fop_core.optim.rules import BFGS, FOP, SGD, Momentum, Polyak, PSGDNewton
from tests.traced_cases import IN_PYTHON, KINDS, ON, cases
from toy_functions import expressions, surfaces
from toy_functions.live import INPUTS, RESULTS, SETTINGS, traced, traced_hessian
from toy_functions.own_rule import OwnRule
from toy_functions.racing import Race, gradient_noise, race
from toy_functions.scenes import has_natural_rate
from toy_functions.schedules import rate_factor
from toy_functions.tracing import Untraceable

BOOTH = surfaces.BOOTH
TRACED = {
    name: kind() if has_natural_rate(kind) else kind(lr=0.01)  # type: ignore[call-arg]
    for name, kind in KINDS.items()
    if kind not in IN_PYTHON
}


def bits(number):
    return type(number).__name__, "nan" if number != number else struct.pack("d", number)


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_a_step_has_the_bits_of_the_rule_for_any_settings_and_state(case):
    with np.errstate(all="ignore"):
        assert list(map(bits, case.program.evaluate(*case.inputs))) == list(map(bits, case.outputs))


def run(programs, a_race, rule):
    """A race by its programs, as the browser runs it."""
    number = float if a_race.dtype == "float64" else np.float32
    noise = gradient_noise(a_race)
    points, losses, matrices = [], [], []
    x, y = map(number, a_race.start)
    rates = [getattr(rule, name, 0.0) for name in SETTINGS]
    zero = number(0.0)
    state = programs.start.evaluate(x, y, zero, zero, *rates)
    for step in range(a_race.max_steps + 1):
        program = programs.steps[min(step, len(programs.steps) - 1)]
        draw = (zero, zero) if noise is None or step == a_race.max_steps else map(number, noise[step])
        factor = rate_factor(a_race.schedule, a_race.warmup, a_race.max_steps, min(step, a_race.max_steps - 1))
        outputs = program.evaluate(x, y, *draw, rates[0] * factor, rates[1], *state)
        points.append((x, y))
        losses.append(outputs[2])
        after = len(RESULTS) + 4 * programs.learns
        if programs.learns:
            matrices.append(np.reshape(outputs[len(RESULTS) : after], (2, 2)))
        if not math.isfinite(outputs[2] + x + y) or outputs[2] < a_race.surface.floor + a_race.tolerance:
            break
        (x, y), state = outputs[:2], outputs[after:]
    return np.array(points, a_race.dtype), np.array(losses, a_race.dtype), np.array(matrices, a_race.dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("name", "surface"), [pair for pair in itertools.product(TRACED, ON) if pair != ("polyak", "monkey-saddle")]
)
def test_a_race_by_programs_is_the_race(name, surface, dtype):
    rule = TRACED[name]
    noisy = Race(ON[surface], (0.7, -1.3), {name: rule}, dtype=dtype, max_steps=8, noise=0.1, schedule="cosine")
    for a_race in (noisy, replace(noisy, noise=0.0, schedule="constant")):
        expected = race(a_race)[name]
        with np.errstate(all="ignore"):
            points, losses, matrices = run(traced(rule, ON[surface], dtype, a_race.noise > 0), a_race, rule)
        np.testing.assert_array_equal(points, expected.points)
        np.testing.assert_array_equal(losses, expected.losses)
        if expected.preconditioners is not None:
            np.testing.assert_array_equal(matrices, expected.preconditioners)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("surface", [*ON.values(), expressions.parse("5"), expressions.parse("2^y - abs(x)/y")])
def test_the_hessian_of_every_surface_is_traced(surface, dtype):
    number = float if dtype == "float64" else np.float32
    (xx, xy), (_, yy) = surface.hessian(number(0.7), number(-1.3))
    entries = traced_hessian(surface, dtype).evaluate(number(0.7), number(-1.3))
    np.testing.assert_array_equal(np.array(entries, dtype), np.array([xx, xy, yy], dtype))


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (BFGS(), "if halvings == HALVINGS or holds_everywhere(falls):"),
        (PSGDNewton(), "chunk, at = divmod(step, _CHUNK)"),
    ],
)
def test_a_rule_that_searches_or_draws_is_refused_with_its_line(rule, line):
    with pytest.raises(Untraceable) as error:
        traced(rule, BOOTH)
    text = Path(error.value.file).read_text().splitlines()[error.value.line - 1]
    assert text.strip() == line and f"second_order.py:{error.value.line}: " in str(error.value)


def test_polyaks_step_is_refused_where_f_has_no_lowest_value():
    with pytest.raises(Untraceable, match="lowest value"):
        traced(Polyak(), surfaces.MONKEY_SADDLE)
    assert traced(Polyak(), BOOTH)


def test_one_program_serves_all_rates_but_0():
    programs = traced(FOP(0.01, 0.1), BOOTH)
    assert traced(FOP(0.5, 3.0), BOOTH) is programs
    frozen = traced(FOP(0.01, 0.0), BOOTH)
    assert frozen is not programs and len(frozen.steps[-1].steps) < len(programs.steps[-1].steps)
    assert traced(FOP(0.01, 0.1, momentum=0.5), BOOTH) is not programs
    assert traced(Momentum(0.01), BOOTH, "float32") is not traced(Momentum(0.01), BOOTH)


def test_a_state_that_begins_without_numbers_has_a_first_program_of_its_own():
    first, later = traced(Momentum(0.01), BOOTH).steps
    assert (first.inputs, later.inputs) == (len(INPUTS), len(INPUTS) + 2)
    [only] = traced(SGD(0.01), BOOTH).steps
    assert only.inputs == len(INPUTS) and len(only.outputs) == len(RESULTS) and only.exact


def test_the_bytes_have_all_programs_one_after_another():
    programs = traced(FOP(0.01, 0.1), BOOTH)
    code, numbers = programs.packed
    every = (programs.start, *programs.steps)
    assert np.frombuffer(code, "<i4").tolist() == [entry for each in every for entry in each.packed()]
    assert np.frombuffer(numbers, "<f8").tolist() == [number for each in every for number in each.numbers]


def test_a_rule_of_the_readers_own_is_traced_and_one_with_a_branch_is_not():
    assert traced(OwnRule(0.01, "m = 0.9*m + g; x = x - lr*m"), BOOTH).steps

    class Stepwise(SGD):
        def step(self, x, y, gx, gy, state):
            return super().step(x, y, gx, gy, state) if gx > 0 else (x, y, state)

    with pytest.raises(Untraceable, match=r"test_live\.py:\d+: a branch depends on a number"):
        traced(Stepwise(0.01), BOOTH)
