"""Whole training steps with FOP, and with what one would take instead, against the same step by plain SGD.

A step is forward, backward and optimizer, without data loading; FOP learns M at every one. SOAP and PSGD refresh their
preconditioners at some steps only, as is their default: a median leaves their dear steps out, so each ratio is given of
medians and, as ``..._mean``, of means.
"""

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import pytorch_optimizer
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import measure
from fop_core import FOP
from fop_core.training.models import all_cnn, mnist_mlp
from fop_core.training.muon import MuonAdamW

Make = Callable[[nn.Module], Any]
BATCH = 128


def sgd(model: nn.Module, lr: float = 0.05) -> torch.optim.SGD:
    """Return the base of all FOP contestants."""
    return torch.optim.SGD(model.named_parameters(), lr=lr, momentum=0.9)


ALL_CNN: dict[str, Make] = {
    "sgd": sgd,
    "fop": lambda model: FOP(sgd(model), "factored"),
    "fop_exponential": lambda model: FOP(sgd(model), "exponential"),
    "fop_osgm": lambda model: FOP(sgd(model), "factored", hyper_optimizer="adagrad", feedback="osgm"),
    "adam": lambda model: torch.optim.Adam(model.parameters(), lr=1e-3),
    "muon": lambda model: MuonAdamW(model.named_parameters()),
    "soap": lambda model: pytorch_optimizer.SOAP(model.parameters()),
    "shampoo": lambda model: pytorch_optimizer.Shampoo(model.parameters()),
    "psgd": lambda model: pytorch_optimizer.Kron(model.parameters()),
}
MNIST: dict[str, Make] = {
    "sgd": sgd,
    "rank1": lambda model: FOP(sgd(model), "low_rank", rank=1),
    "rank16": lambda model: FOP(sgd(model), "low_rank", rank=16),
    "full": lambda model: FOP(sgd(model), "factored"),
    "adam": lambda model: torch.optim.Adam(model.parameters(), lr=1e-3),
}


def stepper(model: nn.Module, make: Make, images: Tensor, labels: Tensor, steps: int) -> Callable[[], None]:
    """Return a function that takes ``steps`` whole training steps, and waits for the device at the end."""
    optimizer = make(model)

    def run() -> None:
        for _ in range(steps):
            for p in model.parameters():
                p.grad = None
            functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        if images.is_cuda:
            torch.cuda.synchronize()

    return run


def optimizer_alone(model: nn.Module, make: Make, steps: int) -> Callable[[], None]:
    """Return a function that takes ``steps`` steps of the optimizer alone, on gradients that stay as they are."""
    optimizer = make(model)
    for p in model.parameters():
        p.grad = 1e-3 * torch.randn_like(p)

    def run() -> None:
        for _ in range(steps):
            optimizer.step()
        if next(model.parameters()).is_cuda:
            torch.cuda.synchronize()

    return run


def products(model: nn.Module, device: str, steps: int) -> Callable[[], None]:
    """Return a function that multiplies what a full-rank M on each layer takes: five products of n n m."""
    operands = []
    for p in model.parameters():
        if p.ndim == 2:
            m, n = p.shape
            operands.append((torch.randn(n, n, device=device), torch.randn(n, m, device=device)))

    def run() -> None:
        for _ in range(steps):
            for square, gradient in operands:
                for _ in range(5):
                    square @ gradient
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def contest(
    name: str, build: Callable[[], nn.Module], makes: dict[str, Make], shape: tuple[int, ...], steps: int, device: str
) -> dict[str, Callable[[], None]]:
    """Return a contestant for each optimizer, all from the same weights on the same batch."""
    torch.manual_seed(0)
    start = build().state_dict()
    images = torch.randn(BATCH, *shape, device=device)
    labels = torch.randint(0, 10, (BATCH,), device=device)
    contestants = {}
    for optimizer, make in makes.items():
        model = build().to(device)
        model.load_state_dict(start)
        contestants[f"{name}_{optimizer}"] = stepper(model, make, images, labels, steps)
    return contestants


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--rounds", type=int, default=15, help="of the All-CNN; the MNIST network gets four times as many"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    chosen = parser.parse_args()
    load_before = measure.load()
    gpu = chosen.device == "cuda"
    cnn_steps, mlp_steps = (10, 20) if gpu else (1, 20)

    cnn = contest("allcnn", all_cnn, ALL_CNN, (3, 32, 32), cnn_steps, chosen.device)
    samples = measure.by_turns(cnn, chosen.rounds, warm_up=2)
    mlp = contest("mnist", mnist_mlp, MNIST, (1, 28, 28), mlp_steps, chosen.device)
    mlp["mnist_products"] = products(mnist_mlp(), chosen.device, mlp_steps)
    samples |= measure.by_turns(mlp, 4 * chosen.rounds, warm_up=5)

    ratios = {f"{name}_vs_sgd": measure.ratio(samples, name, "allcnn_sgd") for name in cnn if name != "allcnn_sgd"}
    ratios |= {
        f"{name}_vs_sgd_mean": statistics.mean(samples[name]) / statistics.mean(samples["allcnn_sgd"])
        for name in cnn
        if name != "allcnn_sgd"
    }
    compared = [name for name in mlp if name not in ("mnist_sgd", "mnist_products")]
    ratios |= {f"{name}_vs_sgd": measure.ratio(samples, name, "mnist_sgd") for name in compared}
    alone = {
        f"allcnn_{name}_alone": optimizer_alone(all_cnn().to(chosen.device), ALL_CNN[name], 1)
        for name in ("sgd", "fop")
    }
    samples |= measure.by_turns(alone, 4 * chosen.rounds, warm_up=5)
    own = {
        name: [(a - b) / steps for a, b in zip(samples[one], samples[base], strict=True)]
        for name, one, base, steps in (
            # a whole step of the All-CNN varies by more than FOP takes of it
            ("allcnn_fop", "allcnn_fop_alone", "allcnn_sgd_alone", 1),
            ("mnist_rank1", "mnist_rank1", "mnist_sgd", mlp_steps),
            ("mnist_rank16", "mnist_rank16", "mnist_sgd", mlp_steps),
            ("mnist_full", "mnist_full", "mnist_sgd", mlp_steps),
        )
    }
    ratios["mnist_full_vs_products"] = statistics.median(
        mlp_steps * full / five for full, five in zip(own["mnist_full"], samples["mnist_products"], strict=True)
    )
    values = {f"{name}_own": measure.value([1e3 * s for s in seconds], "ms a step") for name, seconds in own.items()}
    for name, seconds in samples.items():
        steps = cnn_steps if name in cnn else mlp_steps if name in mlp else 1
        values[name] = measure.value([1e3 * s / steps for s in seconds], "ms a step")
    settings = {
        "device": chosen.device,
        "batch": BATCH,
        "all_cnn": "9 layers, 96/192 channels, BatchNorm; FOP spatial 3x3, factored, Adam on M at every step",
        "mnist": "784-100-100-100-10; FOP on the inputs of every layer, Adam on M at every step",
        "steps_a_sample": {"allcnn": cnn_steps, "mnist": mlp_steps},
        "base": "SGD, momentum 0.9",
    }
    measure.report(load_before, settings, ratios, values, samples)


if __name__ == "__main__":
    main()
