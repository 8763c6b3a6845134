"""What a step does on the device: it waits for nothing, and multiplies no more than it must."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from fop_core import FOP
from tests.optim.built import KINDS, run
from tests.problems import BASES, groups, parameters

NEWER = [
    {"feedback": "osgm", "hyper_optimizer": "adagrad"},
    {"apply": "after"},
    {"hyper_lr_step": 0.02},
    {"derivative": "root"},
]


def of_kind(options, kind):
    """What of the options a kind takes."""
    refused = {"normalized"} if kind == "scalar" else set()
    refused |= set() if kind == "exponential" else {"derivative"}
    return {name: value for name, value in options.items() if name not in refused}


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(
    "options",
    [{}, {"normalized": True, "rescale": 1.0}, {"hyper_optimizer": "sgd", "update_every": 2}, *NEWER],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_never_waits_for_the_device(kind, options, device):
    """Under FakeTensorMode a tensor has no value: ``.item()`` or a branch on data raises."""
    shapes = {"a": (3, 2, 3, 3), "b": (2, 3, 3, 3), "c": (4, 8), "d": (4,)}
    with FakeTensorMode():
        for make in (
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
            lambda p: torch.optim.Adam(p, lr=0.1),
        ):
            params = {name: torch.randn(shape, device=device, requires_grad=True) for name, shape in shapes.items()}
            optimizer = FOP(make(params.items()), kind, **of_kind(options, kind))
            for step in range(4):
                for name, p in params.items():
                    p.grad = None if (step, name) == (2, "a") else torch.randn_like(p)
                optimizer.step()
            with pytest.raises(Exception, match=r"item|data-dependent|_local_scalar_dense"):
                optimizer._stacks[0].M.mean().item()  # the mode does what this test believes


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_indexed_by_a_list_which_would_be_sent_to_the_device(kind):
    """Some layers have no gradient, so that those of a stack that learn are a part of it."""
    params = {name: torch.randn(2, 3, 3, 3, requires_grad=True) for name in "abc"}
    optimizer = FOP(torch.optim.SGD(params.items(), lr=0.1), kind)
    with Shapes() as shapes:
        for step in range(3):
            for name, p in params.items():
                p.grad = None if (step, name) == (2, "b") else torch.randn_like(p)
            optimizer.step()
    assert not [name for name, _ in shapes.computed if name.startswith(("aten.index.", "aten.index_"))]


@pytest.mark.parametrize("base", ["momentum", "nesterov", "adam"])
@pytest.mark.parametrize("options", [{}, *NEWER], ids=str)
@pytest.mark.parametrize("kind", ["factored", "low_rank", "direct", "exponential", "scalar", "diagonal"])
def test_what_is_kept_stays_where_it_is_from_the_second_step_on(kind, options, base):
    """A captured graph reads and writes M, u, the moments and a rate in a tensor at the addresses of its capture."""

    def addresses(layer):
        kept = layer.tensors() | {"epsilon": layer.epsilon}
        return {name: each.data_ptr() for name, each in kept.items() if isinstance(each, torch.Tensor)}

    params = parameters()
    base = BASES[base](groups(params))
    for group in base.param_groups:
        group["lr"], group["foreach"] = torch.tensor(0.01, dtype=torch.float64), False
    optimizer = FOP(base, kind, **of_kind(options, kind))
    run(params, optimizer, range(1))
    before = [addresses(layer) for layer in optimizer.layers()]
    assert all({"M", "trace"} <= kept.keys() for kept in before)
    assert all(("epsilon" in kept) == (optimizer.apply == "before") for kept in before)
    for step in range(1, 4):
        base.param_groups[0]["lr"].fill_(0.01 / (step + 1))
        run(params, optimizer, [step])
        assert [addresses(layer) for layer in optimizer.layers()] == before
        for layer in optimizer.layers():
            rate = base.param_groups[layer.group]["lr"]
            assert optimizer.apply == "after" or (layer.epsilon == rate and layer.epsilon is not rate)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("options", [{}, *NEWER], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_never_waits_for_a_real_gpu(kind, options):
    model, optimizer = on_gpu(lambda named: torch.optim.SGD(named, lr=0.01, momentum=0.9), kind, **options)
    for step in range(8):
        optimizer.zero_grad()  # one that diverges may wait: it reads which layer is not finite
        model(torch.randn(5, 2, 8, 8, device="cuda")).square().mean().backward()
        if step == 6:
            model[0].weight.grad = None  # those of a stack that learn are a part of it
        torch.cuda.set_sync_debug_mode("error" if step > 1 else "default")
        try:
            optimizer.step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    optimizer.check()


def on_gpu(make, kind, **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 16, 4)).cuda()
    return model, FOP(make(model.named_parameters()), kind, **of_kind(options, kind))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("options", [{}, {"normalized": True, "rescale": 1.0}, *NEWER], ids=str)
@pytest.mark.parametrize("kind", ["factored", "low_rank", "exponential", "diagonal"])
def test_a_whole_step_can_be_captured_in_a_cuda_graph(kind, options):
    """Forward, backward and step; replayed with other images and another rate it is the step without a graph."""

    def adam(named):
        return torch.optim.Adam(named, lr=torch.tensor(0.01, device="cuda"), capturable=True)

    both = [on_gpu(adam, kind, hyper_lr=1e-2, **options) for _ in range(2)]
    x = torch.zeros(5, 2, 8, 8, device="cuda")
    generator = torch.Generator().manual_seed(1)
    batches = torch.randn(9, *x.shape, generator=generator).cuda()

    def step(model, optimizer):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for batch in batches[:3]:
            x.copy_(batch)
            for pair in both:
                step(*pair)
    torch.cuda.current_stream().wait_stream(stream)
    (model, optimizer), (twin, other) = both
    graph = torch.cuda.CUDAGraph()
    optimizer.zero_grad()
    with torch.cuda.graph(graph):
        step(model, optimizer)
    for number, batch in enumerate(batches[3:]):
        for each in (optimizer, other):
            each.param_groups[0]["lr"].fill_(0.01 / (number + 1))
        x.copy_(batch)
        graph.replay()
        step(twin, other)
    optimizer.check()
    for p, q in zip(model.parameters(), twin.parameters()):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-5)
    for name, M in optimizer.factors().items():
        torch.testing.assert_close(M, other.factors()[name], rtol=1e-4, atol=1e-5)

    x.fill_(float("nan"))
    graph.replay()
    with pytest.raises(FloatingPointError, match=r"0\.weight"):
        optimizer.check()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("options", [{"update_every": 2}, {"on_nonfinite": "skip"}, {}], ids=str)
def test_a_step_whose_replays_would_be_no_steps_is_not_captured(options):
    """Nor is the first one, after which u is there."""
    model, optimizer = on_gpu(lambda named: torch.optim.SGD(named, lr=0.01), "factored", **options)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    if options:
        optimizer.step()
    with pytest.raises(RuntimeError, match="capture"), torch.cuda.graph(torch.cuda.CUDAGraph()):
        optimizer.step()


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
