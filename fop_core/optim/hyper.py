"""What moves M down its hypergradient: Adam or SGD over all layers at once, or any torch optimizer.

``update`` takes the updates of one device's layers that learn this step, ``is_finite``, 1 or 0 in a 0-d tensor on that
device, and rho of each parameter group. Where ``is_finite`` is 0, because something was not, neither M nor any moment
changes. That is decided on the device, without waiting for it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from fop_core.optim import batched, scalars
from fop_core.optim.stack import Layer, LayerUpdate


class SGD:
    """M <- M - rho dM (Algorithm 1)."""

    def init(self, M: Tensor) -> dict[str, Tensor]:
        """Return no state."""
        return {}

    def update(self, updates: list[LayerUpdate], is_finite: Tensor, rates: Sequence[float]) -> None:
        """Change each M in place."""
        for layer, descent in _descents(updates):
            layer.M.addcmul_(descent.nan_to_num_(0.0, 0.0, 0.0), is_finite.to(descent.dtype), value=rates[layer.group])

    def finish(self) -> None:
        """Do nothing: ``update`` has done it all."""


class Adam:
    """Adam (Kingma & Ba 2014), one fused update for all layers, with a step count of each layer's own.

    Args:
        eps: added to the root of the second moment. Entries of a hypergradient can be smaller than the usual 1e-8.
    """

    def __init__(self, eps: float) -> None:
        self.eps = eps

    def init(self, M: Tensor) -> dict[str, Tensor]:
        """Return both moments [L, n, k] and the step counts [L] of a stack."""
        count = torch.zeros(len(M), dtype=torch.float32, device=M.device)
        return {"mean": torch.zeros_like(M), "square": torch.zeros_like(M), "count": count}

    def update(self, updates: list[LayerUpdate], is_finite: Tensor, rates: Sequence[float]) -> None:
        """Change each M and its moments in place: torch.optim.Adam(fused=True), without its bookkeeping."""
        alike: dict[tuple[torch.dtype, float], tuple[list[Tensor], ...]] = {}
        for layer, descent in _descents(updates):
            same = alike.setdefault((descent.dtype, rates[layer.group]), ([], [], [], [], []))
            state = layer.state
            for tensors, each in zip(same, (layer.M, descent, state["mean"], state["square"], state["count"])):
                tensors.append(each)
        certain = scalars.is_here(is_finite) and bool(is_finite)
        nonfinite = scalars.number(0.0, torch.float32) if certain else (1 - is_finite).float()
        for (_, rate), same in alike.items():
            batched.adam(*same, is_finite=is_finite, nonfinite=nonfinite, rate=rate, eps=self.eps)

    def finish(self) -> None:
        """Do nothing: ``update`` has done it all."""


class AdaGrad:
    """AdaGrad (Duchi et al. 2011): S <- S + d^2, M <- M + rho d / (sqrt(S) + 1e-12), entry by entry."""

    eps = 1e-12

    def init(self, M: Tensor) -> dict[str, Tensor]:
        """Return the sum of squares [L, n, k] of a stack."""
        return {"square": torch.zeros_like(M)}

    def update(self, updates: list[LayerUpdate], is_finite: Tensor, rates: Sequence[float]) -> None:
        """Change each M and its sum of squares in place."""
        for layer, descent in _descents(updates):
            descent.nan_to_num_(0.0, 0.0, 0.0).mul_(is_finite.to(descent.dtype))
            square = layer.state["square"].addcmul_(descent, descent)
            layer.M.addcdiv_(descent, square.sqrt().add_(self.eps), value=rates[layer.group])

    def finish(self) -> None:
        """Do nothing: ``update`` has done it all."""


class Adaptive:
    """Another hyper-optimizer with a rate for each layer, which is learned: rho <- rho exp(kappa cos(H_t, H_{t-1})).

    While a layer's hypergradients agree its rate rises, and it falls when they turn back.

    Args:
        inner: SGD, AdaGrad or Adam.
        kappa: how much a rate changes at most in one step, as a logarithm.
        bounds: the least and the most that a rate becomes, times ``hyper_lr``.
    """

    def __init__(self, inner: "SGD | AdaGrad | Adam", kappa: float, bounds: tuple[float, float]) -> None:
        self.inner = inner
        self.kappa = kappa
        self.bounds = bounds

    def init(self, M: Tensor) -> dict[str, Tensor]:
        """Return what the inner one keeps, rho over ``hyper_lr`` [L], and H of the step before [L, n, k]."""
        return self.inner.init(M) | {"rate": M.new_ones(len(M)), "before": torch.zeros_like(M)}

    def update(self, updates: list[LayerUpdate], is_finite: Tensor, rates: Sequence[float]) -> None:
        """Change each rate, then each M as the inner one does, by so much more or less."""
        starts = []
        for layer, descent in _descents(updates):
            descent.nan_to_num_(0.0, 0.0, 0.0)
            factor, before = layer.state["rate"], layer.state["before"]
            tiny = torch.finfo(descent.dtype).tiny
            norms = torch.linalg.vector_norm(descent) * torch.linalg.vector_norm(before)
            cosine = (descent * before).sum() / norms.clamp(min=tiny)
            ok = is_finite.to(descent.dtype)
            factor.mul_((self.kappa * cosine * ok).exp()).clamp_(*self.bounds)
            before.add_((descent - before) * ok)
            starts.append((layer.M, layer.M.clone(), factor))
        self.inner.update(updates, is_finite, rates)
        for M, start, factor in starts:
            M.sub_(start).mul_(factor).add_(start)

    def finish(self) -> None:
        """Do nothing: ``update`` has done it all."""


class Custom:
    """Any torch optimizer over the layers' matrices, one tensor [n, k] a layer. Its own rates count.

    Where nothing is to be learned it is shown zero gradients, and each M is put back afterwards.
    """

    def __init__(self, make: Callable[[list[Tensor]], torch.optim.Optimizer]) -> None:
        self.make = make
        self.optimizers: list[torch.optim.Optimizer] = []
        self.layers: list[list[Layer]] = []  # of each optimizer
        self._before: list[tuple[Tensor, Tensor, Tensor]] = []

    def register_layers(self, layers: list[Layer]) -> None:
        """Make an optimizer over these layers' M, given in parameter order.

        Raises:
            TypeError: where the callable makes none.
        """
        made = self.make([layer.M for layer in layers])
        if not isinstance(made, torch.optim.Optimizer):
            raise TypeError(f"hyper_optimizer returned {type(made).__name__}: it must return a torch.optim.Optimizer")
        self.optimizers.append(made)
        self.layers.append(layers)

    def positions(self) -> dict[Layer, tuple[int, int]]:
        """Return for each layer which optimizer has its M, and as which of that one's tensors."""
        positions: dict[Layer, tuple[int, int]] = {}
        for which, (optimizer, layers) in enumerate(zip(self.optimizers, self.layers)):
            tensors = [id(tensor) for group in optimizer.param_groups for tensor in group["params"]]
            positions |= {layer: (which, tensors.index(id(layer.M))) for layer in layers}
        return positions

    def __getstate__(self) -> dict[str, Any]:
        # An optimizer holds its layers' M, which are views: it is made anew over the copies.
        states = [optimizer.state_dict() for optimizer in self.optimizers]
        return self.__dict__ | {"optimizers": [], "layers": [], "copied": list(zip(self.layers, states))}

    def restore(self) -> None:
        """Make the optimizers of a copy, once its layers have their M."""
        for layers, state in self.__dict__.pop("copied"):
            self.register_layers(layers)
            self.optimizers[-1].load_state_dict(state)

    def init(self, M: Tensor) -> dict[str, Tensor]:
        """Return no state: the optimizer keeps it."""
        return {}

    def update(self, updates: list[LayerUpdate], is_finite: Tensor, rates: Sequence[float]) -> None:
        """Put each layer's hypergradient where ``finish`` and the optimizer find it."""
        for layer, descent in _descents(updates):
            layer.M.grad = descent.nan_to_num_(0.0, 0.0, 0.0).mul_(-is_finite.to(descent.dtype))
            self._before.append((layer.M, is_finite != 0, layer.M.clone()))

    def finish(self) -> None:
        """Step the optimizers, once for all devices."""
        for optimizer in self.optimizers:
            optimizer.step()
        for M, ok, before in self._before:
            M.copy_(torch.where(ok, M, before))
            M.grad = None
        self._before.clear()


NAMES = ("adam", "sgd", "adagrad")


def make(
    chosen: str | Callable[[list[Tensor]], torch.optim.Optimizer], eps: float, kappa: float, bounds: tuple[float, float]
) -> SGD | AdaGrad | Adam | Adaptive | Custom:
    """Return the hyper-optimizer of FOP's options.

    Args:
        chosen: one of ``NAMES``, or what makes a torch optimizer.
        eps: of "adam".
        kappa: of a learned rate, 0 for none.
        bounds: of that.
    """
    if callable(chosen):
        return Custom(chosen)
    inner = SGD() if chosen == "sgd" else AdaGrad() if chosen == "adagrad" else Adam(eps)
    return Adaptive(inner, kappa, bounds) if kappa else inner


def _descents(updates: list[LayerUpdate]) -> list[tuple[Layer, Tensor]]:
    return [(update.layer, update.descent) for update in updates if update.descent is not None]
