"""Layers of one shape of M, kept as one tensor M [L, n, k].

What takes M alone is one batch for all of them: scaling, and the look whether P is definite. The products with G are
made layer by layer. Autograd leaves each G by itself, and a batch of those begins with a copy: with it the products
take about as long on a CPU, or half as long again (``benchmarks/stacking.py``).
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from fop_core.optim import maths
from fop_core.optim.async_flag import AsyncFlag
from fop_core.optim.layouts import Layout

POWER_ITERATIONS = 16  # a step, from where the last step's ended


@dataclass(eq=False)
class Layer:
    """One parameter with a preconditioner.

    Attributes:
        name: the parameter's name.
        parameter: the parameter.
        layout: how it becomes a matrix [n, m].
        group: the index of its parameter group.
        M: what is learned, [n, k]: a view of its stack's, the same object while this layer lives.
        state: what else is kept for it: the hyper-optimizer's tensors, views of the stack's likewise.
        trace: u, in the parameter's shape; None before the first gradient.
        nesterov_trace: g + lambda u for a Nesterov base, in the parameter's shape.
        epsilon: the learning rate of the step that made the parameter what it is.
    """

    name: str
    parameter: Tensor
    layout: Layout
    group: int
    M: Tensor
    state: dict[str, Tensor] = field(default_factory=dict)
    trace: Tensor | None = None
    nesterov_trace: Tensor | None = None
    epsilon: float | Tensor = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Return all that is kept for it."""
        traces = {"trace": self.trace, "ahead": self.nesterov_trace}
        return {"M": self.M} | self.state | {name: kept for name, kept in traces.items() if kept is not None}

    def __getstate__(self) -> dict[str, Any]:
        # Its stack copies M and state, and gives them back: a pickled view would be a tensor by itself.
        return self.__dict__ | {"M": None, "state": {}}


@dataclass(eq=False, slots=True)
class LayerUpdate:
    """What one layer is about to do.

    Attributes:
        layer: the layer.
        gradient: the raw gradient in M's precision, in the parameter's shape.
        preconditioned: P g in the parameter's shape and dtype.
        descent: minus the hypergradient, [n, k]; None where M is not to learn.
    """

    layer: Layer
    gradient: Tensor
    preconditioned: Tensor
    descent: Tensor | None = None


@dataclass
class Scale:
    """The factor on P for a stack, [L, 1, 1], and its parts.

    Attributes:
        total: what P is multiplied by.
        limit: Theorem 1's part of it, a constant to the derivative; None without ``rescale``.
        normal: Eq. 9's part of it; None without ``normalized``.
        norm: ||P||_F^2 and its gradient, with ``normal``.
        vector: the new vector of the power iteration, with ``limit``.
    """

    total: Tensor
    limit: Tensor | None = None
    normal: Tensor | None = None
    norm: tuple[Tensor, Tensor] | None = None
    vector: Tensor | None = None


class Stack:
    """L layers whose M have one shape, dtype and device.

    Args:
        kind: one of ``preconditioners.PRECONDITIONERS``.
        layers: the L layers; their M become views of the stack's.
        state: what the hyper-optimizer keeps, a function of M [L, n, k] to tensors [L, ...].
        normalized: whether P is scaled by Eq. 9.
        limit: Theorem 1's p_inf, or None.
    """

    def __init__(self, kind: Any, layers: list[Layer], state: Any, normalized: bool, limit: float | None) -> None:
        self.kind = kind
        self.layers = layers
        self.normalized = normalized
        self.limit = limit
        self.M = torch.stack([layer.M for layer in layers])
        size, n, _ = self.M.shape
        self.definite = None if kind.definite is None else AsyncFlag(size, self.M.device)
        self.kept: dict[str, Tensor] = {} if kind.alignment is None else state(self.M)
        if limit is not None:
            # A start that no structure of P is likely to be orthogonal to, unlike a constant vector.
            noise = torch.randn(n, 1, generator=torch.Generator().manual_seed(0))
            self.age, self.vector = self.M.new_zeros(size, 1, 1), noise.to(self.M).repeat(size, 1, 1)
            self.kept |= {"age": self.age, "vector": self.vector}
        self.share()

    def share(self) -> None:
        """Make each layer's M and state views of the stack's."""
        for index, layer in enumerate(self.layers):
            layer.M = self.M[index]
            layer.state = {name: tensor[index] for name, tensor in self.kept.items()}

    def scale(self) -> Scale | None:
        """Return the factor on P at the coming step, or None where P is applied as it is."""
        if not self.normalized and self.limit is None:
            return None
        scale = Scale(self.M.new_ones(len(self.layers), 1, 1))
        if self.normalized:
            scale.norm = self.kind.norm(self.M)
            scale.normal = scale.total = maths.normalization(self.M.shape[-2], scale.norm[0])
        if self.limit is not None:
            norm, scale.vector = self.kind.spectral_norm(self.M, self.vector, POWER_ITERATIONS)
            scale.limit = maths.theorem_1_scale(self.age + 1, scale.total.abs() * norm, self.limit)
            scale.total = scale.total * scale.limit
        return scale

    def propose(self, scale: Scale | None, learn: bool) -> list[LayerUpdate]:
        """Return the updates of the layers that have a ``.grad``; changes nothing."""
        updates, dtype = [], self.M.dtype
        for index, layer in enumerate(self.layers):
            raw = layer.parameter.grad
            if raw is None:
                continue
            gradient = raw if raw.dtype is dtype else raw.to(dtype)
            G = layer.layout.to_matrix(gradient)
            PG, GtM = self.kind.apply(layer.M, G)
            if scale is not None:
                PG = PG * scale.total[index]
            preconditioned = layer.layout.to_tensor(PG, raw.shape)
            update = LayerUpdate(layer, gradient, preconditioned if gradient is raw else preconditioned.to(raw.dtype))
            source = layer.nesterov_trace if layer.nesterov_trace is not None else layer.trace
            if learn and source is not None:
                U = layer.layout.to_matrix(source)
                alignment = self.kind.alignment(layer.M, G, U, GtM)
                if scale is not None:
                    alignment = self._through_scale(alignment, G, U, index, scale)
                update.descent = alignment.mul_(layer.epsilon)  # phi is -eps <G, P(M) U>
            updates.append(update)
        return updates

    def _through_scale(self, alignment: Tensor, G: Tensor, U: Tensor, index: int, scale: Scale) -> Tensor:
        """Return the gradient of <G, c s(M) P(M) U> for one layer: s differentiated, c not."""
        if scale.normal is not None and scale.norm is not None:
            value = (alignment * self.layers[index].M).sum() / self.kind.degree
            if self.kind.identity:
                value = value + (G * U).sum()
            square, gradient = scale.norm
            alignment = maths.normalized_alignment(
                alignment, value, square[index], gradient[index], scale.normal[index]
            )
        return alignment if scale.limit is None else alignment * scale.limit[index]

    def advance(self, updates: list[LayerUpdate], scale: Scale | None) -> None:
        """Count the step, and keep the power iteration's vectors, for the layers that moved."""
        if scale is None or scale.vector is None:
            return
        updated = {update.layer for update in updates}
        for index, layer in enumerate(self.layers):
            if layer in updated:
                self.age[index].add_(1)
                self.vector[index].copy_(scale.vector[index])

    def watch(self) -> None:
        """Let the device say whether every P is still positive definite, where that is not certain."""
        if self.definite is not None:
            self.definite.keep(self.kind.definite(self.M))
            self.definite.send()
