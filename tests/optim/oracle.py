"""FOP written naively from the paper: dense matrices, loops, one parameter at a time, nothing shared with fop_core."""

import copy
import math

import torch
from torch import Tensor


def rows_of(shape: tuple[int, ...], layout: str) -> list[tuple[int, ...]] | None:
    """Return for each entry of a parameter, in row-major order, its row and column, or None where it is left alone."""
    positions = []
    spatial = math.prod(shape[2:])
    if layout == "auto":
        if len(shape) < 2 or (len(shape) > 2 and spatial == 1):
            return None
        layout = "input" if len(shape) == 2 else "spatial"
    if (layout == "input" and len(shape) < 2) or (layout == "spatial" and len(shape) < 3):
        return None
    for flat in range(math.prod(shape)):
        index, remainder = [], flat
        for size in reversed(shape):
            index.insert(0, remainder % size)
            remainder //= size
        position = 0
        for size, i in zip(shape[2:], index[2:]):
            position = position * size + i
        if layout == "full":
            positions.append((flat, 0))
        elif layout == "input":
            positions.append((index[1], index[0] * spatial + position))
        else:
            positions.append((position, index[1] * shape[0] + index[0]))
    return positions


class Oracle:
    """One parameter's M, u and hyper-optimizer."""

    def __init__(
        self, shape, kind, layout, *, rho, hyper="adam", M=None, normalized=False, start=1.0, osgm=False, kappa=0.0
    ):
        self.shape, self.kind, self.rho, self.hyper, self.normalized = shape, kind, rho, hyper, normalized
        self.osgm, self.kappa, self.previous = osgm, kappa, None
        self.positions = rows_of(shape, "full" if kind in ("scalar", "diagonal") else layout)
        self.used = self.positions is not None
        self.u = self.nesterov_trace = self.epsilon = None
        if not self.used:
            return
        self.rows, self.columns = (list(indices) for indices in zip(*self.positions))
        self.n, self.m = max(self.rows) + 1, max(self.columns) + 1
        self.M = start * torch.eye(self.n, dtype=torch.float64) if M is None else M.double().clone()
        if kind == "exponential":
            self.M = torch.zeros(self.n, self.n, dtype=torch.float64)
        if kind == "scalar":
            self.M = start * torch.ones((), dtype=torch.float64)
        if kind == "diagonal":
            self.M = start * torch.ones(self.n, dtype=torch.float64)
        self.first = torch.zeros_like(self.M)
        self.second = torch.zeros_like(self.M)
        self.count = 0

    def matrix(self, g: Tensor) -> Tensor:
        G = torch.zeros(self.n, self.m, dtype=torch.float64)
        G[self.rows, self.columns] = g.reshape(-1).double()
        return G

    def tensor(self, G: Tensor) -> Tensor:
        return G[self.rows, self.columns].reshape(self.shape)

    def P(self, M: Tensor | None = None) -> Tensor:
        M = self.M if M is None else M
        eye = torch.eye(self.n, dtype=torch.float64)
        ones = torch.ones(self.n, self.n, dtype=torch.float64)
        P = {
            "factored": lambda: M @ M.T,
            "low_rank": lambda: eye + M @ M.T,
            "direct": lambda: M,
            "exponential": lambda: torch.linalg.matrix_exp(M),
            "scalar": lambda: M * eye,
            "diagonal": lambda: torch.diag(M),
            "mean_removing": lambda: eye - 0.95 * ones / self.n,
        }[self.kind]()
        return math.sqrt(self.n) * P / torch.linalg.matrix_norm(P) if self.normalized else P

    def precondition(self, g: Tensor) -> Tensor:
        return self.tensor(self.P() @ self.matrix(g)) if self.used else g

    def learn(self, g: Tensor) -> None:
        if not self.used or self.u is None or self.kind == "mean_removing" or self.rho == 0:
            return
        G, U = self.matrix(g), self.matrix(self.nesterov_trace)
        if self.normalized or self.kind == "exponential":  # by automatic differentiation
            M = self.M.clone().requires_grad_()
            with torch.enable_grad():
                phi = -self.epsilon * (G * (self.P(M) @ U)).sum()
            (d,) = torch.autograd.grad(phi, M)
            d = (d + d.T) / 2 if self.kind in ("direct", "exponential") else d
        else:  # Eq. 4 and its kin
            S = G @ U.T + U @ G.T
            d = {
                "factored": lambda: -self.epsilon * S @ self.M,
                "low_rank": lambda: -self.epsilon * S @ self.M,
                "direct": lambda: -self.epsilon * S / 2,
                "scalar": lambda: -self.epsilon * (G * U).sum(),
                "diagonal": lambda: -self.epsilon * (G * U)[:, 0],
            }[self.kind]()
        if self.osgm:
            d = d / (U * U).sum()
        if self.kappa:
            if self.previous is not None:
                self.rho *= math.exp(self.kappa * float((d * self.previous).sum() / (d.norm() * self.previous.norm())))
            self.previous = d
        if self.hyper == "sgd":
            self.M = self.M - self.rho * d
            return
        if self.hyper == "adagrad":
            self.second = self.second + d * d
            self.M = self.M - self.rho * d / (self.second.sqrt() + 1e-12)
            return
        self.count += 1
        self.first = 0.9 * self.first + 0.1 * d
        self.second = 0.999 * self.second + 0.001 * d * d
        mean, square = self.first / (1 - 0.9**self.count), self.second / (1 - 0.999**self.count)
        self.M = self.M - self.rho * mean / (square.sqrt() + 1e-8)

    def advance(self, g: Tensor, epsilon: float, decay: float, dampening: float, nesterov: bool) -> None:
        self.u = g.clone() if self.u is None else decay * self.u + (1 - dampening) * g
        self.nesterov_trace = g + decay * self.u if nesterov else self.u
        self.epsilon = epsilon


class OracleFOP:
    """All parameters, with a torch base that is fed P g."""

    def __init__(self, base, names, kind, layout, *, rho, factors=None, trace="velocity", after=False, **options):
        self.base, self.trace, self.after = base, trace, after
        self.parameters = [(p, group) for group in base.param_groups for p in group["params"]]
        factors = factors or {}
        self.layers = {
            name: Oracle(tuple(p.shape), kind, layout, rho=rho, M=factors.get(name), **options)
            for name, (p, _) in zip(names, self.parameters)
        }

    @torch.no_grad()
    def step(self):
        if self.after:
            self.step_after()
            return
        raw = [p.grad for p, _ in self.parameters]
        rates = [group["lr"] for _, group in self.parameters]
        for (p, _), layer in zip(self.parameters, self.layers.values()):
            if p.grad is not None:
                p.grad = layer.precondition(p.grad)
        self.base.step()
        for g, rate, (_, group), layer in zip(raw, rates, self.parameters, self.layers.values()):
            if g is None:
                continue
            momentum = group["momentum"] if "momentum" in group else group.get("betas", (0,))[0]
            decay = {"velocity": momentum, "one_step": 0}.get(self.trace, self.trace)
            layer.learn(g)
            layer.advance(g, rate, decay, group.get("dampening", 0), group.get("nesterov", False))

    def step_after(self):
        """theta <- theta' + (P - I) Delta, then M descends <G, P(M) Delta> with the Delta of the step before."""
        raw = [p.grad for p, _ in self.parameters]
        starts = [p.detach().clone() for p, _ in self.parameters]
        decays = [
            group["lr"] * group["weight_decay"] if isinstance(self.base, (torch.optim.AdamW, torch.optim.Muon)) else 0
            for _, group in self.parameters
        ]
        self.base.step()
        for (p, _), g, start, decay, layer in zip(self.parameters, raw, starts, decays, self.layers.values()):
            if g is None or not layer.used:
                continue
            delta = p - (1 - decay) * start
            p += layer.precondition(delta) - delta
            layer.learn(g)
            layer.u = layer.nesterov_trace = delta
            layer.epsilon = -1.0

    @torch.no_grad()
    def step_guard(self, closure):
        """Try a step, learn at once from the gradient there, and put all but M back if the loss rose; say whether."""
        with torch.enable_grad():
            loss = closure()
        raw = [p.grad.clone() for p, _ in self.parameters]
        starts = [p.detach().clone() for p, _ in self.parameters]
        states = {p: copy.deepcopy(dict(self.base.state[p])) for p, _ in self.parameters if p in self.base.state}
        traces = [(layer.u, layer.nesterov_trace, layer.epsilon) for layer in self.layers.values()]
        rates = [group["lr"] for _, group in self.parameters]
        if not self.after:
            for (p, _), layer in zip(self.parameters, self.layers.values()):
                p.grad = layer.precondition(p.grad)
        self.base.step()
        for (p, group), g, start, rate, layer in zip(self.parameters, raw, starts, rates, self.layers.values()):
            if self.after and layer.used:
                delta = p - start  # of a base without decoupled decay
                p += layer.precondition(delta) - delta
                layer.u, layer.nesterov_trace, layer.epsilon = delta, delta, -1.0
            elif not self.after:
                momentum = group["momentum"] if "momentum" in group else group.get("betas", (0,))[0]
                layer.advance(g, rate, momentum, group.get("dampening", 0), group.get("nesterov", False))
        with torch.enable_grad():
            undone = not closure() <= loss
        for (p, _), g, start, layer, trace in zip(self.parameters, raw, starts, self.layers.values(), traces):
            if layer.used:
                most = g.norm() if self.after else layer.nesterov_trace.norm()
                longer = undone and p.grad.norm() > most
                layer.learn(p.grad * (most / p.grad.norm()) if longer else p.grad)
            if undone:
                p.copy_(start)
                layer.u, layer.nesterov_trace, layer.epsilon = trace
                self.base.state.pop(p, None)
                if p in states:
                    self.base.state[p] = states[p]
        return undone
