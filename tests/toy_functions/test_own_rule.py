"""A reader's rule is the rule that it spells, in a batch too, and its mistakes are shown at their place."""

import pickle

import numpy as np
import pytest
import torch

from fop_core.optim.rules import SGD, Adam, Lion, Momentum, Polyak
from toy_functions import Race, race
from toy_functions.basins import descend
from toy_functions.own_rule import OwnRule
from toy_functions.surfaces import BOOTH, HIMMELBLAU
from toy_functions.tokenizer import MAX_LENGTH, ExpressionError

ADAM = "m = 0.9m + 0.1g; v = 0.999v + 0.001g²; x = x - lr*(m/(1 - 0.9^t))/(sqrt(v)/sqrt(1 - 0.999^t) + 1e-8)"
SPELLED = {
    "sgd": ("x = x - lr*g", SGD(0.01)),
    "momentum": ("m = 0.9*m + g\nx = x - lr*m", Momentum(0.01)),
    "a state set after it is read": ("x = x - lr*(0.9*m + g); m = 0.9*m + g;", Momentum(0.01)),
    "adam": (ADAM, Adam(0.01)),
    "lion": ("x = x - lr*sign(0.9m + 0.1g)\n\nm = 0.99m + 0.01g", Lion(0.01)),
    "polyak": ("x = x - lr*f/norm^2*g", Polyak(0.01)),
    "names like functions and letters": ("xx2 = 0.9*xx2 + g; step = lr; x = x - step*xx2", Momentum(0.01)),
}


@pytest.mark.parametrize("name", SPELLED)
def test_a_rule_is_the_one_that_it_spells(name):
    text, known = SPELLED[name]
    results = race(Race(HIMMELBLAU, (-1.0, 0.5), {"own": OwnRule(0.01, text), "known": known}, max_steps=150))
    np.testing.assert_allclose(results["own"].points, results["known"].points, rtol=1e-9, atol=1e-9)
    assert results["own"].preconditioners is None


@pytest.mark.parametrize("name", SPELLED)
def test_a_batch_is_its_single_races(name):
    rule = OwnRule(0.01, SPELLED[name][0])
    x, y = np.random.default_rng(0).uniform(-2, 2, (2, 40))
    batch = descend(BOOTH, rule, x, y, max_steps=60, tolerance=0.01)
    ends = [race(Race(BOOTH, start, {"": rule}, 0.01, 60))[""] for start in zip(x.tolist(), y.tolist())]
    assert batch.steps.tolist() == [end.steps for end in ends]
    near = 1e-12 if name == "adam" else 0.0  # a power of an array is not always the float's
    np.testing.assert_allclose(np.stack([batch.x, batch.y], 1), [end.points[-1] for end in ends], rtol=near, atol=near)
    assert len(set(batch.steps.tolist())) > 1 or name in ("adam", "lion", "polyak")


def test_tensors_and_float32_keep_their_kind():
    for rule in (OwnRule(0.1, ADAM), OwnRule(0.1, "n = 1; x = 0.5")):
        x = y = torch.ones(3, dtype=torch.float32)
        x, y, state = rule.step(x, y, x, y, rule.start(x, y))
        assert x.dtype == torch.float32 and x.shape == y.shape == (3,) and state[1][0].shape == (3,)
        x = np.float32(1.0)
        x, y, _ = rule.step(x, x, x, x, rule.start(x, x))
        assert type(x) is type(y) is np.float32


def test_f_is_evaluated_only_where_the_rule_names_it():
    assert not OwnRule(0.1, "f0 = g; x = x - lr*f0").uses_oracle
    assert OwnRule(0.1, "x = x - lr*f*g").uses_oracle
    assert not OwnRule(0.1, "x = x - lr*g + 0*f").uses_oracle


def test_a_rule_can_be_pickled_compared_and_changed():
    rule = OwnRule(0.1, ADAM)
    assert pickle.loads(pickle.dumps(rule)) == rule and hash(rule) == hash(OwnRule(0.1, ADAM))
    assert rule != OwnRule(0.2, ADAM)


@pytest.mark.parametrize(
    ("text", "words", "part"),
    [
        ("", "a rule sets x", ""),
        (" ;\n ", "a rule sets x", " ;; "),
        ("m = 0.9*m + g", "a rule sets x", "m = 0.9*m + g"),
        ("x - lr*g", "no statement; write name = expression", "x - lr*g"),
        ("m = g; x -= lr*m", "one name, of letters and digits", "x -"),
        ("m = g\nx = x - lr*q", "unknown name “q”; the variables are x, g, t, lr, norm, f and m, the functions", "q"),
        ("x = x - y", "unknown name “y”", "y"),
        ("x = x - Lr*g", "did you mean lr?", "Lr"),
        ("x = xg", "unknown name “xg”", "xg"),
        ("m = g; x = x - m/0", "division by zero", "0"),
        ("m = g; x = x - m^100", "too large an exponent", "100"),
        ("m = (g; x = x - m", "this bracket is never closed", "("),
        ("x = sin g", "sin needs brackets", "sin"),
        ("x = g = 2", "a second = in one statement", "="),
        ("x == 2", "a second = in one statement", "="),
        ("m = ; x = m", "nothing on the right of =", "="),
        ("= 2; x = 1", "one name, of letters and digits", "="),
        ("g = 2; x = g", "“g” is given and cannot be set", "g"),
        ("x = 1; lr = 2", "“lr” is given and cannot be set", "lr"),
        ("pi = 3; x = pi", "“pi” is given and cannot be set", "pi"),
        ("sin = 3; x = sin(x)", "“sin” is given and cannot be set", "sin"),
        ("my_m = g; x = x", "one name, of letters and digits", "my_m"),
        ("x = __import__('os').abort()", "“_” is not understood", "_"),
        ("x = x.real", "a point without digits", "."),
        ("m = exp(1000); x = m", "not a finite real number", "exp(1000)"),
        ("x = 1" + " " * MAX_LENGTH, "too long: 505 characters; write at most 500", " " * 5),
    ],
)
def test_a_mistake_is_shown_at_its_place(text, words, part):
    with pytest.raises(ExpressionError) as caught:
        OwnRule(0.1, text)
    error = caught.value
    assert words in error.message
    assert error.text[error.position : error.position + error.length] == part
    assert len(error.text) == len(text)


@pytest.mark.parametrize("text", ["x = 1/x", "x = log(x) - g^g", "x = x*exp(t)^64", "x = x - lr*norm/(norm - norm)*g"])
def test_what_is_not_finite_is_divergence(text):
    result = race(Race(BOOTH, (0.0, -4.0), {"": OwnRule(0.1, text)}, max_steps=2000))[""]
    assert result.status == "diverged" and result.steps > 0
