"""Train the paper's 4-layer, 100-unit network on MNIST with SGD, and with the same SGD inside FOP.

    python examples/mnist.py [--epochs 5] [--rank 16] [--lr 0.05]

Prints test accuracy and seconds after each epoch, and where the eigenvalues of each layer's P went.
"""

import argparse
import gzip
import itertools
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # from a checkout; not needed where fop_core is installed

from fop_core import FOP  # noqa: E402


def load(part: str, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images [N, 784] in [0, 1] and labels [N] of "train" or "t10k"."""
    raw = []
    for kind, header in (("images-idx3", 16), ("labels-idx1", 8)):
        data = gzip.decompress((ROOT / f"data/MNIST/raw/{part}-{kind}-ubyte.gz").read_bytes())
        raw.append(torch.from_numpy(np.frombuffer(data, np.uint8, offset=header).copy()).to(device))
    return raw[0].view(-1, 784).float() / 255, raw[1].long()


def spectrum(optimizer: FOP) -> dict[str, str]:
    """Return the smallest and largest eigenvalue of each layer's P."""
    eigenvalues = {name: torch.linalg.eigvalsh(P) for name, P in optimizer.preconditioners().items()}
    return {name: f"{values[0]:.3f} to {values[-1]:.3f}" for name, values in eigenvalues.items()}


def train(with_fop: bool, chosen: argparse.Namespace, device: str) -> None:
    """Train from the same weights on the same batches, with or without FOP."""
    torch.manual_seed(chosen.seed)
    sizes = [784, 100, 100, 100, 10]
    layers = [layer for n, m in itertools.pairwise(sizes) for layer in (nn.Linear(n, m), nn.ReLU())]
    model = nn.Sequential(*layers[:-1]).to(device)

    optimizer = torch.optim.SGD(model.named_parameters(), lr=chosen.lr, momentum=0.9)
    if with_fop:
        optimizer = FOP(optimizer, "low_rank", rank=chosen.rank, hyper_lr=chosen.hyper_lr)
        before = spectrum(optimizer)
    print(f"\n{optimizer if with_fop else 'SGD'}")

    (images, labels), (test_images, test_labels) = load("train", device), load("t10k", device)
    begin = time.perf_counter()
    for epoch in range(1, chosen.epochs + 1):
        for batch in torch.randperm(len(images)).split(128):
            optimizer.zero_grad()
            functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            accuracy = (model(test_images).argmax(1) == test_labels).float().mean().item()
        print(f"  epoch {epoch}: test accuracy {100 * accuracy:.2f} %, {time.perf_counter() - begin:.1f} s", flush=True)
    if with_fop:
        for name, after in spectrum(optimizer).items():
            print(f"  {name}: eigenvalues of P from {before[name]} before, {after} after")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--hyper-lr", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    for with_fop in (False, True):
        train(with_fop, chosen, "cuda" if torch.cuda.is_available() else "cpu")
