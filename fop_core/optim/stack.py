"""Layers of one shape of M, kept as one tensor M [L, n, k].

What takes M alone is one batch for all of them: scaling, and the look whether P is definite. The products with G are
made layer by layer. Autograd leaves each G by itself, and a batch of those begins with a copy: with it the products
take about as long on a CPU, or half as long again (``benchmarks/stacking.py``).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from fop_core.optim import maths, scalars
from fop_core.optim.async_flag import AsyncFlag
from fop_core.optim.layouts import INPUT, Layout

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

    @property
    def source(self) -> Tensor | None:
        """U, what the last step was made of: g + lambda u for a Nesterov base, else u; None before the first."""
        return self.trace if self.nesterov_trace is None else self.nesterov_trace

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
        preconditioned: what the base is given, P g, in the parameter's shape and dtype.
        descent: minus the hypergradient, [n, k]; None where M is not to learn.
        step: Delta, the base's own step in M's precision, in the parameter's shape; only where P is applied after it.
    """

    layer: Layer
    gradient: Tensor
    preconditioned: Tensor
    descent: Tensor | None = None
    step: Tensor | None = None


@dataclass(frozen=True)
class Options:
    """What all layers of an optimizer share, see ``FOP``.

    Attributes:
        normalized: whether P is scaled by Eq. 9.
        limit: Theorem 1's p_inf, or None.
        feedback: "hypergradient" | "osgm".
        derivative: "exact" | "root", of "exponential".
    """

    normalized: bool = False
    limit: float | None = None
    feedback: str = "hypergradient"
    derivative: str = "exact"


@dataclass
class Applied:
    """What a stack applies at a step.

    Attributes:
        matrix: what the form's ``apply`` takes in M's place, [L, n, k].
        root: what its ``pull_back`` needs beside it, or None.
        scale: the factor on P, or None where P is applied as it is.
    """

    matrix: Tensor
    root: Any
    scale: "Scale | None" = None


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
        options: what all stacks share.
    """

    def __init__(self, kind: Any, layers: list[Layer], state: Any, options: Options) -> None:
        self.kind = kind
        self.layers = layers
        self.options = options
        self.M = torch.stack([layer.M for layer in layers])
        size, n, _ = self.M.shape
        self.definite = None if kind.definite is None else AsyncFlag(size, self.M.device)
        self.kept: dict[str, Tensor] = {} if kind.alignment is None else state(self.M)
        if options.limit is not None:
            # A start that no structure of P is likely to be orthogonal to, unlike a constant vector.
            noise = torch.randn(n, 1, generator=torch.Generator().manual_seed(0))
            self.age, self.vector = self.M.new_zeros(size, 1, 1), noise.to(self.M).repeat(size, 1, 1)
            self.kept |= {"age": self.age, "vector": self.vector}
        self.by_rows = [self._goes_by_rows(layer) for layer in layers]
        self.share()

    def _goes_by_rows(self, layer: Layer) -> bool:
        """Whether a layer's products are formed from its tensors as they are, [m, n]; see ``preconditioners``."""
        if self.kind.apply_rows is None or layer.layout is not INPUT or layer.parameter.ndim != 2:
            return False
        scaled = self.options.normalized or self.options.limit is not None
        return not scaled and not maths.forms_square(layer.M, layer.parameter.mT)

    def share(self) -> None:
        """Make each layer's M and state views of the stack's."""
        for index, layer in enumerate(self.layers):
            layer.M = self.M[index]
            layer.state = {name: tensor[index] for name, tensor in self.kept.items()}

    def applied(self) -> Applied:
        """Return what the coming step applies."""
        matrix, root = self.kind.prepare(self.M)
        return Applied(matrix, root, self._scale(matrix))

    def _scale(self, matrix: Tensor) -> Scale | None:
        if not self.options.normalized and self.options.limit is None:
            return None
        scale = Scale(self.M.new_ones(len(self.layers), 1, 1))
        if self.options.normalized:
            scale.norm = self.kind.norm(matrix)
            scale.normal = scale.total = maths.normalization(self.M.shape[-2], scale.norm[0])
        if self.options.limit is not None:
            norm, scale.vector = self.kind.spectral_norm(matrix, self.vector, POWER_ITERATIONS)
            scale.limit = maths.theorem_1_scale(self.age + 1, scale.total.abs() * norm, self.options.limit)
            scale.total = scale.total * scale.limit
        return scale

    def propose(
        self, applied: Applied, learning_groups: Collection[int], *, precondition: bool = True
    ) -> list[LayerUpdate]:
        """Return the updates of the layers that have a ``.grad``; changes nothing.

        Args:
            applied: what the step applies.
            learning_groups: the numbers of the parameter groups whose M are to learn.
            precondition: whether P g is formed; else g itself stands in its place.
        """
        updates, learning, dtype, scale = [], [], self.M.dtype, applied.scale
        kind, osgm = self.kind, self.options.feedback == "osgm"
        apply, align, apply_rows, align_rows = kind.apply, kind.alignment, kind.apply_rows, kind.alignment_rows
        plain = applied.matrix is self.M
        for index, layer in enumerate(self.layers):
            raw = layer.parameter.grad
            if raw is None:
                continue
            layout, by_rows = layer.layout, self.by_rows[index]
            gradient = raw if raw.dtype is dtype else raw.to(dtype)
            M = layer.M if plain else applied.matrix[index]
            G = gradient if by_rows else layout.to_matrix(gradient)  # or its transpose
            GtM, preconditioned = None, raw
            if precondition:
                PG, GtM = (apply_rows if by_rows else apply)(M, G)
                if scale is not None:
                    PG = PG * scale.total[index]
                preconditioned = PG if by_rows else layout.to_tensor(PG, raw.shape)
                if gradient is not raw:
                    preconditioned = preconditioned.to(raw.dtype)
            update = LayerUpdate(layer, gradient, preconditioned)
            source = layer.source
            if source is not None and layer.group in learning_groups:
                U = source if by_rows else layout.to_matrix(source)
                alignment = (align_rows if by_rows else align)(M, G, U, GtM)
                if scale is not None:
                    alignment = self._through_scale(alignment, M, G, U, index, scale)
                if osgm:
                    alignment = alignment / (source * source).sum().clamp(min=torch.finfo(dtype).tiny)
                epsilon = layer.epsilon
                if scalars.is_here(alignment) and not isinstance(epsilon, Tensor):
                    epsilon = scalars.number(epsilon, dtype)
                update.descent = alignment.mul_(epsilon)  # phi is -eps <G, P(M) U>
                learning.append((index, update))
            updates.append(update)
        if learning and self.kind.pull_back is not None:
            self._pull_back(applied, learning)
        return updates

    def _pull_back(self, applied: Applied, learning: list[tuple[int, LayerUpdate]]) -> None:
        """Lead descents from P to M, all at once."""
        which = [index for index, _ in learning]
        M, root = (  # one by one: a list of indices would be sent to the device, which waits
            each if len(which) == len(each) else torch.stack([each[index] for index in which])
            for each in (self.M, applied.root)
        )
        in_P = torch.stack([update.descent for _, update in learning])  # type: ignore[misc]
        in_M = self.kind.pull_back(M, root, in_P, self.options.derivative == "exact")
        for (_, update), descent in zip(learning, in_M):
            update.descent = descent

    def _through_scale(self, alignment: Tensor, M: Tensor, G: Tensor, U: Tensor, index: int, scale: Scale) -> Tensor:
        """Return the gradient of <G, c s(M) P(M) U> for one layer: s differentiated, c not."""
        if scale.normal is not None and scale.norm is not None:
            value = (alignment * M).sum() / self.kind.degree
            if self.kind.identity:
                value = value + (G * U).sum()
            square, gradient = scale.norm
            alignment = maths.normalized_alignment(
                alignment, value, square[index], gradient[index], scale.normal[index]
            )
        return alignment if scale.limit is None else alignment * scale.limit[index]

    def turn(self, updates: list[LayerUpdate], applied: Applied, starts: Mapping[Layer, Tensor]) -> None:
        """Apply P to the base's own steps: theta <- theta' + (P - I) Delta, Delta = theta' - start.

        Args:
            updates: of this stack's layers; each learns its Delta.
            applied: what the step applies.
            starts: where each parameter would be without the base's step, decoupled weight decay included.
        """
        numbers = {layer: index for index, layer in enumerate(self.layers)}
        for update in updates:
            layer, index = update.layer, numbers[update.layer]
            update.step = (layer.parameter - starts[layer]).to(self.M.dtype)
            D = layer.layout.to_matrix(update.step)
            PD, _ = self.kind.apply(applied.matrix[index], D)
            if applied.scale is not None:
                PD = PD * applied.scale.total[index]
            layer.parameter.add_(layer.layout.to_tensor(PD - D, layer.parameter.shape).to(layer.parameter.dtype))

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
