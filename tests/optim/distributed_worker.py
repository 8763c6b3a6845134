"""One of several processes that train by DistributedDataParallel, for test_fop_distributed.py.

python distributed_worker.py RANK COUNT FOLDER: all meet at a file in FOLDER, and each leaves RANK.pt there.
"""

import copy
import sys
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from fop_core import FOP

BATCH = 12


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    layers = nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Conv2d(3, 3, 3), nn.Flatten(), nn.Linear(3 * 4, 5), nn.Tanh()
    return nn.Sequential(*layers, nn.Linear(5, 2)).double()


def batch(step: int, rank: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    inputs = torch.randn(BATCH, 2, 6, 6, generator=generator, dtype=torch.float64)
    targets = torch.randn(BATCH, 2, generator=generator, dtype=torch.float64)
    return inputs[rank::count], targets[rank::count]


def plain(rank: int, count: int, /, **options: Any) -> dict[str, Any]:
    """Twelve steps on new batches; M of before them, and all of after."""
    model = network(rank)  # DistributedDataParallel takes the first one's weights
    wrapped = DistributedDataParallel(model, gradient_as_bucket_view=True)
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.05, momentum=0.9), hyper_lr=1e-2, **options)
    start = optimizer.factors()
    for step in range(12):
        inputs, targets = batch(step, rank, count)
        optimizer.zero_grad()
        (wrapped(inputs) - targets).square().mean().backward()
        optimizer.step()
    return {"start": start, "M": optimizer.factors(), "weights": model.state_dict(), "state": optimizer.state_dict()}


def tried(rank: int, count: int) -> dict[str, Any]:
    """Steps that a guard tries, by a closure that knows the loss of its own share alone."""
    model = network()
    wrapped = DistributedDataParallel(model)
    base = torch.optim.SGD(model.named_parameters(), lr=2.0)
    optimizer = FOP(base, hyper_lr=0.1, hyper_optimizer="adagrad", feedback="osgm", init_scale=0.3, guard=True)
    optimizer.param_groups[0]["lr"] = 1.0
    inputs, targets = batch(0, rank, count)

    def closure() -> torch.Tensor:
        loss = (wrapped(inputs) - targets).square().mean()
        loss.backward()
        return loss

    losses, undone = [], []
    for _ in range(12):
        before = optimizer.undone_steps
        losses.append(float(optimizer.step(closure)))
        undone.append(optimizer.undone_steps - before)
    return {"losses": losses, "undone": undone, "M": optimizer.factors(), "weights": model.state_dict()}


def diverged(rank: int, count: int) -> dict[str, Any]:
    """A guard's start at which one process alone has a loss that is not finite: all of them refuse it."""
    model = network()
    wrapped = DistributedDataParallel(model)
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.1), guard=True)
    inputs, targets = batch(0, rank, count)

    def closure() -> float:
        loss = (wrapped(inputs) - targets).square().mean()
        loss.backward()
        return float("nan") if rank == 0 else float(loss)

    try:
        optimizer.step(closure)
    except FloatingPointError as error:
        return {"said": str(error)}
    return {"said": ""}


def main() -> None:
    rank, count, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet{count}", rank=rank, world_size=count)
    try:
        results = {
            "factored": plain(rank, count),
            "low_rank": plain(rank, count, preconditioner="low_rank", rank=2, init_std=0.3),
            "guarded": tried(rank, count),
            "diverged": diverged(rank, count),
        }
        torch.save(copy.deepcopy(results), folder / f"{rank}of{count}.pt")
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
