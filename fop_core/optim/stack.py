"""Layers of one shape of M, learned as one batch: M [L, n, k], one update for all L."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from fop_core.optim import hyper, maths
from fop_core.optim.alarm import Alarm
from fop_core.optim.layouts import Layout

Setting = tuple[Any, Any, Any, bool]  # learning rate, lambda, tau, whether Nesterov's
POWER_ITERATIONS = 16  # a step, from where the last step's ended


@dataclass(eq=False)
class Layer:
    """One parameter with a preconditioner.

    Attributes:
        name: the parameter's name.
        parameter: the parameter.
        layout: how it becomes a matrix [n, m].
        group: the index of its parameter group.
        trace: u, in the parameter's shape; None before the first gradient.
        ahead: g + lambda u for a Nesterov base, in the parameter's shape.
    """

    name: str
    parameter: Tensor
    layout: Layout
    group: int
    trace: Tensor | None = None
    ahead: Tensor | None = None


@dataclass(slots=True)
class Move:
    """What one layer is about to do.

    Attributes:
        gradient: the raw gradient in M's precision, in the parameter's shape.
        preconditioned: P g in the parameter's shape and dtype.
        alignment: the gradient of <G, P(M) U> [n, k]; None where M is not to learn.
        overlap: <G, U>, 0-d, where Eq. 9 needs it.
        ok: whether the gradient is finite, 0-d bool on the device.
    """

    gradient: Tensor
    preconditioned: Tensor
    alignment: Tensor | None = None
    overlap: Tensor | None = None
    ok: Tensor = field(init=False)


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


@dataclass(eq=False)
class Stack:
    """L layers whose M have one shape, dtype and device.

    Attributes:
        kind: one of ``preconditioners.PRECONDITIONERS``.
        layers: the L layers.
        M: what is learned, [L, n, k].
        views: M[0], M[1], ...: the same objects for the life of the stack.
        epsilon: the learning rate of the step that produced the parameters, [L, 1, 1].
        state: the hyper-optimizer's tensors, [L, ...] each.
        normalized: whether P is scaled by Eq. 9.
        limit: Theorem 1's p_inf, or None.
    """

    kind: Any
    layers: list[Layer]
    M: Tensor
    normalized: bool
    limit: float | None
    state: hyper.State = field(default_factory=dict)

    def __post_init__(self) -> None:
        size, n, _ = self.M.shape
        self.views = list(self.M.unbind(0))
        self.epsilon = self.M.new_zeros(size, 1, 1)
        self._rates: list[float | None] = [None] * size  # what epsilon holds, as far as the host knows
        self.finite = Alarm(size, self.M.device)
        self.definite = None if self.kind.definite is None else Alarm(size, self.M.device)
        if self.limit is not None:
            # A start that no structure of P is likely to be orthogonal to, unlike a constant vector.
            noise = torch.randn(n, 1, generator=torch.Generator().manual_seed(0))
            self.state |= {"age": self.M.new_zeros(size, 1, 1), "vector": noise.to(self.M).repeat(size, 1, 1)}

    def scale(self) -> Scale | None:
        """Return the factor on P at the coming step, or None where P is applied as it is."""
        if not self.normalized and self.limit is None:
            return None
        scale = Scale(self.M.new_ones(len(self.layers), 1, 1))
        if self.normalized:
            scale.norm = self.kind.norm(self.M)
            scale.normal = scale.total = maths.normalization(self.M.shape[-2], scale.norm[0])
        if self.limit is not None:
            norm, scale.vector = self.kind.spectral_norm(self.M, self.state["vector"], POWER_ITERATIONS)
            scale.limit = maths.theorem_1_scale(self.state["age"] + 1, scale.total.abs() * norm, self.limit)
            scale.total = scale.total * scale.limit
        return scale

    def propose(self, scale: Scale | None, learn: bool) -> list[Move | None]:
        """Return each layer's move from its ``.grad``, None for a layer without one; changes nothing."""
        moves: list[Move | None] = []
        sums = []
        for index, (layer, M) in enumerate(zip(self.layers, self.views)):
            raw = layer.parameter.grad
            if raw is None:
                moves.append(None)
                continue
            gradient = raw.to(self.M.dtype)
            G = layer.layout.to_matrix(gradient)
            PG, GtM = self.kind.apply(M, G)
            if scale is not None:
                PG = PG * scale.total[index]
            move = Move(gradient, layer.layout.to_tensor(PG, raw.shape).to(raw.dtype))
            source = layer.ahead if layer.ahead is not None else layer.trace
            if learn and source is not None:
                U = layer.layout.to_matrix(source)
                move.alignment = self.kind.alignment(M, G, U, GtM)
                if self.normalized and self.kind.identity:
                    move.overlap = (G * U).sum()
            moves.append(move)
            sums.append(gradient.sum())
        if sums:
            finite = _finite(torch.stack(sums)).unbind()
            for move, ok in zip(filter(None, moves), finite):
                move.ok = ok
        return moves

    def learn(self, moves: list[Move | None], scale: Scale | None, descent: Any, rate: float) -> None:
        """Descend the hypergradient: one update of M for all layers that have one."""
        present = [move is not None and move.alignment is not None for move in moves]
        if not any(present):
            return
        alignment = self._batch(move.alignment if move else None for move in moves)
        if scale is not None:
            alignment = self._through_scale(alignment, moves, scale)
        ascent = alignment.mul_(self.epsilon)  # phi has the other sign
        ok = _finite(ascent.sum((1, 2)))
        self.finite.keep(ok)
        for index, there in enumerate(present):
            if not there:  # its row is zeros: finite, but not to be taken
                ok[index].fill_(False)
        taken = ok[:, None, None].to(self.M.dtype)
        ascent.nan_to_num_(0.0, 0.0, 0.0).mul_(taken)
        descent.update(hyper.Slope(self.M, ascent, taken, present, self.views), rate, self.state)

    def _through_scale(self, alignment: Tensor, moves: list[Move | None], scale: Scale) -> Tensor:
        """Return the gradient of <G, c s(M) P(M) U>: s differentiated, c not."""
        if scale.normal is not None and scale.norm is not None:
            value = (alignment * self.M).sum((1, 2), keepdim=True) / self.kind.degree
            if self.kind.identity:
                zero = value.new_zeros(())
                overlaps = [zero if move is None or move.overlap is None else move.overlap for move in moves]
                value = value + torch.stack(overlaps)[:, None, None]
            alignment = maths.normalized_alignment(alignment, value, *scale.norm, scale.normal)
        return alignment if scale.limit is None else alignment * scale.limit

    def watch(self) -> None:
        """Let the device say whether P has turned indefinite, where that can happen."""
        if self.definite is not None:
            self.definite.keep(self.kind.definite(self.M))

    def advance(self, moves: list[Move | None], scale: Scale | None, settings: list[Setting]) -> None:
        """Take the step's gradients into the traces, and remember the learning rate it was taken with.

        Args:
            moves: what ``propose`` returned.
            scale: what ``scale`` returned.
            settings: each layer's.
        """
        fine = None if all(moves) else torch.ones_like(self.finite.well[0])
        ok = torch.stack([fine if move is None else move.ok for move in moves])  # type: ignore[misc]
        self.finite.keep(ok)
        taken = ok.to(self.M.dtype)
        weights = taken.unbind()
        decays: dict[Any, tuple[Tensor, ...]] = {}
        for index, (layer, move, setting) in enumerate(zip(self.layers, moves, settings)):
            if move is None:
                continue
            if scale is not None and scale.vector is not None:
                self.state["age"][index].add_(1)
                self.state["vector"][index].copy_(scale.vector[index])
            if self.kind.alignment is None:
                continue
            rate, decay, _, _ = setting
            if decay not in decays:
                decays[decay] = (1 - taken * (1 - decay)).unbind()  # lambda, or 1 where nothing is taken
            self._advance_traces(layer, move, weights[index], decays[decay][index], setting)
            if isinstance(rate, Tensor):
                self.epsilon[index].fill_(rate)
            elif self._rates[index] != rate:
                self.epsilon[index].fill_(rate)
                self._rates[index] = rate

    def _advance_traces(self, layer: Layer, move: Move, taken: Tensor, kept: Tensor, setting: Setting) -> None:
        """Advance u and g + lambda u where ``taken`` is 1, leave them as they are where it is 0.

        Products with 0 and 1 do it in place, in a third of the time of ``torch.where``.
        """
        _, decay, dampening, nesterov = setting
        gradient = move.gradient.nan_to_num(0.0, 0.0, 0.0)
        if layer.trace is None:
            layer.trace = gradient * taken
        else:
            layer.trace.mul_(kept).addcmul_(gradient, taken, value=1 - dampening)
        if not (nesterov and decay):
            layer.ahead = None
            return
        if layer.ahead is None:
            layer.ahead = torch.zeros_like(layer.trace)
        layer.ahead.mul_(1 - taken).addcmul_(layer.trace, taken * decay).addcmul_(gradient, taken)

    def _batch(self, rows: Iterable[Tensor | None]) -> Tensor:
        """Return rows [n, k] as [L, n, k], a missing one as zeros."""
        rows = list(rows)
        if len(rows) == 1 and rows[0] is not None:
            return rows[0].unsqueeze(0)
        return torch.stack([torch.zeros_like(self.views[0]) if row is None else row for row in rows])

    def forget_rates(self) -> None:
        """Take the host's knowledge of ``epsilon`` back, after it was loaded."""
        self._rates = [None] * len(self.layers)

    def tensors(self, index: int) -> dict[str, Tensor]:
        """Return everything kept for one layer: views of the stack's tensors, and the traces."""
        layer = self.layers[index]
        kept = {"M": self.M[index], "epsilon": self.epsilon[index]}
        kept |= {name: tensor[index] for name, tensor in self.state.items()}
        traces = {"trace": layer.trace, "ahead": layer.ahead}
        return kept | {name: tensor for name, tensor in traces.items() if tensor is not None}


def _finite(sums: Tensor) -> Tensor:
    """Return whether sums [L] are finite, in half the kernels of ``isfinite``: x - x is 0 or NaN."""
    return sums - sums == 0
