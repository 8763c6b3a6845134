"""What a stack does as one batch against the same layer by layer: products with G, and what takes M alone.

    python -m benchmarks.stacking [--rounds 15] [--threads 1]

A batch of products needs G and U [L, n, m] of one shape. Autograd leaves each G by itself, so a batch of them begins
with a copy, which counts; the U are taken as if they were kept in one tensor. Scaling (Eq. 9 and Theorem 1) and the
look whether P is positive definite take M alone. ``step`` is FOP's whole step, without the network.
"""

import argparse
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import nn

from benchmarks import measure
from fop_core import FOP
from fop_core.optim.stack import Layer, Stack
from fop_core.training.models import all_cnn, mnist_mlp

CALLS = {"products": 10, "scale": 20, "watch": 500, "step": 10}  # in a sample, so that none is over in a moment
CASES: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "allcnn": (all_cnn, {}),
    "allcnn_small": (lambda: all_cnn(width=0.25), {}),
    "mnist_full": (mnist_mlp, {}),
    "mnist_rank16": (mnist_mlp, {"preconditioner": "low_rank"}),
}
SCALED = {"scale": {"normalized": True, "rescale": 2.0}}
SMALL: dict[str, dict[str, dict[str, Any]]] = {
    "allcnn": SCALED | {"watch": {"preconditioner": "direct"}},
    "mnist_rank16": SCALED,
}
"""What takes M alone, with the options under which it does something."""
METHODS = {"scale": "applied", "watch": "watch"}
"""Of a stack, for what takes M alone."""


def optimizer(build: Callable[[], nn.Module], **options: Any) -> FOP:
    """Return FOP on a network, with gradients that stay as they are, after two steps."""
    torch.manual_seed(0)
    model = build()
    made = FOP(torch.optim.SGD(model.named_parameters(), lr=0.05, momentum=0.9), **options)
    for parameter in model.parameters():
        parameter.grad = 1e-3 * torch.randn_like(parameter)
    for _ in range(2):
        made.step()
    return made


def call(stacks: Iterable[Stack], method: str) -> None:
    """Call a method of each stack."""
    for stack in stacks:
        getattr(stack, method)()


def batched(fop: FOP) -> Callable[[], None]:
    """Return a function that forms P G and the hypergradients, of layers with one shape of M and G as one batch."""
    alike: dict[Any, list[Layer]] = {}
    for layer in fop.layers():
        alike.setdefault((layer.M.shape, layer.parameter.shape), []).append(layer)
    groups = []
    for layers in alike.values():
        M = torch.stack([layer.M for layer in layers])
        U = torch.stack([layer.layout.to_matrix(layer.trace).mT for layer in layers]).mT
        epsilons = torch.tensor([layer.epsilon for layer in layers])[:, None, None]
        groups.append((layers, M, U, epsilons))
    kind = fop._kind

    def run() -> None:
        for layers, M, U, epsilons in groups:
            if len(layers) == 1:  # nothing to batch
                [layer] = layers
                G = layer.layout.to_matrix(layer.parameter.grad)
                PG, GtM = kind.apply(layer.M, G)
                layer.layout.to_tensor(PG, layer.parameter.shape)
                kind.alignment(layer.M, G, U[0], GtM).mul_(layer.epsilon)
                continue
            G = torch.stack([layer.layout.to_matrix(layer.parameter.grad).mT for layer in layers]).mT
            PG, GtM = kind.apply(M, G)
            for layer, each in zip(layers, PG.unbind()):
                layer.layout.to_tensor(each, layer.parameter.shape)
            kind.alignment(M, G, U, GtM).mul_(epsilons)

    return torch.no_grad()(run)


def single(fop: FOP) -> list[Stack]:
    """Return a stack for each layer."""
    stacks = []
    for layer in fop.layers():
        layer.M = layer.M.clone()
        stacks.append(Stack(fop._kind, [layer], fop._hyper.init, fop._options))
    return stacks


def repeated(call: Callable[[], Any], count: int) -> Callable[[], None]:
    """Return a function that calls another one several times."""

    def run() -> None:
        for _ in range(count):
            call()

    return run


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    load_before = measure.load()
    torch.set_num_threads(chosen.threads)
    samples: dict[str, list[float]] = {}
    ratios: dict[str, float] = {}
    counts: dict[str, Any] = {}
    for name, (build, options) in CASES.items():
        fop = optimizer(build, **options)

        def products(fop: FOP = fop) -> None:
            for stack in fop._stacks:
                stack.propose(stack.applied(), learning_groups=(0,))

        kinds: dict[str, Callable[[], Any]] = {
            f"{name}_products_batched": batched(fop),
            f"{name}_products_by_layer": torch.no_grad()(products),
        }
        for what, more in SMALL.get(name, {}).items():
            one, other = (optimizer(build, **options, **more) for _ in range(2))
            for how, stacks in (("batched", one._stacks), ("by_layer", single(other))):
                kinds[f"{name}_{what}_{how}"] = partial(call, stacks, METHODS[what])
        kinds[f"{name}_step"] = optimizer(build, **options).step
        counts |= {kind: CALLS[kind.removeprefix(f"{name}_").split("_")[0]] for kind in kinds}
        repeat = {kind: repeated(call, counts[kind]) for kind, call in kinds.items()}
        samples |= measure.by_turns(repeat, chosen.rounds)
        for what in ("products", "scale", "watch"):
            if f"{name}_{what}_batched" in kinds:
                pair = f"{name}_{what}_batched", f"{name}_{what}_by_layer"
                ratios[f"{pair[0]}_vs_by_layer"] = measure.ratio(samples, *pair)
    values = {name: measure.value([1e3 * s / counts[name] for s in seconds], "ms") for name, seconds in samples.items()}
    settings = {"base": "SGD, momentum 0.9", "rank": 16, "rounds": chosen.rounds}
    measure.report(load_before, settings, ratios, values, samples)


if __name__ == "__main__":
    main()
