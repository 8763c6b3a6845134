"""Train with FOP in several processes, by torch's DistributedDataParallel.

    torchrun --standalone --nproc-per-node 2 examples/ddp.py [--steps 50] [--device cpu]

Each process takes its share of a batch. DistributedDataParallel averages the gradients, so that each has the same; FOP
draws M from the same seed in each, and learns the same M from the same gradients: nothing else has to be sent. At the
end the matrices of all processes are compared.
"""

import argparse
import gzip
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # from a checkout; not needed where fop_core is installed

from fop_core import FOP  # noqa: E402


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Return MNIST's test images [10000, 784] in [0, 1] and labels: few, and there in a checkout."""
    raw = []
    for name, header in (("t10k-images-idx3", 16), ("t10k-labels-idx1", 8)):
        data = gzip.decompress((ROOT / f"data/MNIST/raw/{name}-ubyte.gz").read_bytes())
        raw.append(torch.from_numpy(np.frombuffer(data, np.uint8, offset=header).copy()))
    return raw[0].view(-1, 784).float() / 255, raw[1].long()


def are_the_same(matrices: dict[str, torch.Tensor]) -> bool:
    """Return whether the matrices of all processes are those of the first, to the last bit."""
    for matrix in matrices.values():
        first = matrix.clone()
        distributed.broadcast(first, src=0)
        same = torch.tensor(int(torch.equal(first, matrix)), device=matrix.device)
        distributed.all_reduce(same, distributed.ReduceOp.MIN)
        if not same:
            return False
    return True


def train(chosen: argparse.Namespace) -> None:
    """Train in this process, one of several."""
    rank, count = distributed.get_rank(), distributed.get_world_size()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if chosen.device == "cuda" else torch.device("cpu")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(784, 50), nn.Tanh(), nn.Linear(50, 10)).to(device)
    model = DistributedDataParallel(network)
    base = torch.optim.SGD(network.named_parameters(), lr=0.05, momentum=0.9)
    optimizer = FOP(base, "low_rank", rank=8, hyper_lr=1e-3)  # the same seed, 0, everywhere

    images, labels = digits()
    generator = torch.Generator().manual_seed(0)  # the same batches everywhere, of which each process takes its share
    for step in range(1, chosen.steps + 1):
        batch = torch.randint(len(images), (128,), generator=generator)[rank::count]
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images[batch].to(device)), labels[batch].to(device))
        loss.backward()
        optimizer.step()
        if rank == 0 and step % 10 == 0:
            print(f"step {step}: loss {loss.item():.4f} on the first process's share", flush=True)

    same = are_the_same(optimizer.factors())
    if rank == 0:
        print(f"{count} processes, M {'the same' if same else 'NOT the same'} on all of them")
        if chosen.save is not None:
            torch.save({"M": optimizer.factors(), "weights": network.state_dict()}, chosen.save)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--save", type=Path, help="a file for M and the weights at the end")
    chosen = parser.parse_args()
    distributed.init_process_group("gloo" if chosen.device == "cpu" else "nccl")
    if chosen.device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        train(chosen)
    finally:
        distributed.destroy_process_group()
