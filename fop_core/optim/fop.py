"""FOP: a torch optimizer that learns, for each layer, the matrix its gradient is preconditioned with.

    base = torch.optim.SGD(model.named_parameters(), lr=0.05, momentum=0.9)
    optimizer = FOP(base)

The base keeps its own job and sees the preconditioned gradient. What is learned, and how, is in ``maths``; how equal
shapes are learned together, in ``stack``.
"""

import contextlib
import functools
import operator
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from fop_core.optim import checks, hyper, layouts, loading
from fop_core.optim.async_flag import AsyncFlag, finite
from fop_core.optim.forms import FORMS, FormName
from fop_core.optim.preconditioners import PRECONDITIONERS
from fop_core.optim.stack import Layer, LayerUpdate, Stack


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
        hyper_lr: rho; 0 freezes M. May be changed at any time.
        hyper_optimizer: "adam" | "sgd" (Algorithm 1) | a callable from a list of tensors, one [n, k] a layer, to an
            optimizer, whose own learning rate then counts instead of ``hyper_lr``.
        rank: k of "low_rank", at most n.
        init_std: standard deviation of M at the start, "low_rank" only.
        seed: of the private generator that M is drawn from, in parameter order.
        trace: lambda. "velocity": the base's momentum, or ``betas[0]`` | "one_step": 0 | a number in [0, 1].
        normalized: scale P to the Frobenius norm sqrt(n) of the identity (Eq. 9), and differentiate that too.
        rescale: Theorem 1's p_inf: scale P to the spectral norm gamma(t), or None.
        update_every: learn M at every so many steps (steps t with t mod update_every = 0).
        on_nonfinite: "raise": a gradient or hypergradient that is not finite leaves every M and u alone, and a later
            step (or ``check``) raises FloatingPointError | "skip": the whole step is left out and counted in
            ``skipped_steps``, at the price of waiting for the device once a step.
        max_dim: a layer with n above it is left to the base.
        hyper_eps: eps of "adam".

    Raises:
        TypeError: for a base that cannot be wrapped, or complex or sharded parameters.
        ValueError: for an option out of range.
    """

    base: Optimizer

    def __init__(
        self,
        base: Optimizer,
        preconditioner: FormName = "factored",
        layout: Literal["auto", "input", "spatial", "full"] = "auto",
        hyper_lr: float = 1e-4,
        hyper_optimizer: Literal["adam", "sgd"] | Callable[[list[Tensor]], Optimizer] = "adam",
        *,
        rank: int = 16,
        init_std: float = 0.01,
        seed: int = 0,
        trace: Literal["velocity", "one_step"] | float = "velocity",
        normalized: bool = False,
        rescale: float | None = None,
        update_every: int = 1,
        on_nonfinite: Literal["raise", "skip"] = "raise",
        max_dim: int = 1024,
        hyper_eps: float = 1e-8,
    ) -> None:
        if not isinstance(base, Optimizer) or isinstance(base, (torch.optim.LBFGS, FOP)):
            raise TypeError(f"base is {type(base).__name__}: give a torch.optim.Optimizer other than LBFGS or FOP")
        options = {k: v for k, v in locals().items() if k in checks.OPTIONS}
        for name, value in options.items():
            checks.OPTIONS[name](name, value)
        if normalized and FORMS[preconditioner].one_per == "tensor":
            raise ValueError('normalized leaves a "scalar" preconditioner nothing to learn: |s| would always be 1')
        if not callable(hyper_optimizer):
            checks.one_of("hyper_optimizer", hyper_optimizer, ("adam", "sgd"))

        self.base = base
        self.preconditioner = preconditioner
        self.layout = layout
        self.hyper_lr = hyper_lr
        self.rank = rank
        self.init_std = init_std
        self.trace = trace
        self.normalized = normalized
        self.rescale = rescale
        self.update_every = update_every
        self.on_nonfinite = on_nonfinite
        self.max_dim = max_dim
        self.skipped_steps = 0
        self._steps = 0
        self._kind = PRECONDITIONERS[preconditioner]
        self._generator = torch.Generator().manual_seed(seed)
        self._hyper: hyper.SGD | hyper.Adam | hyper.Custom
        if callable(hyper_optimizer):
            self._hyper = hyper.Custom(hyper_optimizer)
        else:
            self._hyper = hyper.SGD() if hyper_optimizer == "sgd" else hyper.Adam(hyper_eps)
        self._members: list[tuple[str, Tensor, Layer | str]] = []  # every parameter: its layer, or why it has none
        self._stacks: list[Stack] = []
        self._finite: dict[torch.device, tuple[AsyncFlag, list[int]]] = {}  # of the members there that have entries
        self._sizes: list[int] = []  # of the groups
        self._warned: set[str] = set()
        Optimizer.__setstate__(self, {})  # its hooks without its __init__: groups and state are the base's
        self._register_params()
        if not self._stacks:
            warnings.warn(f"FOP preconditions none of the parameters: {self!r}", stacklevel=2)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse a wrong option where it is set, not at a later step."""
        if name in checks.OPTIONS:
            checks.OPTIONS[name](name, value)
        super().__setattr__(name, value)

    # the base's own ------------------------------------------------------------------------------------------------

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The base's parameter groups: a scheduler on FOP is a scheduler on the base."""
        return self.base.param_groups

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        self.base.param_groups = groups

    @property
    def state(self) -> Any:  # type: ignore[override]
        """The base's state."""
        return self.base.state

    @property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]
        """The base's defaults."""
        return self.base.defaults

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group to the base, and a preconditioner for each of its layers; or, with an error, neither."""
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

        Args:
            closure: evaluates the loss and its gradients; called once.

        Returns:
            What the closure returned, or None.

        Raises:
            FloatingPointError: where an earlier step's gradient or hypergradient was not finite (``on_nonfinite``).
            TypeError: for a sparse or complex gradient.
            ValueError: where a rate of the base is no number, or groups of it were taken away or replaced.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._register_params()
        self._report(waiting=False, stacklevel=5)  # past torch's two wrappers of step
        settings = [self._settings(number, group) for number, group in enumerate(self.param_groups)]
        gradients = []
        for name, parameter, _ in self._members:
            gradients.append(gradient := parameter.grad)
            if gradient is not None and (gradient.layout is not torch.strided or gradient.is_complex()):
                raise TypeError(f"the gradient of {name!r} is sparse or complex: FOP takes dense real ones")

        turn = (self._steps + 1) % self.update_every == 0
        learn = turn and self.hyper_lr != 0 and self.learns
        with _full_precision(device.type for device in self._finite):
            scales = [stack.scale() for stack in self._stacks]
            proposals = [stack.propose(scale, learn) for stack, scale in zip(self._stacks, scales)]
        updates = [update for proposal in proposals for update in proposal]
        if self.on_nonfinite == "skip" and not self._all_finite(updates):
            self.skipped_steps += 1
            return loss

        try:
            for update in updates:
                update.layer.parameter.grad = update.preconditioned
            self.base.step()
        finally:
            for (_, parameter, _), gradient in zip(self._members, gradients):
                parameter.grad = gradient

        for device, is_finite in self._check_finite(updates, gradients).items():
            here = [update for update in updates if update.gradient.device == device]
            learning = [update for update in here if update.descent is not None]
            if learning:
                self._hyper.update(learning, is_finite, self.hyper_lr)
            if self.learns:
                self._advance(here, is_finite, settings)
        if learn:
            self._hyper.finish()
        for stack, proposal, scale in zip(self._stacks, proposals, scales):
            stack.advance(proposal, scale)
            if learn:
                stack.watch()
        self._steps += 1
        return loss

    def _check_finite(self, updates: list[LayerUpdate], gradients: list[Tensor | None]) -> dict[torch.device, Tensor]:
        """Return for each device, in a 0-d tensor there, 1 if all gradients and hypergradients on it are finite.

        Those of parameters without a layer count too: where one is not, the base is about to spoil the model.
        """
        finite_on = {}
        updated = {update.layer: update for update in updates}
        for device, (flag, members) in self._finite.items():
            checked, zero = [], None
            for index in members:
                layer, gradient = self._members[index][2], gradients[index]
                if isinstance(layer, Layer) and (update := updated.get(layer)) is not None:
                    # a gradient that is not finite makes its hypergradient so
                    gradient = update.gradient if update.descent is None else update.descent
                if gradient is None:
                    gradient = zero = torch.zeros((), device=device) if zero is None else zero
                checked.append(gradient)
            ok = finite(checked)
            flag.keep(ok)
            flag.send()
            dtypes = {tensor.dtype for tensor in checked}
            finite_on[device] = ok.all().to(functools.reduce(torch.promote_types, dtypes, torch.float32))
        return finite_on

    def _advance(
        self, updates: list[LayerUpdate], is_finite: Tensor, settings: list[tuple[Any, Any, Any, bool]]
    ) -> None:
        """Take the gradients into u, and into g + lambda u, where ``is_finite`` is 1; leave them alone where it is 0.

        Products with 0 and 1 do it in place, in a third of the time of ``torch.where``.
        """
        kept: dict[Any, Tensor] = {}
        for update in updates:
            layer = update.layer
            layer.epsilon, decay, dampening, nesterov = settings[layer.group]
            gradient = update.gradient.nan_to_num(0.0, 0.0, 0.0)
            if layer.trace is None:
                layer.trace = gradient * is_finite
            else:
                if decay not in kept:
                    kept[decay] = 1 - is_finite * (1 - decay)  # lambda, or 1 where nothing is taken
                layer.trace.mul_(kept[decay]).addcmul_(gradient, is_finite, value=1 - dampening)
            if nesterov and decay:
                if layer.nesterov_trace is None:
                    layer.nesterov_trace = torch.zeros_like(layer.trace)
                layer.nesterov_trace.mul_(1 - is_finite).addcmul_(layer.trace, is_finite * decay).addcmul_(
                    gradient, is_finite
                )
            else:
                layer.nesterov_trace = None

    def check(self) -> None:
        """Wait for the device and report now what a later step would report.

        Raises:
            FloatingPointError: where a gradient or hypergradient was not finite.
        """
        self._report(waiting=True, stacklevel=3)

    def _report(self, *, waiting: bool, stacklevel: int) -> None:
        for stack in self._stacks:
            for index in _ask(stack.definite, waiting):
                name = stack.layers[index].name
                if name not in self._warned:
                    self._warned.add(name)
                    warnings.warn(
                        f"the preconditioner of {name!r} is not positive definite after step {self._steps:,}: it may "
                        'reverse the gradient. "factored" cannot; a smaller hyper_lr may do.',
                        stacklevel=stacklevel,
                    )
        bad = [
            self._members[members[index]][0] for flag, members in self._finite.values() for index in _ask(flag, waiting)
        ]
        if bad and self.on_nonfinite == "raise":
            raise FloatingPointError(
                f"the gradient or hypergradient of {', '.join(map(repr, bad))} was not finite by step {self._steps:,}. "
                "M and u were left as they were; the base has moved the parameters by what it was given. Lower the "
                'learning rate or hyper_lr, clip the gradient, or leave such steps out with on_nonfinite="skip".'
            )

    def _all_finite(self, updates: list[LayerUpdate]) -> bool:
        """Whether all that the base would see, and all hypergradients, are finite. Waits for the device."""
        checked = [update.preconditioned for update in updates]
        checked += [update.descent for update in updates if update.descent is not None]
        checked += [p.grad for _, p, layer in self._members if isinstance(layer, str) and p.grad is not None]
        there: dict[torch.device, list[Tensor]] = {}
        for tensor in checked:
            if tensor.numel():
                there.setdefault(tensor.device, []).append(tensor)
        return all(bool(finite(tensors).all()) for tensors in there.values())

    def _settings(self, number: int, group: Mapping[str, Any]) -> tuple[Any, Any, Any, bool]:
        """Return a group's learning rate, lambda, tau, and whether it is Nesterov's, as this step is taken.

        Raises:
            ValueError: for one that is no number.
        """
        where = f"parameter group {number}"
        name = "momentum" if "momentum" in group or "betas" not in group else "betas"
        momentum = group.get(name, 0.0)
        if name == "betas":
            if not isinstance(momentum, (tuple, list)) or not momentum:
                raise ValueError(f"betas is {momentum!r} in {where}: give a pair of numbers")
            momentum = momentum[0]
        rate, dampening = group.get("lr"), group.get("dampening", 0.0)
        checks.rate(where, "lr", rate)
        checks.rate(where, name, momentum, least=0, most=1)
        checks.rate(where, "dampening", dampening)
        decay = {"velocity": momentum, "one_step": 0.0}.get(self.trace, self.trace)  # type: ignore[arg-type]
        if dampening and not momentum:  # a base without momentum has no use for it
            dampening = 0.0
        return rate.clone() if isinstance(rate, Tensor) else rate, decay, dampening, bool(group.get("nesterov", False))

    # what is learned -----------------------------------------------------------------------------------------------

    def _register_params(self) -> None:
        """Give the parameters of groups that are new since the last step their layers, and stack those; or none.

        Raises:
            ValueError: where groups were taken away or replaced, for a name that is there already, or a wrong rate.
            TypeError: for a parameter that cannot be preconditioned.
        """
        groups, known = self.param_groups, [parameter for _, parameter, _ in self._members]
        there = [parameter for group in groups for parameter in group["params"]]
        sizes = [len(group["params"]) for group in groups]
        old = len(self._sizes)
        if sizes[:old] != self._sizes or not all(map(operator.is_, known, there)):
            raise ValueError(
                "the base's param_groups are no longer those that FOP was made with: they may be added to, not taken "
                "away, replaced or reordered. Put them back, or make a new FOP around the base and give it "
                "load_factors(old.factors())"
            )
        if len(sizes) == old:
            return

        new: list[tuple[int, str, Tensor]] = []
        names = {name for name, _, _ in self._members}
        for number, group in enumerate(groups[old:], old):
            self._settings(number, group)
            numbers = range(len(known) + len(new), len(known) + len(new) + len(group["params"]))
            for name, parameter in zip(map(str, group.get("param_names", numbers)), group["params"], strict=True):
                if name in names:
                    raise ValueError(
                        f"two parameters are named {name!r}: give each a name of its own, as keys of factors()"
                    )
                checks.parameter(name, parameter)
                names.add(name)
                new.append((number, name, parameter))

        members: list[tuple[str, Tensor, Layer | str]] = []
        layers: list[Layer] = []
        for number, name, parameter in new:
            layout = self._layout_of(parameter)
            if isinstance(layout, str):
                members.append((name, parameter, layout))
                continue
            dtype = torch.promote_types(parameter.dtype, torch.float32)
            M = self._kind.init(layout.rows(tuple(parameter.shape)), self.rank, self._draw)
            layers.append(Layer(name, parameter, layout, number, M.to(parameter.device, dtype)))
            members.append((name, parameter, layers[-1]))

        alike: dict[tuple[Any, ...], list[Layer]] = {}
        for layer in layers:
            alike.setdefault((layer.M.shape, layer.M.dtype, layer.M.device), []).append(layer)
        stacks = [Stack(self._kind, each, self._hyper.init, self.normalized, self.rescale) for each in alike.values()]
        if isinstance(self._hyper, hyper.Custom) and layers and self.learns:
            self._hyper.register_layers(layers)
        self._stacks += stacks
        self._members += members
        self._sizes = sizes
        for device in {parameter.device: None for _, parameter, _ in members if parameter.numel()}:
            here = [i for i, (_, p, _) in enumerate(self._members) if p.device == device and p.numel()]
            flag = AsyncFlag(len(here), device)
            if device in self._finite:  # what has not been polled yet is kept
                before = self._finite[device][0]
                flag.ok[: len(before.ok)] = before.ok
            self._finite[device] = flag, here

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
        """Whether the preconditioner has an M to learn; "mean_removing" has none."""
        return self._kind.alignment is not None

    def layers(self) -> list[Layer]:
        """Return the parameters that have a preconditioner, in order, each with its layout, M and u.

        They are what the next step works with, no copies: read them; ``load_factors`` writes.
        """
        return [layer for _, _, layer in self._members if isinstance(layer, Layer)]

    def left_to_base(self) -> dict[str, str]:
        """Return the names of the other parameters, in order, and why each has no preconditioner."""
        return {name: layer for name, _, layer in self._members if isinstance(layer, str)}

    def factors(self) -> dict[str, Tensor]:
        """Return a copy of what is learned, by parameter name.

        M [n, n] for "factored" and "direct", [n, k] for "low_rank"; 0-d for "scalar"; of the parameter's shape for
        "diagonal"; empty where nothing is learned.
        """
        if not self.learns:
            return {}
        return {layer.name: self._shown(layer).clone() for layer in self.layers()}

    def preconditioners(self) -> dict[str, Tensor]:
        """Return P as the next step will apply it, scaling included, by parameter name.

        P [n, n]; 0-d for "scalar"; of the parameter's shape for "diagonal".
        """
        shown = {}
        with torch.no_grad(), _full_precision(device.type for device in self._finite):
            for stack in self._stacks:
                scale = stack.scale()
                for index, layer in enumerate(stack.layers):
                    P = self._shown(layer) if FORMS[self.preconditioner].one_per else self._kind.matrix(layer.M)
                    shown[layer.name] = P.clone() if scale is None else P * scale.total[index].reshape(())
        return {layer.name: shown[layer.name] for layer in self.layers()}

    @torch.no_grad()
    def preconditioned_gradients(self) -> dict[str, Tensor]:
        """Return P g as the coming step will hand it to the base, by parameter name, for those with a gradient.

        Changes nothing: between ``backward`` and ``step`` it shows what P does to this very gradient.
        """
        with _full_precision(device.type for device in self._finite):
            updates = [update for stack in self._stacks for update in stack.propose(stack.scale(), learn=False)]
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
            if self.preconditioner == "direct" and not torch.allclose(value, value.mT):
                raise ValueError(f"the factor of {name!r} is not symmetric, as P = M must be")
            loaded.append((M, value.reshape(M.shape)))
        for M, value in loaded:
            M.copy_(value)

    def memory_usage(self) -> int:
        """Return the bytes that FOP keeps beside the base's own state: M, u, and what learns M."""
        kept = [tensor for layer in self.layers() for tensor in layer.tensors().values()]
        for optimizer in self._hyper.optimizers if isinstance(self._hyper, hyper.Custom) else ():
            kept += [t for state in optimizer.state.values() for t in state.values() if isinstance(t, Tensor)]
        return sum(tensor.numel() * tensor.element_size() for tensor in kept)

    def __repr__(self) -> str:
        rows: list[tuple[str, ...]] = [("parameter", "layout", "n", "m", "rank", "learned")]
        learned = 0
        for layer in self.layers():
            n, k = layer.M.shape
            numbers = n * k if self.learns else 0
            learned += numbers
            m = layer.parameter.numel() // n
            rows.append((layer.name, layer.layout.name, *(f"{x:,}" for x in (n, m, min(n, k), numbers))))
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [f"FOP({self.preconditioner}, {self.hyper_lr=}, {self.trace=}".replace("self.", "")]
        lines[0] += f") around {type(self.base).__name__}, {learned:,} numbers learned"
        for row in rows:
            cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
            lines.append("  " + "  ".join(cells + [cell.rjust(width) for cell, width in zip(row[2:], widths[2:])]))
        left = self.left_to_base()
        for reason in dict.fromkeys(left.values()):
            names = [name for name, why in left.items() if why == reason]
            lines.append(f"  left to {type(self.base).__name__} ({reason}): {', '.join(names)}")
        return "\n".join(lines)

    # saving and loading --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the base's state dict with one more key, "fop": all that a run needs to go on bit for bit.

        As with every torch optimizer its tensors are the optimizer's own: copy them to keep them from changing.
        """
        self._register_params()
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        layers = {
            number: {"epsilon": layer.epsilon, **layer.tensors()}
            for number, (_, _, layer) in enumerate(self._members)
            if isinstance(layer, Layer)
        }
        state: dict[str, Any] = self.base.state_dict()
        state["fop"] = {
            "preconditioner": self.preconditioner,
            "hyper_lr": self.hyper_lr,
            "steps": self._steps,
            "skipped_steps": self.skipped_steps,
            "layers": layers,
        }
        if isinstance(self._hyper, hyper.Custom):
            state["fop"]["hyper"] = [optimizer.state_dict() for optimizer in self._hyper.optimizers]
        for after in self._optimizer_state_dict_post_hooks.values():
            state = after(self, state) or state
        return state

    @torch.no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what ``state_dict`` returned, into the base as well. Nothing changes where it does not fit.

        Raises:
            ValueError: for a state of a base alone, of another preconditioner or of other shapes, for a key that is
                missing or one too many, and for a number that is not finite. All is looked at first.
        """
        self._register_params()
        if not isinstance(state_dict, Mapping):
            raise ValueError(f"{type(state_dict).__name__} given: load_state_dict takes what state_dict() returned")
        state = dict(state_dict)
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            state = hook(self, state) or state
        if "fop" not in state:
            raise ValueError("this state has no FOP in it: load it into the base, optimizer.base.load_state_dict(...)")
        own = state.pop("fop")
        layers = {number: layer for number, (_, _, layer) in enumerate(self._members) if isinstance(layer, Layer)}
        custom = self._hyper if isinstance(self._hyper, hyper.Custom) else None
        loading.check_fop(own, layers, self.preconditioner, None if custom is None else len(custom.optimizers))
        loading.check_optimizer(self.base, state, [name for name, _, _ in self._members])
        for number, group in enumerate(state["param_groups"]):
            self._settings(number, {**self.param_groups[number], **group})
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
            layer.epsilon = entry["epsilon"]
        self.hyper_lr = own["hyper_lr"]
        self._steps = own["steps"]
        self.skipped_steps = own["skipped_steps"]
        for after in self._optimizer_load_state_dict_post_hooks.values():
            after(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the hooks and a scheduler's wrapped ``step``, which belong to this very object."""
        own = {"step", "_zero_grad_profile_name"}
        return {k: v for k, v in self.__dict__.items() if k not in own and not k.startswith("_optimizer_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Be what was pickled or copied: each layer's M is a view of its stack's again."""
        super().__setstate__(state)
        for stack in self._stacks:
            stack.share()
        if isinstance(self._hyper, hyper.Custom):
            self._hyper.restore()


def _ask(flag: AsyncFlag | None, waiting: bool) -> list[int]:
    if flag is None:
        return []
    return flag.read() if waiting else flag.poll()


@contextlib.contextmanager
def _full_precision(devices: Iterable[str]) -> Iterator[None]:
    """Leave autocast and TF32 aside: a hypergradient is a small difference of products."""
    matmuls = {"cpu": torch.backends.mkldnn.matmul, "cuda": torch.backends.cuda.matmul}  # type: ignore[attr-defined]
    devices = set(devices)
    backends = [matmuls[device] for device in devices if device in matmuls]
    before = [backend.fp32_precision for backend in backends]
    autocast = [device for device in devices if torch.is_autocast_enabled(device)]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        for device in autocast:
            torch.set_autocast_enabled(device, False)
        yield
    finally:
        for device in autocast:
            torch.set_autocast_enabled(device, True)
        for backend, precision in zip(backends, before):
            backend.fp32_precision = precision
