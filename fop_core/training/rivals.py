"""Optimizers of pytorch-optimizer, as a run needs them: drawn from torch's generator, resumed bit for bit, inspected.

Importing this imports that package, which takes a moment: it waits until one of them is chosen.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from pytorch_optimizer.optimizer import prodigy, psgd, schedulefree, shampoo, soap
from torch import Tensor
from torch.optim import Optimizer

from fop_core.training.config import OptimizerConfig

Named = Sequence[tuple[str, Tensor]]
Factors = dict[str, dict[str, Tensor]]
DIMENSIONS = ("output", "input", "height", "width")
"""What the factors of a parameter [out, in, KH, KW] are called; a matrix has the first two."""
BALANCE = 0.01  # the probability with which PSGD-Kron's authors balance its factors at a step


def make(chosen: OptimizerConfig, named: Named) -> Optimizer:
    """Return one of these optimizers.

    Args:
        chosen: its settings.
        named: name and parameter of all.

    Raises:
        ValueError: for one of another name.
    """
    common: dict[str, Any] = {"lr": chosen.lr, "weight_decay": chosen.weight_decay}
    adams: dict[str, Any] = {"betas": (chosen.beta1, chosen.beta2), "eps": chosen.eps}
    match chosen.name:
        case "soap":
            return SOAP(named, **common, **adams, precondition_frequency=chosen.precondition_every)
        case "shampoo":
            every = chosen.precondition_every
            return Shampoo(named, **common, matrix_eps=chosen.eps, preconditioning_compute_steps=every)
        case "psgd_kron":
            return Kron(named, chosen.lr, chosen.momentum, chosen.weight_decay)
        case "prodigy":
            return prodigy.Prodigy(named, **common, **adams)
        case "schedule_free_adamw":
            return ScheduleFreeAdamW(named, **common, **adams)
    raise ValueError(f"{chosen.name!r} is not among them")


class Shampoo(shampoo.Shampoo):
    """Shampoo as published (Gupta et al. 2018, Algorithms 1 and 2), a factor for each dimension of a tensor.

    Its package writes the L2 penalty into the gradients; here they stay as they are. With ``precondition_every`` k it
    takes its first step at step k, since before it has no root.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step. A closure evaluates the loss and its gradients; what it returned is returned.

        Raises:
            FloatingPointError: where a factor is not finite, and so has no root.
        """
        loss = _evaluated(closure)
        with _decomposing(), _gradients_kept(self):
            super().step()
        return loss

    def preconditioners(self) -> Factors:
        """Return the inverse roots as applied, (eps I + sum of G_i G_i^T)^(-1 / 2k), by parameter and dimension.

        A factor is [n, n] for the dimension of n, G_i the gradient unfolded along it, k the number of dimensions.
        """
        return _factors(self, lambda state, dimension: state[f"inv_pre_cond_{dimension}"])


class SOAP(soap.SOAP):
    """SOAP (Vyas et al. 2024): Adam in the eigenbases of Shampoo's factors."""

    def __init__(self, named: Named, **options: Any) -> None:
        super().__init__(named, **options)
        for group in self.param_groups:
            group["weight_decouple"] = True  # as it is, for who has to know it

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step. A closure evaluates the loss and its gradients; what it returned is returned.

        Raises:
            FloatingPointError: where a factor is not finite, and so has no eigenbasis.
        """
        loss = _evaluated(closure)
        with _decomposing():
            super().step()
        return loss

    def bases(self) -> Factors:
        """Return the eigenbases Q in which Adam works, by parameter and dimension: columns are eigenvectors [n, n]."""
        return _factors(self, lambda state, dimension: state["Q"][dimension])

    def scales(self) -> dict[str, Tensor]:
        """Return what a gradient is multiplied by in these bases, 1 / (sqrt(v) + eps), in the parameter's shape."""
        return {
            name: 1 / (state["exp_avg_sq"].sqrt() + group["eps"])
            for group in self.param_groups
            for name, state in _states(self, group)
        }


class Kron(psgd.Kron):
    """PSGD-Kron (Li 2015, 2022): P = Q^T Q for each dimension of a tensor, Q triangular.

    Whether its factors are balanced at a step is drawn from torch's generator: numpy's, which its package asks, is
    neither seeded by a run nor kept in its checkpoints. Parameters of one dimension have a diagonal P, and no decay.

    Args:
        named: name and parameter of all.
        lr: the rate.
        momentum: of the gradient that is preconditioned.
        weight_decay: decoupled.
    """

    def __init__(self, named: Named, lr: float, momentum: float, weight_decay: float) -> None:
        parts = [[pair for pair in named if (pair[1].ndim > 1) == matrix] for matrix in (True, False)]
        decays = (weight_decay, 0.0)
        groups = [{"params": part, "weight_decay": decay} for part, decay in zip(parts, decays) if part]
        # A dtype of its own, float32 unless said otherwise, cannot be kept in a checkpoint.
        super().__init__(groups, lr=lr, momentum=momentum, precondition_dtype=None)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step. A closure evaluates the loss and its gradients; what it returned is returned."""
        self.balance_prob = float(torch.rand((), device="cpu").item() < BALANCE)
        return super().step(closure)

    def preconditioners(self) -> Factors:
        """Return Q^T Q as applied, [n, n] by parameter and dimension of n; without those whose Q is diagonal."""
        return _factors(self, lambda state, dimension: _square(state["Q"][dimension]))


class ScheduleFreeAdamW(schedulefree.ScheduleFreeAdamW):
    """Schedule-Free AdamW (Defazio et al. 2024), which trains at one point and is evaluated at another.

    Its package divides the gradients where they are; here they stay as they are.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step. A closure evaluates the loss and its gradients; what it returned is returned."""
        loss = _evaluated(closure)
        with _gradients_kept(self):
            super().step()
        return loss


def _evaluated(closure: Callable[[], Any] | None) -> Any:
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


@contextlib.contextmanager
def _decomposing() -> Iterator[None]:
    """Say what it means where a matrix cannot be decomposed."""
    try:
        yield
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        raise FloatingPointError(f"what it preconditions with is not finite: {error}") from error


@contextlib.contextmanager
def _gradients_kept(optimizer: Optimizer) -> Iterator[None]:
    """Let a step write into copies of the gradients: they are measured after it."""
    pairs = [(p, p.grad) for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    for parameter, gradient in pairs:
        parameter.grad = gradient.clone()
    try:
        yield
    finally:
        for parameter, gradient in pairs:
            parameter.grad = gradient


def _states(optimizer: Optimizer, group: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and state of a group's parameters of two or more dimensions, from their first gradient on."""
    for name, parameter in zip(group["param_names"], group["params"]):
        if parameter.ndim > 1 and (state := optimizer.state.get(parameter)):
            yield name, state


def _factors(optimizer: Optimizer, factor: Callable[[dict[str, Any], int], Any]) -> Factors:
    """Return what each parameter of two or more dimensions has for each of them that is longer than 1.

    Args:
        optimizer: whose parameters.
        factor: state and number of a dimension -> its matrix [n, n], or anything else where it has none.
    """
    everything: Factors = {}
    for group in optimizer.param_groups:
        for name, state in _states(optimizer, group):
            shape = state["exp_avg" if "exp_avg" in state else "momentum_buffer"].shape
            matrices = {DIMENSIONS[at]: factor(state, at) for at, n in enumerate(shape) if n > 1}
            everything[name] = {at: matrix for at, matrix in matrices.items() if getattr(matrix, "ndim", 0) == 2}
    return everything


def _square(Q: Tensor) -> Tensor:
    return Q.mT @ Q if Q.ndim == 2 else Q
