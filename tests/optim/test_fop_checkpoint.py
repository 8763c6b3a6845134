"""torch.distributed.checkpoint's get_ and set_optimizer_state_dict keep what FOP has learned, and move nothing."""

import copy

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import distributed, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    get_state_dict,
    set_optimizer_state_dict,
    set_state_dict,
)

from fop_core import FOP
from tests.optim.built import same

BASES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "dampening": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.3),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "tensor": lambda p: torch.optim.Adam(p, lr=torch.tensor(0.01), foreach=False),
}


def hyper_adam(tensors):
    return torch.optim.Adam(tensors, lr=1e-2)


OPTIONS = [
    {},
    {"preconditioner": "low_rank", "rank": 2, "init_std": 0.3},
    {"normalized": True, "hyper_optimizer": "sgd"},
    {"rescale": 0.9, "hyper_lr_step": 0.05},
    {"hyper_optimizer": hyper_adam},
    {"preconditioner": "diagonal", "update_every": 3},
]


def words(value):
    """What a case is called: by the name of a function, whose address is another one in each process."""
    return str(
        {key: getattr(each, "__name__", each) for key, each in value.items()} if isinstance(value, dict) else value
    )


def built(base="nesterov", seed=0, **options):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3), nn.Linear(3, 2)).double()
    named = list(model.named_parameters())
    options.setdefault("hyper_lr", 1e-2)
    return model, FOP(BASES[base]([{"params": named[:2]}, {"params": named[2:]}]), **options)


def train(model, optimizer, steps):
    for step in steps:
        optimizer.zero_grad()
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(step), dtype=torch.float64)
        model(x).square().mean().backward()
        optimizer.step()
    optimizer.zero_grad()


def everything(model, optimizer):
    return copy.deepcopy((dict(model.state_dict()), optimizer.state_dict()))


@pytest.mark.parametrize(("steps", "options"), [*((5, each) for each in OPTIONS), (0, {}), (1, {})], ids=words)
@pytest.mark.parametrize("base", BASES)
def test_a_state_that_is_got_and_set_goes_on_bit_for_bit(base, steps, options):
    model, optimizer = built(base, **options)
    train(model, optimizer, range(steps))
    if not steps:
        get_optimizer_state_dict(model, optimizer)  # which has the base make its own
    before = everything(model, optimizer)
    saved = copy.deepcopy(get_state_dict(model, optimizer))
    assert same(before, everything(model, optimizer)), "to look at it changes nothing"
    other, loaded = built(base, seed=1, **options)
    set_state_dict(other, loaded, model_state_dict=saved[0], optim_state_dict=saved[1])
    assert same(before, everything(other, loaded))
    for each in ((model, optimizer), (other, loaded)):
        train(*each, range(steps, steps + 5))
    assert same(everything(model, optimizer), everything(other, loaded))


@pytest.mark.parametrize("base", BASES)
def test_the_step_by_which_a_base_is_given_its_state_changes_nothing(base):
    """Of a new optimizer, and of one whose base never has a state, at every call."""
    for steps in (0, 3):
        model, optimizer = built(base, guard=base == "sgd" and steps == 0)
        if not optimizer.guard:
            train(model, optimizer, range(steps))
        before = copy.deepcopy((dict(model.state_dict()), optimizer.state_dict()["fop"]))
        for _ in range(2):
            get_optimizer_state_dict(model, optimizer)
        assert same(before, (dict(model.state_dict()), optimizer.state_dict()["fop"]))
        assert [group["lr"] for group in optimizer.param_groups] == [BASES[base](model.parameters()).defaults["lr"]] * 2


def test_a_step_at_rate_0_on_a_gradient_that_is_none_counts():
    """As the first one of a warm-up."""
    model, optimizer = built("sgd")
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    train(model, optimizer, range(1))
    assert optimizer.state_dict()["fop"]["steps"] == 1
    assert all(layer.trace is not None and layer.trace.any() for layer in optimizer.layers())


@pytest.mark.parametrize("options", [{}, {"hyper_optimizer": hyper_adam}, {"preconditioner": "low_rank"}], ids=words)
def test_parameters_in_another_order_take_their_own_back(options):
    model, optimizer = built("adam", **options)
    train(model, optimizer, range(4))
    named = list(model.named_parameters())
    whole = FOP(torch.optim.Adam(named[::-1], lr=0.01), hyper_lr=1e-2, **options)
    single = FOP(torch.optim.Adam(named, lr=0.01), hyper_lr=1e-2, **options)
    train(model, single, range(4))
    set_optimizer_state_dict(model, whole, copy.deepcopy(get_optimizer_state_dict(model, single)))
    assert same(single.factors(), {name: whole.factors()[name] for name in single.factors()})
    twin = copy.deepcopy(dict(model.state_dict()))
    train(model, single, range(4, 7))
    learned = single.factors(), copy.deepcopy(dict(model.state_dict()))
    model.load_state_dict(twin)
    train(model, whole, range(4, 7))
    assert same(learned, ({name: whole.factors()[name] for name in learned[0]}, dict(model.state_dict())))


@pytest.mark.parametrize("base", ["sgd", "nesterov", "tensor"])
def test_what_is_loaded_in_place_from_files_is_all_of_it(base, tmp_path):
    """As the documents of torch do it: a new optimizer's state is the frame that the files are read into."""
    model, optimizer = built(base)
    train(model, optimizer, range(5))
    states = get_state_dict(model, optimizer)
    dcp.save(dict(zip(("model", "optimizer"), states)), checkpoint_id=tmp_path / "saved")
    other, loaded = built(base, seed=1)
    frame = dict(zip(("model", "optimizer"), get_state_dict(other, loaded)))
    dcp.load(frame, checkpoint_id=tmp_path / "saved")
    set_state_dict(other, loaded, model_state_dict=frame["model"], optim_state_dict=frame["optimizer"])
    for each in ((model, optimizer), (other, loaded)):
        train(*each, range(5, 9))
    assert same(everything(model, optimizer), everything(other, loaded))


@pytest.fixture
def one_process(tmp_path):
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_a_full_state_is_kept_by_one_process_of_a_group(one_process):
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    model, optimizer = built("adam")
    train(model, optimizer, range(5))
    wrapped = nn.parallel.DistributedDataParallel(model)
    saved = copy.deepcopy(get_optimizer_state_dict(wrapped, optimizer, options=options))
    other, loaded = built("adam", seed=1)
    other.load_state_dict(model.state_dict())
    set_optimizer_state_dict(nn.parallel.DistributedDataParallel(other), loaded, saved, options=options)
    for each in ((model, optimizer), (other, loaded)):
        train(*each, range(5, 8))
    assert same(everything(model, optimizer), everything(other, loaded))


def test_a_flat_state_is_refused_when_it_is_made():
    model, optimizer = built("adam")
    with pytest.raises(NotImplementedError, match="Flattening"):
        get_optimizer_state_dict(model, optimizer, options=StateDictOptions(flatten_optimizer_state_dict=True))


def test_a_state_of_a_base_alone_or_of_other_layers_is_refused_and_changes_nothing():
    model, optimizer = built("adam")
    alone = torch.optim.Adam(model.named_parameters(), lr=0.01)
    before = everything(model, optimizer)
    with pytest.raises(ValueError, match="no FOP in it"):
        set_optimizer_state_dict(model, optimizer, get_optimizer_state_dict(model, alone))
    wrong = copy.deepcopy(get_optimizer_state_dict(model, optimizer))
    wrong["state"]["0.weight"]["fop"]["M"][0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"M of '0\.weight'.*not finite"):
        set_optimizer_state_dict(model, optimizer, wrong)
    assert same(before[0], dict(model.state_dict())) and same(before[1]["fop"], optimizer.state_dict()["fop"])


def test_a_state_dict_is_the_same_as_ever_for_others():
    model, optimizer = built("adam")
    train(model, optimizer, range(2))
    state = optimizer.state_dict()
    assert set(state) == {"state", "param_groups", "fop"}
    assert set(state["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}


# what is sharded -----------------------------------------------------------------------------------------------------


def test_dtensor_and_fsdp_are_refused_by_name(one_process):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.fsdp._common_utils import _set_fsdp_flattened
    from torch.distributed.fsdp._flat_param import FlatParameter
    from torch.distributed.tensor import distribute_tensor

    mesh = init_device_mesh("cpu", (1,))
    parameter = nn.Parameter(distribute_tensor(torch.ones(4, 3), mesh))
    sharded = nn.Sequential(nn.Linear(4, 3))
    fully_shard(sharded, mesh=mesh)
    named = {"dtensor": [("w", parameter)], "fsdp2": list(sharded.named_parameters())}
    original, flat = nn.Parameter(torch.ones(4, 3)), FlatParameter(torch.ones(12))
    _set_fsdp_flattened(original)  # what FSDP, which wants an accelerator, does with use_orig_params
    named |= {"fsdp1": [("w", original)], "fsdp1 flat": [("w", flat)]}
    for each in named.values():
        with pytest.raises(TypeError, match="sharded, as by FSDP or as a DTensor"):
            FOP(torch.optim.SGD(each, lr=0.1))


def test_hooks_on_a_state_are_called_as_any_optimizers():
    def calls(optimizer: torch.optim.Optimizer) -> list[str]:
        called = []
        optimizer.register_state_dict_pre_hook(lambda of: called.append(f"before {of is optimizer}"))
        optimizer.register_state_dict_post_hook(lambda of, state: called.append("after") or {**state, "more": 1})
        optimizer.register_load_state_dict_pre_hook(
            lambda of, state: called.append(f"before loading {state.pop('more')}") or state
        )
        optimizer.register_load_state_dict_post_hook(lambda of: called.append("after loading"))
        optimizer.load_state_dict(optimizer.state_dict())
        return called

    of = torch.nn.Linear(3, 2)
    bare, wrapped = (torch.optim.SGD(of.named_parameters(), lr=0.1) for _ in range(2))
    assert calls(FOP(wrapped)) == calls(bare) == ["before True", "after", "before loading 1", "after loading"]
