"""The browser computes as Python does: traced programs, and whole races by them, under Node.js."""

import base64
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from pages.basins.maps import HYPER_RATES, RATES
from pages.components.component import packed
from pages.shared.race.remembered import Spec
from pages.shared.race.settings import spec, values
from pages.trajectories.live import MOST, live, movable
from tests import node
from tests.traced_cases import cases
from toy_functions import basins
from toy_functions.framing import digits
from toy_functions.racing import race
from toy_functions.scenes import SCENES
from toy_functions.tracing import OPERATIONS

COMPONENTS = Path(__file__).parents[2] / "pages/components"
SETTINGS = 1_000  # random ones
NEAR = {"float64": 1e-12, "float32": 5e-4}  # of the largest number of a step: as many last bits of both
EVALUATE = """
import { readFileSync } from "node:fs";
const { compiled, sourceOf } = await import(process.argv[1]);
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64")).buffer;
const results = JSON.parse(readFileSync(0, "utf8")).map(({ code, numbers, inputs }) => {
  const program = sourceOf(Int32Array.from(code), new Float64Array(bytes(numbers)));
  const outputs = new Float64Array(program.outputs);
  compiled(program.text)(new Float64Array(bytes(inputs)), outputs);
  return Buffer.from(outputs.buffer).toString("base64");
});
process.stdout.write(JSON.stringify(results));
"""
RACE = """
import { readFileSync } from "node:fs";
const [, folder, start] = process.argv;
const { LiveRace } = await import(`${folder}/player/live.js`);
const { unpacked } = await import(`${folder}/lib/payload.js`);
const data = unpacked(new Uint8Array(readFileSync(0)));
const race = new LiveRace(data);
const runs = race.run(JSON.parse(start), data.live.settings);
const sent = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
process.stdout.write(JSON.stringify(runs.map((run) => run && {
  step: run.step, status: run.status, x: sent(run.x), y: sent(run.y), losses: sent(run.losses),
  P: run.made.P?.map(sent), H: run.made.H?.map(sent), under: race.surfaceAt(...JSON.parse(start)),
})));
"""


def doubles(numbers) -> str:
    return base64.b64encode(np.array(numbers, np.float64).tobytes()).decode()


def same_bits(one: float, other: float) -> bool:
    return (one != one and other != other) or struct.pack("d", one) == struct.pack("d", other)


@pytest.fixture(scope="module")
def gathered():
    """Steps of traced rules from states that races lead to, and what the browser makes of them."""
    kept = []

    @settings(
        max_examples=SETTINGS, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=cases(wild=False))
    def gather(case):
        kept.append(case)

    gather()
    sent = [
        {"code": case.program.packed(), "numbers": doubles(case.program.numbers), "inputs": doubles(case.inputs)}
        for case in kept
    ]
    results = node.run(EVALUATE, json.dumps(sent).encode(), str(COMPONENTS / "lib/program.js"))
    return [(case, np.frombuffer(base64.b64decode(result))) for case, result in zip(kept, results, strict=True)]


def test_what_is_decided_by_ieee_754_has_pythons_bits(gathered):
    exact = [(case, results) for case, results in gathered if case.program.exact]
    assert len(exact) > SETTINGS // 3 and {case.dtype for case, _ in exact} == {"float64", "float32"}
    for case, results in exact:
        expected = [float(output) for output in case.outputs]
        assert len(results) == len(expected)
        assert all(map(same_bits, expected, results)), (case.rule, case.surface, case.dtype, expected, results)


def hangs_on_last_bits(case) -> bool:
    """Whether a step compares two numbers that are equal but for what the machine's own functions may differ by."""
    registers = [*case.inputs, *case.program.numbers]
    close = False
    with np.errstate(all="ignore"):
        for name, operands, _ in case.program.steps:
            values_of = [registers[operand] for operand in operands]
            if name in ("less", "less_equal"):
                a, b = map(float, values_of)
                close |= 0 < max(abs(a), abs(b)) < np.inf and abs(a - b) <= NEAR[case.dtype] * max(abs(a), abs(b))
            registers.append(OPERATIONS[name](*values_of))
    return close


def test_other_steps_are_within_1e_12_of_pythons_unless_a_choice_hangs_on_the_last_bits(gathered):
    others = [(case, results) for case, results in gathered if not case.program.exact]
    assert len(others) > SETTINGS // 10
    undecided = 0
    for case, results in others:
        expected = np.array([float(output) for output in case.outputs])
        known = np.abs([float(number) for number in (*case.inputs, *expected)])
        near = NEAR[case.dtype]
        scale = max(1.0, known[np.isfinite(known)].max())
        if not np.allclose(results, expected, near, near * scale, equal_nan=True):
            assert hangs_on_last_bits(case), (case.rule, case.surface, case.dtype, expected, results)
            undecided += 1
    assert undecided <= len(others) // 50


def test_the_table_of_operations_is_pythons():
    script = f'import {{ OPERATIONS }} from "{COMPONENTS / "lib/program.js"}";'
    script += "process.stdout.write(JSON.stringify(OPERATIONS.map(([name]) => name)));"
    assert node.run(script) == list(OPERATIONS)


def raced(a_race: Spec) -> list:
    names = [name for name, _ in a_race.rules]
    data, arrays = live(a_race, names, movable(a_race, "own", "rate"))
    runs = node.run(RACE, packed({"live": data}, arrays), str(COMPONENTS), json.dumps(a_race.start))
    for run in runs:
        for name in ("x", "y", "losses"):
            run[name] = singles(run[name])
        for name in ("P", "H"):
            run[name] = [singles(column) for column in run.get(name) or ()]
    return runs


MAP = """
import { readFileSync } from "node:fs";
const [, folder, start, limit] = process.argv;
const { LiveRace } = await import(`${folder}/player/live.js`);
const { Grid } = await import(`${folder}/player/grid.js`);
const { unpacked } = await import(`${folder}/lib/payload.js`);
const race = new LiveRace(unpacked(new Uint8Array(readFileSync(0))));
const run = (lr, hyper_lr, most) => {
  const values = { "fop.lr": lr, "fop.hyper_lr": hyper_lr };
  return race.runOne(race.rules[0], 0, JSON.parse(start), values, most);
};
const grid = new Grid(run, Number(limit));
grid.advance(() => false);
process.stdout.write(JSON.stringify(grid.cells));
"""


def test_the_map_of_rates_is_basins():
    a_race = spec(values(SCENES["valley"]) | {"rules": ["fop"], "steps": 400})
    data, arrays = live(a_race, ["fop"], movable(a_race, "own", "rate"))
    cells = node.run(MAP, packed({"live": data}, arrays), str(COMPONENTS), json.dumps(a_race.start), "400")
    made = a_race.race()
    rates, hyper_rates = basins.logarithmic(RATES[0], 10 * RATES[1], 45), basins.logarithmic(*HYPER_RATES, 30)
    assert np.array_equal(rates[:36], basins.logarithmic(*RATES, 36)), "it goes on where the map of Basins ends"
    batch = basins.stability(
        made.surface, made.rules["fop"], made.start, rates, hyper_rates, tolerance=made.tolerance, max_steps=400
    )
    assert [cell["step"] for cell in cells] == batch.steps.ravel().tolist()
    assert [cell["status"] for cell in cells] == [basins.STATUS[status] for status in batch.status.ravel()]
    assert {cell["status"] for cell in cells} == set(basins.STATUS)


def singles(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float32)


EXACT = {"sgd", "momentum", "nesterov", "s-hd", "pp-hd", "fop", "fop-one-step", "fop-osgm", "fop-exponential", "newton"}


@pytest.mark.parametrize("name", SCENES)
def test_a_race_in_the_browser_is_pythons(name):
    a_race = spec(values(SCENES[name]))
    rules = dict(a_race.rules)
    others = [rule for rule in ("nesterov", "fop-exponential", "fop-osgm") if rule not in rules]
    everything = values(SCENES[name]) | {"rules": [*rules, *others], "steps": min(a_race.max_steps, 3_000)}
    a_race = spec(everything)
    expected = race(a_race.race())
    surface, (x, y) = SCENES[name].race.surface, map(np.dtype(a_race.dtype).type, a_race.start)
    for (rule, _), run in zip(a_race.rules, raced(a_race), strict=True):
        gx, gy = map(float, surface.gradient(x, y))
        assert run["under"] == pytest.approx({"f": float(surface.value(x, y)), "gx": gx, "gy": gy}, rel=1e-12)
        trajectory = expected[rule]
        finite = np.isfinite(trajectory.points).all(axis=1) & np.isfinite(trajectory.losses)
        points, losses = (array[finite].astype(np.float32) for array in (trajectory.points, trajectory.losses))
        near = 0.0 if rule in EXACT else 1e-5
        assert run["status"] == trajectory.status
        assert abs(run["step"] - trajectory.steps) <= (rule not in EXACT)
        count = min(len(points), len(run["x"]))
        np.testing.assert_allclose(np.transpose([run["x"], run["y"]])[:count], points[:count], near, near, err_msg=rule)
        np.testing.assert_allclose(run["losses"][:count], losses[:count], 1e3 * near, near, err_msg=rule)
        if trajectory.preconditioners is not None:
            P = trajectory.preconditioners[finite].astype(np.float32)
            np.testing.assert_array_equal(run["P"], [P[:, 0, 0], P[:, 0, 1], P[:, 1, 1]], err_msg=rule)
            H = SCENES[name].race.surface.hessian(*trajectory.points[finite].T)
            expected_H = [np.broadcast_to(entry, len(points)) for entry in (H[0][0], H[0][1], H[1][1])]
            np.testing.assert_allclose(run["H"], expected_H, 1e-5, 1e-5, err_msg=rule)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "step"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_noise_and_schedules_are_the_races(schedule, dtype):
    everything = values(SCENES["noise"]) | {"schedule": schedule, "warmup": 20, "dtype": dtype, "steps": 300}
    a_race = spec(everything)
    for (rule, _), run in zip(a_race.rules, raced(a_race), strict=True):
        trajectory = race(a_race.race())[rule]
        points = trajectory.points.astype(np.float32)
        np.testing.assert_array_equal(np.transpose([run["x"], run["y"]]), points)


def test_a_rule_that_cannot_be_traced_stays_in_python():
    a_race = spec(values(SCENES["turning"]) | {"rules": ["sgd", "bfgs", "psgd-newton", "fop"]})
    data, _ = live(a_race, ["fop", "bfgs", "sgd"], movable(a_race, "own", "rate"))
    assert [head is None for head in data["runs"]] == [False, True, False]
    head = data["runs"][0]
    assert (head["programs"], head["learns"], head["lr"], head["hyper_lr"]) == (2, True, "fop.lr", "fop.hyper_lr")
    assert data["settings"]["fop.hyper_lr"] == dict(dict(a_race.rules)["fop"])["hyper_lr"]


def test_the_hand_moves_the_settings_that_rates_come_from():
    now = values(SCENES["valley"])
    a_race = spec(now)
    own = movable(a_race, "own", "rate")
    assert own["sgd", "lr"] == "sgd.lr" and own["fop", "hyper_lr"] == "fop.hyper_lr"
    assert movable(a_race, "same", "rate") == own | {(rule, "lr"): "rate" for rule, _ in a_race.rules}
    assert set(movable(a_race, "best", "rate").values()) == {"s-hd.hyper_lr", "pp-hd.hyper_lr", "fop.hyper_lr"}
    frozen = spec(now | {"fop.hyper_lr": 0.0})
    data, _ = live(frozen, ["fop"], own)
    assert data["runs"][0]["hyper_lr"] == 0.0 and list(data["settings"]) == ["fop.lr"]


def test_a_start_has_a_thousandth_of_the_view():
    assert digits((-10.0, 10.0, -1.0, 0.0)) == (2, 3) and digits((-500.0, 5000.0, 0.0, 0.5)) == (0, 4)


def test_noise_and_schedules_are_sent_for_as_many_steps_as_the_browser_runs():
    text = (COMPONENTS / "player/live.js").read_text()
    assert f"const MOST = {MOST:_};" in text
    a_race = spec(values(SCENES["noise"]) | {"steps": 100_000, "schedule": "cosine"})
    _, arrays = live(a_race, ["fop"], {})
    assert len(arrays["noise"]) == 16 * MOST and len(arrays["factors"]) == 8 * MOST
