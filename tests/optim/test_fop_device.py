"""What a step does on the device: it waits for nothing, and multiplies no more than it must."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from fop_core import FOP
from tests.optim.built import KINDS


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(
    "options", [{}, {"normalized": True, "rescale": 1.0}, {"hyper_optimizer": "sgd", "update_every": 2}]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_never_waits_for_the_device(kind, options, device):
    """Under FakeTensorMode a tensor has no value: ``.item()`` or a branch on data raises."""
    if kind == "scalar":
        options = {**options, "normalized": False}
    shapes = {"a": (3, 2, 3, 3), "b": (2, 3, 3, 3), "c": (4, 8), "d": (4,)}
    with FakeTensorMode():
        for make in (
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
            lambda p: torch.optim.Adam(p, lr=0.1),
        ):
            params = {name: torch.randn(shape, device=device, requires_grad=True) for name, shape in shapes.items()}
            optimizer = FOP(make(params.items()), kind, **options)
            for step in range(4):
                for name, p in params.items():
                    p.grad = None if (step, name) == (2, "a") else torch.randn_like(p)
                optimizer.step()
            with pytest.raises(Exception, match=r"item|data-dependent|_local_scalar_dense"):
                optimizer._stacks[0].M.mean().item()  # the mode does what this test believes


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_never_waits_for_a_real_gpu(kind):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 16, 4)).cuda()
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.01, momentum=0.9), kind)
    for step in range(6):
        optimizer.zero_grad()  # one that diverges may wait: it reads which layer is not finite
        model(torch.randn(5, 2, 8, 8, device="cuda")).square().mean().backward()
        torch.cuda.set_sync_debug_mode("error" if step > 1 else "default")
        try:
            optimizer.step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    optimizer.check()


class Shapes(TorchDispatchMode):
    """Records the shape of everything that is computed."""

    def __init__(self):
        super().__init__()
        self.computed = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(tensor, torch.Tensor):
                self.computed.append((str(func), tuple(tensor.shape)))
        return out


def test_a_low_rank_never_forms_a_square_matrix():
    weight = torch.randn(11, 37, requires_grad=True)
    optimizer = FOP(
        torch.optim.SGD([("w", weight)], lr=0.1, momentum=0.9), "low_rank", rank=3, normalized=True, rescale=1.0
    )
    for _ in range(3):
        weight.grad = torch.randn(11, 37)
        with Shapes() as shapes:
            optimizer.step()
        assert shapes.computed
        assert not [entry for entry in shapes.computed if entry[1][-2:] == (37, 37)]


class Products(TorchDispatchMode):
    """Counts the multiplications in matrix products, those in place included."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        if name in ("mm", "bmm", "addmm", "addmm_", "baddbmm"):
            left, right = args[-2:]
            self.count += left.numel() * right.shape[-1]
        return func(*args, **(kwargs or {}))


def products(n, m, kind="factored"):
    """The multiplications of one step's matrix products."""
    weight = torch.randn(m, n, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", weight)], lr=0.1), kind)
    for _ in range(2):
        weight.grad = torch.randn(m, n)
        with Products() as counter:
            optimizer.step()
    return counter.count


def test_products_are_in_the_cheap_order():
    assert products(n=50, m=7) == 5 * 50 * 50 * 7, "five products of n n m, G^T M shared by P g and the hypergradient"
    assert products(n=9, m=500) == 2 * 9 * 9 * (500 + 9), "P and G U^T formed once each"
    assert products(n=50, m=7, kind="low_rank") == 5 * 50 * 16 * 7


def test_layers_with_an_m_of_one_shape_keep_it_in_one_tensor():
    model = nn.Sequential(*(nn.Conv2d(i + 1, i + 2, 3) for i in range(7)))
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.1))
    storages = {layer.M.untyped_storage().data_ptr() for layer in optimizer.layers()}
    assert len(optimizer.layers()) == 7 and len(storages) == 1
