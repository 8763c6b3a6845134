"""Each rival follows a twin: its own package where that is installed, else the paper's formula on numpy vectors."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from pytorch_optimizer import Lion, Prodigy

from fop_core.optim import rules
from tests.optim.test_rules import follow, steps_of
from toy_functions.surfaces import BEALE, BOOTH, HIMMELBLAU, ROSENBROCK, quadratic

SURFACES = [BOOTH, HIMMELBLAU, ROSENBROCK]
START = (-1.0, 0.5)


def functions(surface):
    """f, its gradient and its Hessian on numpy vectors."""
    return (
        lambda x: surface.value(*x.tolist()),
        lambda x: np.array(surface.gradient(*x.tolist())),
        lambda x: np.array(surface.hessian(*x.tolist())),
    )


@pytest.mark.parametrize("surface", [BOOTH, HIMMELBLAU], ids=lambda s: s.name)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_lion_follows_its_package(surface, decay):
    rule = rules.Lion(0.01, 0.8, 0.95, weight_decay=decay)
    follow(rule, lambda p: Lion(p, lr=0.01, betas=(0.8, 0.95), weight_decay=decay), surface)


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)  # Prodigy's sums have the default
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("surface", [BOOTH, HIMMELBLAU], ids=lambda s: s.name)
@pytest.mark.parametrize(("lr", "d0"), [(1.0, 1e-6), (0.5, 1e-2)])
def test_prodigy_follows_its_package(surface, lr, d0):
    rule = rules.Prodigy(lr, 0.8, 0.99, d0=d0)
    _, state = follow(rule, lambda p: Prodigy(p, lr=lr, betas=(0.8, 0.99), d0=d0), surface, near=1e-9, steps=100)
    assert state[-1] > 100 * d0 or d0 > 1e-3, "the distance must have grown"


@pytest.mark.parametrize("surface", [*SURFACES, BEALE], ids=lambda s: s.name)
@pytest.mark.parametrize("lr", [1.0, 0.3])
def test_newton_solves_for_its_step(surface, lr):
    _, gradient, hessian = functions(surface)
    points, _ = steps_of(rules.Newton(lr), surface, START, 8)
    for x, after in pairwise(points):
        np.testing.assert_allclose(after, x - lr * np.linalg.solve(hessian(x), gradient(x)), rtol=1e-9, atol=1e-12)


def test_newton_reaches_the_minimum_of_a_quadratic_in_one_step():
    points, _ = steps_of(rules.Newton(), quadratic(100.0, 30.0), (3.0, -2.0), 1)
    np.testing.assert_allclose(points[1], 0, atol=1e-12)


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.name)
@pytest.mark.parametrize("lr", [1.0, 0.2])
def test_polyaks_step_closes_the_gap_of_the_linear_model(surface, lr):
    value, gradient, _ = functions(surface)
    points, _ = steps_of(rules.Polyak(lr), surface, START, 30)
    for x, after in pairwise(points):
        g = gradient(x)
        np.testing.assert_allclose(after, x - lr * (value(x) - surface.floor) / (g @ g) * g, rtol=1e-12)


def bfgs(surface, lr, steps):
    value, gradient, _ = functions(surface)
    x, P, updated, points = np.array(START), np.eye(2), False, [START]
    f, g = value(x), gradient(x)
    for _ in range(steps):
        p = -P @ g
        t = next((t for t in lr * 0.5 ** np.arange(41) if value(x + t * p) <= f + 1e-4 * t * g @ p), None)
        if t is not None:
            s = t * p
            y = gradient(x + s) - g
            if s @ y > 1e-12 * np.linalg.norm(s) * np.linalg.norm(y):
                if not updated:
                    P, updated = (s @ y) / (y @ y) * P, True
                left = np.eye(2) - np.outer(s, y) / (s @ y)
                P = left @ P @ left.T + np.outer(s, s) / (s @ y)
            x = x + s
            f, g = value(x), gradient(x)
        points.append(tuple(x))
    return np.array(points), P


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.name)
@pytest.mark.parametrize("lr", [1.0, 10.0, 1e-3])
def test_bfgs_follows_its_formula(surface, lr):
    points, P = bfgs(surface, lr, 12)
    path, state = steps_of(rules.BFGS(lr), surface, START, 12)
    np.testing.assert_allclose(path, points, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(rules.BFGS().matrix(state), P, rtol=1e-5, atol=1e-9)


def test_bfgs_learns_the_inverse_hessian_and_evaluates_nothing_twice():
    class Counted:
        floor, hessian = 0.0, None
        calls: list = []  # noqa: RUF012

        def value(self, *point):
            self.calls.append(("f", point))
            return ROSENBROCK.value(*point)

        def gradient(self, *point):
            self.calls.append(("g", point))
            return ROSENBROCK.gradient(*point)

    with_guard = rules.FOP(0.01, guard=True, momentum=0.5)
    for rule in (rules.BFGS(), rules.OSGMFOP(), with_guard, rules.OSGMH(), rules.OSGMBest()):
        (x, y), state, oracle = (-1.2, 1.0), rule.start(-1.2, 1.0), Counted()
        oracle.calls = []
        for _ in range(30):
            x, y, state = rule.step(x, y, oracle, state)
        distinct = {each for each in oracle.calls if each[1] != (-1.2, 1.0)}  # OSGM's first trial is where it stands
        assert len(distinct) >= 30 and len(oracle.calls) <= len(distinct) + 4, rule
    surface = quadratic(100.0, 30.0)
    _, state = steps_of(rules.BFGS(), surface, (3.0, -2.0), 9)
    np.testing.assert_allclose(
        rules.BFGS().matrix(state), np.linalg.inv(surface.hessian(0.0, 0.0)), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.name)
def test_psgd_follows_its_formula(surface):
    rule = rules.PSGDNewton(0.2, mu=0.2, init_scale=0.15)
    _, gradient, hessian = functions(surface)
    x, Q, points = np.array(START), 0.15 * np.eye(2), [START]
    for v in np.random.default_rng([0, 2]).standard_normal((1024, 2))[:60]:
        a, b = Q @ hessian(x) @ v, np.linalg.inv(Q).T @ v
        Q = Q - 0.2 * (np.outer(a, a) - np.outer(b, b)) @ Q / (a @ a + b @ b)
        x = x - 0.2 * Q.T @ Q @ gradient(x)
        points.append(tuple(x))
    path, state = steps_of(rule, surface, START, 60)
    np.testing.assert_allclose(path, points, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(rule.matrix(state), Q.T @ Q, rtol=1e-7)


def test_psgd_fits_the_inverse_hessian():
    surface = quadratic(20.0, 30.0)
    _, state = steps_of(rules.PSGDNewton(0.0), surface, (3.0, -2.0), 2500)
    np.testing.assert_allclose(
        rules.PSGDNewton().matrix(state), np.linalg.inv(surface.hessian(0.0, 0.0)), rtol=0.05, atol=0.02
    )


def product(form, P, g):
    return P * g if form == "diagonal" else P @ g


def feedback(form, g_trial, g):
    match form:
        case "full":
            return np.outer(g_trial, g)
        case "diagonal":
            return g_trial * g
    return np.array(g_trial @ g)


def osgm_h(surface, form, eta, steps):
    value, gradient, _ = functions(surface)
    x, points = np.array(START), [START]
    P = np.zeros({"full": (2, 2), "diagonal": 2, "scalar": ()}[form])
    S = np.zeros_like(P)
    for _ in range(steps):
        g = gradient(x)
        trial = x - (P * g if form == "scalar" else product(form, P, g))
        R = -feedback(form, gradient(trial), g) / (g @ g)
        S = S + R * R
        P = P - eta * R / (np.sqrt(S) + 1e-12)
        if value(trial) < value(x):
            x = trial
        points.append(tuple(x))
    return np.array(points)


@pytest.mark.parametrize("surface", [BOOTH, HIMMELBLAU], ids=lambda s: s.name)
@pytest.mark.parametrize("form", ["full", "diagonal", "scalar"])
def test_osgm_h_follows_its_formula(form, surface):
    points = osgm_h(surface, form, 0.05, 25)
    path, _ = steps_of(rules.OSGMH(0.05, form), surface, START, 25)
    np.testing.assert_allclose(path, points, rtol=1e-6, atol=1e-6)
    assert (points[1] == points[0]).all() and (points[-1] != points[0]).any()


def osgm_best(surface, form, eta, steps):
    value, gradient, _ = functions(surface)
    x = before = np.array(START)
    P = np.zeros({"full": (2, 2), "diagonal": 2, "scalar": ()}[form])
    S, beta, s, L, bends, score, rate, points, switched = np.zeros_like(P), 0.95, 0.0, None, [], 0, eta, [START], 0
    for step in range(1, steps + 1):
        g, lag = gradient(x), x - before
        trial = x - (P * g if form == "scalar" else product(form, P, g)) + beta * lag
        g_trial = gradient(trial)
        D = g @ g + (1e-12 if L is None else 0.25 * L**2 * (lag @ lag))
        R = -feedback(form, g_trial, g) / D
        S = S + R * R
        P = P - rate * R / (np.sqrt(S) + 1e-12)
        r = g_trial @ lag / D
        s += r * r
        beta = float(np.clip(beta - r / (np.sqrt(s) + 1e-12), 0.0, 0.9995))
        before = x
        if value(trial) < value(x):
            if np.linalg.norm(trial - x) > 1e-3:
                bends.append(np.linalg.norm(g_trial - g) / np.linalg.norm(trial - x))
            x, score = trial, score + 1
        else:
            score = max(0, score - 2)
        if score > 200 and L is None:
            L = float(np.mean(bends))
            rate, S, switched = 1 / L, 0 * S, step
        points.append(tuple(x))
    return np.array(points), switched


@pytest.mark.parametrize("form", ["full", "diagonal", "scalar"])
def test_osgm_best_follows_its_formula_also_when_it_knows_the_curvature(form):
    surface = quadratic(10.0, 30.0)
    points, switched = osgm_best(surface, form, 2e-4, 330)
    path, _ = steps_of(rules.OSGMBest(2e-4, form), surface, START, 330)
    assert 200 < switched < 320, "it must have gone on for a while"
    np.testing.assert_allclose(path[: switched + 1], points[: switched + 1], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(path, points, rtol=1e-4, atol=1e-5)
