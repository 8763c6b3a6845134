"""The command line, as a person calls it."""

import json
import re
import subprocess
import sys

import pytest

from fop_core.cli import main
from fop_core.figures.style import METHODS
from fop_core.optim.rules import RULES, Momentum
from toy_functions import Race, race
from toy_functions.presets import PRESETS
from toy_functions.schedules import SCHEDULES
from toy_functions.surfaces import BOOTH, SURFACES


def run(capsys, *arguments):
    status = main(["race", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def rows(out):
    """The table's rows by their first word."""
    return {line.split()[0]: line.split() for line in out.splitlines() if line and line[0].isalpha()}


@pytest.mark.parametrize(
    ("preset", "counts"),
    [("paper-booth", (832, 6221, 543)), ("paper-himmelblau", (386, 5398, 289))],
)
def test_presets_print_the_published_counts_and_that_they_match(capsys, preset, counts):
    status, out, _ = run(capsys, "--preset", preset)
    assert status == 0
    table = rows(out)
    for name, count in zip(("SGD", "Adam", "FOP"), counts):
        assert table[name][1] == table[name][-2] == str(count)
        assert table[name][-1] == "yes"
    assert "reconstruction" in out


def test_float64_says_no_for_adam_and_why(capsys):
    status, out, _ = run(capsys, "--preset", "paper-himmelblau", "--dtype", "float64")
    assert rows(out)["Adam"][1] == "5397"
    assert rows(out)["Adam"][-1] == "NO"
    assert "float64" in out.splitlines()[-1]
    assert status == 0


def test_another_race_claims_no_published_count(capsys):
    for changes in (("--tolerance", "1e-3"), ("--start", "1", "1")):
        _, out, _ = run(capsys, "--preset", "paper-booth", *changes)
        assert "published" not in out
    _, out, _ = run(capsys, "--preset", "paper-booth", "--start", "0", "-4", "--tolerance", "1e-6")
    assert "published" in out, "it is the published one"


def test_a_function_with_negative_values_is_raced_on_to_its_minimum(capsys):
    surface = ("--surface", "sin(x)*cos(y)", "--start", "-3", "-2", "--optimizer", "sgd:lr=0.1", "--json")
    _, out, _ = run(capsys, *surface)
    [sgd] = json.loads(out)["optimizers"].values()
    assert sgd["status"] == "converged" and sgd["steps"] > 10


def test_a_function_without_a_lowest_value_never_converges(capsys):
    surface = ("--surface", "x*y", "--start", "1", "-2", "--max-steps", "20", "--optimizer", "sgd:lr=0.1")
    _, out, _ = run(capsys, *surface)
    assert "no lowest minimum was found" in out and "not converged in 20 steps" in out


def test_free_settings_reach_the_race(capsys):
    status, out, _ = run(
        capsys,
        *("--surface", "(x - 1)^2 + (y + 2)^2", "--start", "0", "-4", "--tolerance", "1e-4", "--max-steps", "50"),
        *("--optimizer", "sgd:lr=0.1", "--optimizer", "fop:lr=0.1,hyper_lr=1e-3,preconditioner=direct", "--json"),
    )
    assert status == 0
    output = json.loads(out)
    assert output["start"] == [0.0, -4.0]
    assert output["tolerance"] == 1e-4
    sgd, fop = output["optimizers"].values()
    assert sgd["steps"] == 25
    assert sgd["status"] == "converged"
    assert len(sgd["points"]) == len(sgd["losses"]) == 26
    assert sgd["points"][-1] == pytest.approx([1, -2], abs=0.01)
    assert len(fop["preconditioners"]) == fop["steps"] + 1


OWN = "own-rule:lr=0.005,text=m = 0.9*m + g; x = x - lr*m"


def momentum(**conditions):
    """Momentum as the library has it, which ``OWN`` spells, on Booth."""
    return race(Race(BOOTH, BOOTH.start, {"": Momentum(0.005, momentum=0.9)}, **conditions))[""]


@pytest.mark.parametrize(
    "text", [OWN, OWN.replace("; ", "\n"), "Own-Rule: lr=0.005 , text = m = 0.9*m + g; x = x-lr*m;"]
)
def test_a_rule_of_ones_own_is_raced_as_its_text_says(capsys, text):
    _, out, _ = run(capsys, "--surface", "booth", "--optimizer", text, "--json")
    [(name, own)] = json.loads(out)["optimizers"].items()
    assert "\n" not in name and own["steps"] == momentum().steps > 100
    assert own["losses"] == pytest.approx(momentum().losses.tolist(), rel=1e-9, abs=1e-12)
    _, out, _ = run(capsys, "--optimizer", text)
    assert f"f < 1e-06 at step {own['steps']}" in next(line for line in out.splitlines() if line.startswith(name))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedule_and_warm_up_reach_the_race_and_are_said(capsys, schedule):
    conditions = ("--surface", "booth", "--schedule", schedule, "--warmup", "7", "--max-steps", "60")
    chosen = (*conditions, "--optimizer", "momentum:lr=0.005")
    _, out, _ = run(capsys, *chosen, "--json")
    output = json.loads(out)
    assert (output["schedule"], output["warmup"]) == (schedule, 7)
    [trajectory] = output["optimizers"].values()
    wanted = momentum(schedule=schedule, warmup=7, max_steps=60)
    assert trajectory["points"] == wanted.points.tolist()
    assert trajectory["points"] != momentum(max_steps=60).points.tolist()
    _, out, _ = run(capsys, *chosen)
    first, *_ = out.splitlines()
    assert first.endswith(", warm-up of 7 steps")
    assert (f"{schedule} schedule over 60 steps" in first) == (schedule != "constant")


def test_a_scheduled_preset_is_another_race(capsys):
    for changes in (("--schedule", "linear"), ("--warmup", "5")):
        _, out, _ = run(capsys, "--preset", "paper-booth", *changes)
        assert "published" not in out
    _, out, _ = run(capsys, "--preset", "paper-booth", "--schedule", "constant", "--warmup", "0")
    assert "published" in out and "schedule" not in out.splitlines()[0]


def test_a_mistake_in_a_rule_of_ones_own_is_pointed_at(capsys):
    status, out, err = run(capsys, "--optimizer", "own-rule:lr=0.01,text=m = 0.9*m + g; x = x - lr*q")
    assert (status, out) == (2, "")
    _, message, text, carets = err.splitlines()
    assert "unknown name “q”" in message and carets.index("^") == text.index("q")


def test_divergence_is_said_and_is_null_in_json(capsys):
    arguments = ("--surface", "booth", "--optimizer", "sgd:lr=1")
    _, out, _ = run(capsys, *arguments)
    assert "diverged at step" in out
    _, out, _ = run(capsys, *arguments, "--json")
    assert json.loads(out)["optimizers"]["sgd:lr=1"]["losses"][-1] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--preset", "paper-rosenbrock"), "paper-booth, paper-himmelblau"),
        (("--surface", "himmelblu"), "no surface 'himmelblu'; did you mean himmelblau?"),
        (("--surface", "Boosh"), "no surface 'Boosh'; did you mean booth?"),
        (("--surface", "three hump camel"), "did you mean three-hump-camel?"),
        (("--surface", "asin"), "asin needs brackets"),
        (("--surface", "plateau"), "neither a name (booth, himmelblau, "),
        (("--surface", "beal(x)"), "unknown name “beal”"),
        (("--surface", "x^2 + sinn(y)"), "sin"),
        (("--surface", "x^2 + sinn(y)"), "^^^^"),
        (("--optimizer", "kfac:lr=1"), "no optimizer 'kfac'"),
        (("--optimizer", "sgd"), "no learning rate"),
        (("--optimizer", "sgd:lr=fast"), "lr is 'fast'"),
        (("--optimizer", "sgd:speed=1"), "'speed=1' is no setting of sgd"),
        (("--optimizer", "fop:lr=1,nesterov=maybe"), "true or false"),
        (("--optimizer", "fop:lr=1,preconditioner=kfac"), "preconditioner is 'kfac'"),
        (("--optimizer", "sgd:lr=1", "--optimizer", "sgd:lr=1"), "same name"),
        (("--optimizer", "own-rule:lr=1"), "write own-rule:lr=0.01,text="),
        (("--optimizer", "own-rule:text="), "a rule sets x"),
        (("--optimizer", "own-rule:lr=fast,text=x = x - g"), "lr is 'fast'"),
        (("--optimizer", "own-rule:speed=1,text=x = x - g"), "'speed=1' is no setting of own-rule"),
        (("--optimizer", "own-rule:text=x = __import__('os')"), "own-rule is no rule"),
        (("--warmup", "30", "--max-steps", "20"), "warmup is 30: give 0 to max_steps, which is 20"),
        (("--warmup", "-1"), "warmup is -1"),
        (("--start", "nan", "0"), "start"),
        (("--max-steps", "-3"), "max_steps"),
        (("--max-steps", "1000000000000", "--noise", "1"), "max_steps"),
        (("--seed", "-1"), "seed is -1"),
        (("--optimizer", "bfgs:lr=nan"), "lr is 'nan': give a finite number"),
        (("--optimizer", "fop-osgm:lr=inf"), "lr is 'inf': give a finite number"),
    ],
)
def test_a_wrong_argument_is_explained_and_exits_with_2(capsys, arguments, says):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert says in err


def test_help_names_every_surface_preset_and_optimizer(capsys):
    with pytest.raises(SystemExit):
        main(["race", "--help"])
    options, _, _ = capsys.readouterr().out.partition("examples:")
    unwrapped = re.sub(r"-\s+", "-", options)  # lines break after hyphens
    assert {*SURFACES, *PRESETS, *RULES, *METHODS, *SCHEDULES} <= set(re.findall(r"[a-z][a-z-]+", unwrapped))


def test_it_runs_as_a_module_and_survives_a_reader_that_stops_reading():
    command = [sys.executable, "-m", "fop_core", "race", "--preset", "paper-booth", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(10).startswith('{"surface"')
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 0
