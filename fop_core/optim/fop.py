"""FOP: a torch optimizer that learns, for each layer, the matrix its gradient is preconditioned with.

    base = torch.optim.SGD(model.named_parameters(), lr=0.05, momentum=0.9)
    optimizer = FOP(base)

The base keeps its own job and sees the preconditioned gradient. What is learned, and how, is in ``maths``; how equal
shapes are learned together, in ``stack``.
"""

import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from fop_core.optim import checkpointing, checks, describe, groups, hyper, layouts, loading, precision, trace
from fop_core.optim.async_flag import is_captured
from fop_core.optim.finite import FiniteFlags, Member, all_finite, are_finite
from fop_core.optim.forms import FORMS, FormName
from fop_core.optim.guard import Guard, Undo, shortened
from fop_core.optim.preconditioners import PRECONDITIONERS
from fop_core.optim.stack import Applied, Layer, LayerUpdate, Options, Stack


class FOP(Optimizer):
    r"""First-order preconditioning by hypergradient descent, around any ``torch.optim`` optimizer.

    One step with gradient g_t, as the matrix G_t of a layer's layout:

    1. the base moves the parameters by P_t g_t; ``.grad`` is the raw gradient again afterwards;
    2. from a layer's second step on, M descends phi(M) = -eps <G_t, P(M) U> at M_t, with eps, U of the step before;
    3. u <- lambda u + (1 - tau) g_t, starting as u = g_t; U is u, or g + lambda u for a Nesterov base.

    With lambda = 0 this is the paper's Algorithm 1. With lambda the momentum of an SGD base, and P held constant, dM is
    the exact derivative of the loss through the velocity buffer; the one-step form (Eq. 4) lets M run away under
    momentum, because consecutive gradients stay correlated long after the steps have become too large. For Adam and
    other bases that rescale the gradient, dM leaves that rescaling out: a heuristic.

    Args:
        base: the optimizer to wrap: any but LBFGS. Made from ``model.named_parameters()``, its names become the keys of
            ``factors()``; else they are "0", "1", ...
        preconditioner: the form of P: "factored", P = M M^T, or another name in ``forms.FORMS``, which says what each
            is and can, as does docs/optimizer.md.
        layout: "auto" | "input" | "spatial" | "full": which dimension is preconditioned, see ``layouts``. "scalar" and
            "diagonal" take every tensor as it is.
        hyper_lr: rho; 0 freezes M. May be changed at any time. This, ``rank``, ``trace`` and ``update_every`` a
            parameter group may have of its own, as a key of it: see ``groups.OPTIONS``. With
            ``preconditioner=None`` there the group is left to the base.
        hyper_optimizer: "adam" | "sgd" (Algorithm 1) | "adagrad" | a callable from a list of tensors, one [n, k] a
            layer, to an optimizer, whose own learning rate then counts instead of ``hyper_lr``.
        rank: k of "low_rank"; where a layer's n is less, n stands in for it, see ``cut_ranks``.
        init_std: standard deviation of M at the start, "low_rank" only.
        seed: of the private generator that M is drawn from, in parameter order.
        trace: lambda. "velocity": the base's momentum, or ``betas[0]`` | "one_step": 0 | a number in [0, 1].
        normalized: scale P to the Frobenius norm sqrt(n) of the identity (Eq. 9), and differentiate that too.
        rescale: Theorem 1's p_inf: scale P to the spectral norm gamma(t), or None.
        update_every: learn M at every so many steps (steps t with t mod update_every = 0).
        on_nonfinite: "raise": a gradient or hypergradient that is not finite leaves every M and u alone, and a later
            step (or ``check``) raises FloatingPointError | "skip": the whole step is left out and counted in
            ``skipped_steps``, at the price of waiting for the device once a step.
        max_dim: a layer with n above it is left to the base; None for the form's own limit in ``forms.FORMS``.
        hyper_eps: eps of "adam".
        apply: "before": the base's step is made of P g | "after": theta <- theta' + (P - I) Delta, where the base,
            given g itself, went from theta to theta' by Delta, decoupled weight decay aside. Its state never sees P,
            and dM is one-step exact for any base: M descends <G_{t+1}, P(M) Delta_t>, without eps and ``trace``.
        feedback: "hypergradient" | "osgm": divided by ||U||^2, with lambda = 0 by ||G_{t-1}||^2, so that it no longer
            shrinks with the gradients (online scaled gradient methods, arXiv 2505.23081). Not Eq. 9's ``normalized``.
        derivative: of "exponential": "exact" | "root", P^1/2 (.) P^1/2, which is cheaper and too small between
            eigenvectors whose eigenvalues differ.
        init_scale: s, with M_0 = s I in place of I; "low_rank" and "exponential" have starts of their own.
        hyper_lr_step: kappa of a learned rho, rho <- rho exp(kappa cos(H_t, H_{t-1})) for each layer, H the
            hypergradient; 0 leaves rho alone, 0.02 is usual.
        hyper_lr_bounds: the least and the most that such a rho becomes, times ``hyper_lr``.
        guard: for losses over all data, which are a function of the parameters alone: ``step`` takes a closure, and a
            step that would raise the loss, or make it or a gradient not finite, is undone. M learns of it all the same,
            at once from the gradient at the trial; see ``step``. Where a process group is initialized, the loss is the
            mean over its processes.

    Raises:
        TypeError: for a base that cannot be wrapped, or complex or sharded parameters.
        ValueError: for an option out of range.

    Example:
        >>> import torch
        >>> from fop_core import FOP
        >>> model = torch.nn.Linear(2, 1)
        >>> base = torch.optim.SGD(model.named_parameters(), lr=0.05, momentum=0.9)
        >>> optimizer = FOP(base, hyper_lr=0.01)
        >>> inputs = torch.tensor([[1.0, 2.0]])
        >>> for _ in range(2):  # M learns from the second step on
        ...     optimizer.zero_grad()
        ...     (model(inputs) - 100).square().mean().backward()
        ...     optimizer.step()
        >>> optimizer.preconditioners()["weight"]  # P = M M^T was the identity
        tensor([[1.0202, 0.0202],
                [0.0202, 1.0202]])
        >>> optimizer
        FOP(factored, hyper_lr=0.01, trace='velocity') around SGD, 4 numbers learned
          parameter  layout  n  m  rank  learned
          weight     input   2  1     2        4
          left to SGD (bias or norm): bias
    """

    base: Optimizer
    _eager_step: ClassVar[Callable[["FOP", Callable[[], Any] | None], Any] | None] = None

    def __init__(
        self,
        base: Optimizer,
        preconditioner: FormName = "factored",
        layout: Literal["auto", "input", "spatial", "full"] = "auto",
        hyper_lr: float = 1e-4,
        hyper_optimizer: Literal["adam", "sgd", "adagrad"] | Callable[[list[Tensor]], Optimizer] = "adam",
        *,
        rank: int = 16,
        init_std: float = 0.01,
        seed: int = 0,
        trace: Literal["velocity", "one_step"] | float = "velocity",
        normalized: bool = False,
        rescale: float | None = None,
        update_every: int = 1,
        on_nonfinite: Literal["raise", "skip"] = "raise",
        max_dim: int | None = None,
        hyper_eps: float = 1e-8,
        apply: Literal["before", "after"] = "before",
        feedback: Literal["hypergradient", "osgm"] = "hypergradient",
        derivative: Literal["exact", "root"] = "exact",
        init_scale: float = 1.0,
        hyper_lr_step: float = 0.0,
        hyper_lr_bounds: tuple[float, float] = (1e-3, 1e3),
        guard: bool = False,
    ) -> None:
        if not isinstance(base, Optimizer) or isinstance(base, (torch.optim.LBFGS, FOP)):
            raise TypeError(f"base is {type(base).__name__}: give a torch.optim.Optimizer other than LBFGS or FOP")
        options = {k: v for k, v in locals().items() if k in checks.OPTIONS}
        for name, value in options.items():
            checks.OPTIONS[name](name, value)
        if not callable(hyper_optimizer):
            checks.one_of("hyper_optimizer", hyper_optimizer, hyper.NAMES)
        checks.together(options, hyper_optimizer)

        self.base = base
        self.preconditioner = preconditioner
        self.layout = layout
        self.hyper_lr = hyper_lr
        self.hyper_optimizer = hyper_optimizer
        self.hyper_eps = hyper_eps
        self.rank = rank
        self.init_std = init_std
        self.trace = trace
        self.normalized = normalized
        self.rescale = rescale
        self.update_every = update_every
        self.on_nonfinite = on_nonfinite
        self.max_dim = FORMS[preconditioner].max_dim if max_dim is None else max_dim
        self.apply = apply
        self.feedback = feedback
        self.derivative = derivative
        self.init_scale = init_scale
        self.hyper_lr_step = hyper_lr_step
        self.hyper_lr_bounds = hyper_lr_bounds
        self.guard = guard
        self.skipped_steps = 0
        self.undone_steps = 0
        self._steps = 0
        self._kind = PRECONDITIONERS[preconditioner]
        self._generator = torch.Generator().manual_seed(seed)
        self._hyper = hyper.make(hyper_optimizer, hyper_eps, hyper_lr_step, hyper_lr_bounds)
        self._options = Options(normalized, rescale, feedback, derivative)
        self._members: list[Member] = []  # all parameters
        self._stacks: list[Stack] = []
        self._finite = FiniteFlags()
        self._guard = Guard()
        self._sizes: list[int] = []  # of the groups
        self._made: list[dict[str, Any]] = []  # of the groups: what their M were made with
        self._rates = groups.RatesReader()
        self._warned: set[str] = set()
        Optimizer.__setstate__(self, {})  # its hooks without its __init__: groups and state are the base's
        self._leave_out_of_graphs()
        self._register_params()
        if not self._stacks:
            warnings.warn(f"FOP preconditions none of the parameters: {self!r}", stacklevel=2)

    @staticmethod
    def _leave_out_of_graphs() -> None:
        """See to it that ``torch.compile`` takes a step as it is; once, and late: it loads what compiles."""
        if FOP._eager_step is None:
            reason = (
                "FOP's step is taken as it is: leave fullgraph out, or compile base.step and the rest by themselves"
            )
            FOP._eager_step = torch.compiler.disable(FOP._step, reason=reason)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse a wrong option where it is set, not at a later step."""
        if name in checks.OPTIONS:
            checks.OPTIONS[name](name, value)
        super().__setattr__(name, value)

    # the base's own ------------------------------------------------------------------------------------------------

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The base's parameter groups: a scheduler on FOP is a scheduler on the base.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> optimizer = FOP(torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1))
            >>> schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
            >>> optimizer.step(), schedule.step()
            (None, None)
            >>> optimizer.param_groups is optimizer.base.param_groups, optimizer.base.param_groups[0]["lr"]
            (True, 0.05)
        """
        return self.base.param_groups

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        self.base.param_groups = groups

    @property
    def state(self) -> Any:  # type: ignore[override]
        """The base's state.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> optimizer = FOP(torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1))
            >>> optimizer.state is optimizer.base.state
            True
        """
        return self.base.state

    @property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]
        """The base's defaults.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> optimizer = FOP(torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1))
            >>> optimizer.defaults["momentum"]
            0
        """
        return self.base.defaults

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group to the base, and a preconditioner for each of its layers; or, with an error, neither.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> first, second = torch.nn.Linear(3, 2), torch.nn.Linear(2, 1)
            >>> optimizer = FOP(torch.optim.SGD(first.parameters(), lr=0.1))
            >>> optimizer.add_param_group({"params": [second.weight], "lr": 0.01, "hyper_lr": 1e-3})
            >>> [layer.name for layer in optimizer.layers()]
            ['0', '2']
        """
        self.base.add_param_group(param_group)
        try:
            self._register_params()
        except BaseException:
            del self.param_groups[-1]
            raise

    # one step ------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, and learn M.

        With ``guard`` a step is a trial. Where it raises the loss, parameters, the base's state and u become again what
        they were, and ``undone_steps`` counts it; the gradient of each layer counts there as no longer than what the
        step was made of. Where the loss or a gradient is not finite, P is divided by 4 ("low_rank": P - I) in place of
        learning. ``.grad`` is afterwards the gradient where the parameters are. Such a step waits for the device.

        Args:
            closure: evaluates the loss and its gradients; called once. With ``guard`` it has to be there and to return
                the loss, and is called at the trial; once more in each of the first two steps, and where others have
                changed the parameters. Gradients are None before it.

        Returns:
            What the closure returned, or None. With ``guard`` that is the loss where the parameters are now.

        Raises:
            FloatingPointError: where an earlier step's gradient or hypergradient was not finite (``on_nonfinite``), or
                with ``guard`` the loss from which the step starts.
            TypeError: for a sparse or complex gradient, or without the closure that ``guard`` needs.
            ValueError: where a rate of the base is no number, or groups of it were taken away or replaced; with
                ``guard`` for a loss that is no function of the parameters alone: dropout, batch statistics, other data.
            RuntimeError: with ``guard`` for ten steps in a row that were undone; while a CUDA graph is captured, where
                its replays would not be steps.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> x = torch.nn.Parameter(torch.tensor([2.0]))
            >>> optimizer = FOP(torch.optim.SGD([x], lr=1.5), "scalar", hyper_lr=0.2, guard=True)
            >>> def closure():
            ...     optimizer.zero_grad()
            ...     loss = x.square().sum()
            ...     loss.backward()
            ...     return loss
            >>> [round(optimizer.step(closure).item(), 2) for _ in range(4)], optimizer.undone_steps
            ([4.0, 4.0, 2.56, 0.11], 2)
        """
        if torch.compiler.is_compiling():
            assert FOP._eager_step is not None
            return FOP._eager_step(self, closure)
        return self._step(closure)

    def _step(self, closure: Callable[[], Any] | None) -> Any:
        """Take one step, see ``step``."""
        loss = None
        if closure is not None and not self.guard:
            with torch.enable_grad():
                loss = closure()
        self._register_params()
        self._report(waiting=False, stacklevel=6)  # past torch's two wrappers of step
        is_capturing = any(map(is_captured, self._finite.devices))
        if closure is None and not is_capturing and checkpointing.is_start(self.base):
            self.base.step()
            return None
        rates = self._rates.read(self.param_groups, self._made, self)
        if is_capturing:
            self._check_capture(rates)
        if self.guard:
            return self._try(closure, rates)
        gradients = self._gradients()

        learning_groups = self._learning_groups(rates)
        applied, proposals = self._propose(learning_groups)
        updates = [update for proposal in proposals for update in proposal]
        if self.on_nonfinite == "skip" and not all_finite(updates, self._members):
            self.skipped_steps += 1
            return loss

        self._move(applied, proposals, gradients)
        for device, is_finite in self._finite.check(updates, self._members, gradients).items():
            here = [update for update in updates if update.gradient.device == device]
            learning = [update for update in here if update.descent is not None]
            if learning:
                self._hyper.update(learning, is_finite, [each.hyper_lr for each in rates])
            self._advance(here, is_finite, rates)
        if learning_groups:
            self._hyper.finish()
        for stack, proposal, each in zip(self._stacks, proposals, applied):
            stack.advance(proposal, each.scale)
            if learning_groups:
                stack.watch()
        self._steps += 1
        return loss

    def _try(self, closure: Callable[[], Any] | None, rates: list[groups.Rates]) -> Any:
        """Take a step that is undone where it raises the loss, and let M learn at once from the gradient there."""
        if closure is None:
            raise TypeError("guard=True needs a closure that returns the loss: optimizer.step(closure)")
        start = self._guard.start(closure, self._members)
        start.put(self._members)
        gradients = self._gradients()
        applied, proposals = self._propose(())
        updates = [update for proposal in proposals for update in proposal]
        before, undone = Undo(self.base, self._members), True
        try:
            self._move(applied, proposals, gradients)
            is_finite = self._finite.check(updates, self._members, gradients)
            for device, ok in is_finite.items():
                self._advance([update for update in updates if update.gradient.device == device], ok, rates)
            trial = self._guard.evaluate(closure, self._members)
            undone = not (trial.is_finite and trial.value <= start.value)
            if self.learns:
                self._learn_of(trial.is_finite, undone, updates, applied, is_finite, rates)
        finally:
            if undone:
                before.restore()
                start.put(self._members)
        self._steps += 1
        self.undone_steps += undone
        return self._guard.settle(start if undone else trial, undone, self._members)

    def _learn_of(
        self,
        is_usable: bool,
        undone: bool,
        updates: list[LayerUpdate],
        applied: list[Applied],
        is_finite: Mapping[torch.device, Tensor],
        rates: list[groups.Rates],
    ) -> None:
        """Let M learn of a trial, whose gradients are in ``.grad``; or divide P by 4 where it cannot."""
        learning: list[LayerUpdate] = []
        learning_groups = self._learning_groups(rates, always=undone)
        if is_usable and learning_groups:
            for update in updates if undone else ():
                parameter, made_of = update.layer.parameter, update.layer.source
                most = update.gradient if self.apply == "after" else made_of
                if parameter.grad is not None and most is not None:
                    parameter.grad = shortened(parameter.grad.to(most), most).to(parameter)
            with precision.full(self._finite.devices):
                proposals = [
                    stack.propose(each, learning_groups, precondition=False)
                    for stack, each in zip(self._stacks, applied)
                ]
            learning = [update for each in proposals for update in each if update.descent is not None]
        if not is_usable or not are_finite(update.descent for update in learning if update.descent is not None):
            for update in updates:
                self._kind.quarter(update.layer.M)
            return
        for device, ok in is_finite.items():
            if here := [update for update in learning if update.gradient.device == device]:
                self._hyper.update(here, ok, [each.hyper_lr for each in rates])
        if learning:
            self._hyper.finish()
            for stack in self._stacks:
                stack.watch()

    def _learning_groups(self, rates: list[groups.Rates], *, always: bool = False) -> list[int]:
        """Return the numbers of the groups whose M learn in the coming step.

        Args:
            rates: of the groups.
            always: whether ``update_every`` is left aside.
        """
        if not self.learns:
            return []
        step = self._steps + 1
        return [n for n, each in enumerate(rates) if each.hyper_lr and (always or step % each.update_every == 0)]

    def _check_capture(self, rates: list[groups.Rates]) -> None:
        """Raise RuntimeError where the step that is captured would not be a step when it is replayed."""
        if any(each.update_every > 1 for each in rates) or self.on_nonfinite == "skip" or self.guard:
            raise RuntimeError(
                "a captured graph takes the same step at each replay: leave update_every, on_nonfinite and guard as "
                "they are by default"
            )
        if self.learns and any(each.source is None and each.parameter.grad is not None for each in self.layers()):
            raise RuntimeError("the first step makes u and learns nothing: take one before the capture")

    def _gradients(self) -> list[Tensor | None]:
        """Return the gradients of all parameters; raise TypeError for one that cannot be preconditioned."""
        gradients = []
        for name, parameter, _ in self._members:
            checks.gradient(name, gradient := parameter.grad)
            gradients.append(gradient)
        return gradients

    def _propose(self, learning_groups: Collection[int]) -> tuple[list[Applied], list[list[LayerUpdate]]]:
        """Return what the coming step applies, and what it would do, by stacks."""
        with precision.full(self._finite.devices):
            applied = [stack.applied() for stack in self._stacks]
            before = self.apply == "before"
            return applied, [
                stack.propose(each, learning_groups, precondition=before) for stack, each in zip(self._stacks, applied)
            ]

    def _move(self, applied: list[Applied], proposals: list[list[LayerUpdate]], gradients: list[Tensor | None]) -> None:
        """Let the base step: by P g, or by g and then P. ``.grad`` is the raw gradient again afterwards."""
        updates = [update for proposal in proposals for update in proposal]
        if self.apply == "after":
            starts = self._starts(updates)
            self.base.step()
            with precision.full(self._finite.devices):
                for stack, proposal, each in zip(self._stacks, proposals, applied):
                    stack.turn(proposal, each, starts)
            return
        try:
            for update in updates:
                update.layer.parameter.grad = update.preconditioned
            self.base.step()
        finally:
            for (_, parameter, _), gradient in zip(self._members, gradients):
                parameter.grad = gradient

    def _advance(self, updates: list[LayerUpdate], is_finite: Tensor, rates: list[groups.Rates]) -> None:
        """Keep what the step was made of, for the layers of one device."""
        if not self.learns:
            return
        if self.apply == "after":
            trace.replace(updates, is_finite)
        else:
            trace.advance(updates, is_finite, rates)

    def _starts(self, updates: list[LayerUpdate]) -> dict[Layer, Tensor]:
        """Return where decoupled weight decay alone would take each parameter."""
        decays = [groups.decoupled_decay(self.base, group) for group in self.param_groups]
        starts = {}
        for layer in (update.layer for update in updates):
            decay = decays[layer.group]
            kept = not isinstance(decay, Tensor) and decay == 0
            starts[layer] = layer.parameter.clone() if kept else layer.parameter * (1 - decay)
        return starts

    def check(self) -> None:
        """Wait for the device and report now what a later step would report.

        Raises:
            FloatingPointError: where a gradient or hypergradient was not finite.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> layer = torch.nn.Linear(3, 2)
            >>> optimizer = FOP(torch.optim.SGD(layer.named_parameters(), lr=0.1))
            >>> layer(torch.full([1, 3], torch.nan)).sum().backward()
            >>> optimizer.step()
            >>> optimizer.check()
            Traceback (most recent call last):
            FloatingPointError: ...
        """
        self._report(waiting=True, stacklevel=3)

    def _report(self, *, waiting: bool, stacklevel: int) -> None:
        for stack in self._stacks:
            for index in () if stack.definite is None else stack.definite.raised(waiting):
                name = stack.layers[index].name
                if name not in self._warned:
                    self._warned.add(name)
                    warnings.warn(
                        f"the preconditioner of {name!r} is not positive definite after step {self._steps:,}: it may "
                        'reverse the gradient. "factored" cannot; a smaller hyper_lr may do.',
                        stacklevel=stacklevel,
                    )
        bad = [self._members[number][0] for number in self._finite.raised(waiting)]
        if bad and self.on_nonfinite == "raise":
            raise FloatingPointError(
                f"the gradient or hypergradient of {', '.join(map(repr, bad))} was not finite by step {self._steps:,}. "
                "M and u were left as they were; the base has moved the parameters by what it was given. Lower the "
                'learning rate or hyper_lr, clip the gradient, or leave such steps out with on_nonfinite="skip".'
            )

    # what is learned -----------------------------------------------------------------------------------------------

    def _register_params(self) -> None:
        """Give the parameters of groups that are new since the last step their layers, and stack those; or none.

        Raises:
            ValueError: where groups were taken away or replaced, for a name that is there already, a wrong rate or
                option.
            TypeError: for a parameter that cannot be preconditioned.
        """
        known, names = [each[1] for each in self._members], (each[0] for each in self._members)
        new = groups.new_parameters(self.param_groups, known, names, self._sizes, self)
        if len(self.param_groups) == len(self._sizes):
            return

        sizes = [len(group["params"]) for group in self.param_groups]
        members: list[Member] = []
        layers: list[Layer] = []
        for number, name, parameter in new:
            group = self.param_groups[number]
            layout: layouts.Layout | str = f"preconditioner=None in parameter group {number}"
            if groups.option("preconditioner", group, self) is not None:
                layout = self._layout_of(parameter)
            if isinstance(layout, str):
                members.append((name, parameter, layout))
                continue
            dtype = torch.promote_types(parameter.dtype, torch.float32)
            M = self._kind.init(layout.rows(tuple(parameter.shape)), groups.option("rank", group, self), self._draw)
            layers.append(Layer(name, parameter, layout, number, self.init_scale * M.to(parameter.device, dtype)))
            members.append((name, parameter, layers[-1]))

        alike: dict[tuple[Any, ...], list[Layer]] = {}
        for layer in layers:
            alike.setdefault((layer.M.shape, layer.M.dtype, layer.M.device), []).append(layer)
        stacks = [Stack(self._kind, each, self._hyper.init, self._options) for each in alike.values()]
        if isinstance(self._hyper, hyper.Custom) and layers and self.learns:
            self._hyper.register_layers(layers)
        self._stacks += stacks
        self._members += members
        self._sizes = sizes
        self._made += [groups.starts(group, self.base) for group in self.param_groups[len(self._made) :]]
        self._finite.add(self._members, len(known))

    def _layout_of(self, parameter: Tensor) -> layouts.Layout | str:
        shape = tuple(parameter.shape)
        if one_per := FORMS[self.preconditioner].one_per:
            if parameter.numel() == 0:
                return "empty"
            return layouts.ROW if one_per == "tensor" else layouts.FULL
        return layouts.choose(self.layout, shape, self.max_dim)

    def _draw(self, n: int, k: int) -> Tensor:
        return self.init_std * torch.randn(n, k, generator=self._generator)

    @property
    def learns(self) -> bool:
        """Whether the preconditioner has an M to learn; "mean_removing" has none.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> base = torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1)
            >>> FOP(base).learns, FOP(base, "mean_removing").learns
            (True, False)
        """
        return self._kind.alignment is not None

    def layers(self) -> list[Layer]:
        """Return the parameters that have a preconditioner, in order, each with its layout, M and u.

        They are what the next step works with, no copies: read them; ``load_factors`` writes.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> optimizer = FOP(torch.optim.SGD(torch.nn.Linear(3, 2).named_parameters(), lr=0.1))
            >>> [(layer.name, layer.layout.name, list(layer.M.shape)) for layer in optimizer.layers()]
            [('weight', 'input', [3, 3])]
        """
        return [layer for _, _, layer in self._members if isinstance(layer, Layer)]

    def hyper_lr_of(self, layer: Layer) -> float:
        """Return rho of a layer's parameter group: the group's own, or FOP's.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> first, second = torch.nn.Linear(3, 2), torch.nn.Linear(2, 1)
            >>> groups = [{"params": first.parameters()}, {"params": second.parameters(), "hyper_lr": 1e-3}]
            >>> optimizer = FOP(torch.optim.SGD(groups, lr=0.1), hyper_lr=1e-4)
            >>> [optimizer.hyper_lr_of(layer) for layer in optimizer.layers()]
            [0.0001, 0.001]
        """
        return groups.option("hyper_lr", self.param_groups[layer.group], self)

    def _numbered_layers(self) -> dict[int, Layer]:
        """Return the layers by the numbers of their parameters."""
        return {number: layer for number, (_, _, layer) in enumerate(self._members) if isinstance(layer, Layer)}

    @property
    def _custom(self) -> hyper.Custom | None:
        """What a callable has made to learn M, or None."""
        return self._hyper if isinstance(self._hyper, hyper.Custom) else None

    def left_to_base(self) -> dict[str, str]:
        """Return the names of the other parameters, in order, and why each has no preconditioner.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> FOP(torch.optim.SGD(torch.nn.Linear(3, 2).named_parameters(), lr=0.1)).left_to_base()
            {'bias': 'bias or norm'}
        """
        return {name: layer for name, _, layer in self._members if isinstance(layer, str)}

    def factors(self) -> dict[str, Tensor]:
        """Return a copy of what is learned, by parameter name.

        M [n, n] for "factored" and "direct", [n, k] for "low_rank"; 0-d for "scalar"; of the parameter's shape for
        "diagonal"; empty where nothing is learned.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> FOP(torch.optim.SGD(torch.nn.Linear(2, 3).named_parameters(), lr=0.1)).factors()
            {'weight': tensor([[1., 0.],
                    [0., 1.]])}
        """
        if not self.learns:
            return {}
        return {layer.name: self._shown(layer).clone() for layer in self.layers()}

    def preconditioners(self) -> dict[str, Tensor]:
        """Return P as the next step will apply it, scaling included, by parameter name.

        P [n, n]; 0-d for "scalar"; of the parameter's shape for "diagonal".

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> base = torch.optim.SGD(torch.nn.Linear(3, 2).named_parameters(), lr=0.1)
            >>> FOP(base, "scalar", init_scale=2.0).preconditioners()
            {'weight': tensor(2.), 'bias': tensor(2.)}
        """
        shown = {}
        with torch.no_grad(), precision.full(self._finite.devices):
            for stack in self._stacks:
                scale = stack.applied().scale
                for index, layer in enumerate(stack.layers):
                    P = self._shown(layer) if FORMS[self.preconditioner].one_per else self._kind.matrix(layer.M)
                    shown[layer.name] = P.clone() if scale is None else P * scale.total[index].reshape(())
        return {layer.name: shown[layer.name] for layer in self.layers()}

    @torch.no_grad()
    def preconditioned_gradients(self) -> dict[str, Tensor]:
        """Return P g as the coming step will hand it to the base, by parameter name, for those with a gradient.

        Changes nothing: between ``backward`` and ``step`` it shows what P does to this very gradient.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> layer = torch.nn.Linear(2, 1)
            >>> optimizer = FOP(torch.optim.SGD(layer.named_parameters(), lr=0.1))
            >>> optimizer.load_factors({"weight": torch.diag(torch.tensor([1.0, 2.0]))})
            >>> layer(torch.tensor([[1.0, 1.0]])).sum().backward()
            >>> layer.weight.grad, optimizer.preconditioned_gradients()["weight"]
            (tensor([[1., 1.]]), tensor([[1., 4.]]))
        """
        with precision.full(self._finite.devices):
            updates = [update for stack in self._stacks for update in stack.propose(stack.applied(), ())]
        return {update.layer.name: update.preconditioned for update in updates}

    def _shown(self, layer: Layer) -> Tensor:
        """Return M [n, k] in the shape in which it is shown."""
        if one_per := FORMS[self.preconditioner].one_per:
            return layer.M.reshape(() if one_per == "tensor" else layer.parameter.shape)
        return layer.M

    @torch.no_grad()
    def load_factors(self, factors: Mapping[str, Any]) -> None:
        """Put matrices in: all of ``factors`` or, with an error, none. What they were learned with stays as it is.

        Args:
            factors: name -> M, of the shape that ``factors()`` gives; layers that are not named keep theirs.

        Raises:
            ValueError: for an unknown name, a wrong shape, a number that is not finite, or a "direct" M that is not
                symmetric.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> optimizer = FOP(torch.optim.SGD(torch.nn.Linear(2, 3).named_parameters(), lr=0.1))
            >>> optimizer.load_factors({"weight": [[1.0, 0.0], [0.5, 2.0]]})
            >>> optimizer.preconditioners()["weight"]
            tensor([[1.0000, 0.5000],
                    [0.5000, 4.2500]])
        """
        if not isinstance(factors, Mapping):
            raise ValueError(f"{type(factors).__name__} given: load_factors takes a dict, name -> M")
        layers = {layer.name: layer for layer in self.layers()} if self.learns else {}
        if unknown := [name for name in factors if name not in layers]:
            raise ValueError(f"no factor for {unknown}: this optimizer has {list(layers)}")
        loaded = []
        for name, matrix in factors.items():
            M = layers[name].M
            value = loading.as_matrix(f"the factor of {name!r}", matrix, self._shown(layers[name]))
            if FORMS[self.preconditioner].symmetric and not torch.allclose(value, value.mT):
                raise ValueError(f"the factor of {name!r} is not symmetric, as M must be of {self.preconditioner!r}")
            loaded.append((M, value.reshape(M.shape)))
        for M, value in loaded:
            M.copy_(value)

    def memory_usage(self) -> int:
        """Return the bytes that FOP keeps beside the base's own state: M, u, what learns M, and a guard's gradients.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> base = torch.optim.SGD(torch.nn.Linear(100, 10).parameters(), lr=0.1)
            >>> FOP(base).memory_usage()  # M and Adam's two means, [100, 100] each in float32, and its count
            120004
        """
        kept = [tensor for layer in self.layers() for tensor in layer.tensors().values()]
        kept += self._guard.tensors()
        for optimizer in self._hyper.optimizers if isinstance(self._hyper, hyper.Custom) else ():
            kept += [t for state in optimizer.state.values() for t in state.values() if isinstance(t, Tensor)]
        return sum(tensor.numel() * tensor.element_size() for tensor in kept)

    def cut_ranks(self) -> list[str]:
        """Return in words where ``rank`` is more than a layer's n, and n stands in for it.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> base = torch.optim.SGD(torch.nn.Linear(2, 3).named_parameters(), lr=0.1)
            >>> FOP(base, "low_rank", rank=16).cut_ranks()
            ['rank 16 cut to n = 2: weight']
        """
        if self.preconditioner != "low_rank":
            return []
        return describe.cut_ranks(self.layers(), [groups.option("rank", each, self) for each in self.param_groups])

    def __repr__(self) -> str:
        base, layers = type(self.base).__name__, self.layers()
        learned = sum(layer.M.numel() for layer in layers) if self.learns else 0
        options = f"{self.preconditioner}, hyper_lr={self.hyper_lr!r}, trace={self.trace!r}"
        lines = [f"FOP({options}) around {base}, {learned:,} numbers learned"]
        lines += groups.without_momentum(self.param_groups, self)
        lines += describe.own_options([groups.own_options(group, self.base) for group in self.param_groups])
        lines += describe.table(layers, self.left_to_base(), base, self.learns) + self.cut_ranks()
        return "\n  ".join(lines)

    # saving and loading --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the base's state dict with one more key, "fop": all that a run needs to go on bit for bit.

        As with every torch optimizer its tensors are the optimizer's own: copy them to keep them from changing.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> state = FOP(torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1)).state_dict()
            >>> sorted(state), state["fop"]["layers"][0]["M"].shape
            (['fop', 'param_groups', 'state'], torch.Size([3, 3]))
        """
        self._register_params()
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        layers = {
            number: {"epsilon": layer.epsilon, **layer.tensors()} for number, layer in self._numbered_layers().items()
        }
        state: dict[str, Any] = self.base.state_dict()
        state["fop"] = {
            "preconditioner": self.preconditioner,
            "hyper_lr": self.hyper_lr,
            "steps": self._steps,
            "skipped_steps": self.skipped_steps,
            "layers": layers,
            "options": {name: value for name, value in self._named_options().items() if name != "preconditioner"},
        }
        if self.guard:
            state["fop"] |= {"undone_steps": self.undone_steps, "undone_in_a_row": self._guard.in_a_row}
        if self._custom is not None:
            state["fop"]["hyper"] = [optimizer.state_dict() for optimizer in self._custom.optimizers]
        for after in self._optimizer_state_dict_post_hooks.values():
            state = after(self, state) or state
        if checkpointing.is_asking():
            nesterov = [bool(group.get("nesterov", False)) for group in self.param_groups]
            return checkpointing.spread(state, self._numbered_layers(), nesterov, self._custom)
        return state

    @torch.no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what ``state_dict`` returned, into the base as well. Nothing changes where it does not fit.

        Raises:
            ValueError: for a state of a base alone, one that was made under other options (``checks.NAMED`` says which
                count; an earlier version's state names the preconditioner alone) or of other shapes, for a key that is
                missing or one too many, and for a number that is not finite. All is looked at first.

        Example:
            >>> import torch
            >>> from fop_core import FOP
            >>> layer = torch.nn.Linear(2, 3)
            >>> first, second = (FOP(torch.optim.SGD(layer.named_parameters(), lr=lr)) for lr in (0.1, 0.2))
            >>> first.load_factors({"weight": 2 * torch.eye(2)})
            >>> second.load_state_dict(first.state_dict())
            >>> second.factors()["weight"].diagonal(), second.param_groups[0]["lr"]
            (tensor([2., 2.]), 0.1)
        """
        self._register_params()
        if not isinstance(state_dict, Mapping):
            raise ValueError(f"{type(state_dict).__name__} given: load_state_dict takes what state_dict() returned")
        state = dict(state_dict)
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            state = hook(self, state) or state
        layers, custom = self._numbered_layers(), self._custom
        state = checkpointing.gather(state, layers, self.param_groups, custom)
        if "fop" not in state:
            raise ValueError("this state has no FOP in it: load it into the base, optimizer.base.load_state_dict(...)")
        own = state.pop("fop")
        optimizers = None if custom is None else len(custom.optimizers)
        counts = ("undone_steps", "undone_in_a_row") if self.guard else ()
        loading.check_fop(own, layers, self._named_options(), optimizers, counts)
        loading.check_optimizer(self.base, state, [name for name, _, _ in self._members])
        for number, group in enumerate(state["param_groups"]):
            present = self.param_groups[number]
            groups.rates(number, {**present, **group}, self)
            trace = groups.own_options(group, self.base).get("trace", own.get("options", {}).get("trace"))
            loading.check_trace(number, trace, groups.option("trace", present, self))
        state["param_groups"] = loading.with_own_options(state["param_groups"], self.param_groups, self.base)
        states: list[tuple[Optimizer, Mapping[str, Any]]] = [(self.base, state)]
        if custom is not None:
            for optimizer, theirs, saved in zip(custom.optimizers, custom.layers, own["hyper"]):
                loading.check_optimizer(optimizer, saved, [layer.name for layer in theirs], " of the hyper_optimizer")
                states.append((optimizer, saved))
        copies = {
            number: {
                name: own["layers"][number][name].to(layer.M).clone()
                for name in loading.TRACES & own["layers"][number].keys()
            }
            for number, layer in layers.items()
        }

        loading.load_all(states)  # from here on nothing fails
        for number, layer in layers.items():
            entry = own["layers"][number]
            for name, kept in ({"M": layer.M} | layer.state).items():
                kept.copy_(entry[name])
            layer.trace, layer.nesterov_trace = (copies[number].get(name) for name in ("trace", "ahead"))
            epsilon = entry["epsilon"]
            layer.epsilon = epsilon.clone() if isinstance(epsilon, Tensor) else epsilon
        self.hyper_lr = own["hyper_lr"]
        self._made = [groups.starts(group, self.base) for group in self.param_groups]
        self._steps = own["steps"]
        self.skipped_steps = own["skipped_steps"]
        self.undone_steps = own.get("undone_steps", 0)
        self._guard = Guard(own.get("undone_in_a_row", 0))
        for after in self._optimizer_load_state_dict_post_hooks.values():
            after(self)

    def _named_options(self) -> dict[str, Any]:
        """Return the options that a state names; a callable as "callable"."""
        options = {name: getattr(self, name) for name in checks.NAMED}
        return {name: "callable" if callable(value) else value for name, value in options.items()}

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the hooks and a scheduler's wrapped ``step``, which belong to this very object."""
        own = {"step", "_zero_grad_profile_name"}
        return {k: v for k, v in self.__dict__.items() if k not in own and not k.startswith("_optimizer_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Be what was pickled or copied: each layer's M is a view of its stack's again."""
        super().__setstate__(state)
        self._leave_out_of_graphs()
        for stack in self._stacks:
            stack.share()
        if isinstance(self._hyper, hyper.Custom):
            self._hyper.restore()
