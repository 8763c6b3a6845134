"""Plug-ins, imported: what they make is checked, and a run of them is as any run."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from fop_core.runs import confirmed, plugins, store
from fop_core.runs.control import Control
from fop_core.runs.plugins import PluginError
from fop_core.training import batches, config, fork, own_data, replay
from fop_core.training.config import ConfigError
from fop_core.training.loop import train
from fop_core.training.plugins import Plugins
from fop_core.training.probe import client

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "plugins"
SETTINGS = (
    "from pydantic import BaseModel\nimport torch\nclass Settings(BaseModel):\n    lr: float = 0.1\n    n: int = 2\n"
)
SGD = "class Own(torch.optim.SGD): ...\ndef make_optimizer(named, settings, total_steps):\n"
DATA = """
from types import SimpleNamespace
def make_data(settings, seed):
    drawn = torch.Generator().manual_seed(seed)
    x = torch.randn(40, 3, generator=drawn)
    y = x.sum(1, keepdim=True)
    return SimpleNamespace(train=(x[:30], y[:30]), test=(x[30:], y[30:]), input=(3,), output=(1,),
        loss=torch.nn.functional.mse_loss, metrics={"mae": torch.nn.functional.l1_loss})
def make_model(settings, data):
    return torch.nn.Sequential(torch.nn.Linear(data.input[0], 4), torch.nn.Tanh(), torch.nn.Linear(4, data.output[0]))
"""
SMALL = ["threads=1", "batch_size=8", "device=cpu", "epochs=3", "snapshots=2"]


def source(text):
    return plugins.text("own.py", text.encode())


def make(text, part="optimizer", **values):
    made = Plugins({part: source(text)})
    made.set({part: values})
    return made


def run_of(folder, sources, *settings, method="momentum"):
    for each in sources.values():
        confirmed.confirm(each.digest)
    made = client.plugged(config.preset("mnist-mlp", method), sources, [*SMALL, *settings])
    return store.create(made.to_json(), sources=sources, folder=folder)


def trained(run):
    with Control(run) as control:
        train(run, control, log=lambda text: None)
    run.metrics.update()
    return run


def regression(folder, *settings, text=SETTINGS + DATA, method="momentum"):
    return run_of(folder, {"data": source(text), "model": source(text)}, *settings, method=method)


WRONG = {
    "x = = 2": (1, "no Python"),
    SETTINGS + "raise RuntimeError('no')": (6, "importing it fails: RuntimeError: no"),
    SETTINGS + "import sys; sys.exit(3)": (6, r"calls sys.exit\(3\)"),
    "import no_such_module": (1, "A plug-in is one file"),
    "x = 1": (None, "has no Settings"),
    "Settings = 3": (None, "a Settings that is an int"),
    "class Settings: ...\n": (1, "a Settings that is a type"),
    SETTINGS: (None, "has no function make_optimizer"),
    "import pydantic\nSettings = pydantic.create_model('Settings', **{f'x{n}': (int, n) for n in range(101)})": (
        None,
        "its Settings has 101 fields, of which 100",
    ),
    SETTINGS + SGD + "    pass": (7, "returned None: a torch.optim.Optimizer is expected"),
    SETTINGS + SGD + "    return\n": (7, "returned None"),
    SETTINGS + SGD + "    return 1\n": (7, "returned an int: a torch.optim.Optimizer is expected"),
    SETTINGS + SGD + "    return 1 / 0": (8, "ZeroDivisionError"),
    SETTINGS + "def make_optimizer(named): ...": (6, "TypeError"),
    SETTINGS + SGD + "    raise SystemExit": (8, "calls sys.exit"),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_with_an_optimizer_is_named_with_its_line(text):
    with pytest.raises(PluginError, match=WRONG[text][1]) as wrong:
        make(text).optimizer([("w", torch.ones(2, requires_grad=True))], 10)
    assert (wrong.value.file, wrong.value.line) == ("own.py", WRONG[text][0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("made.train = made.train[0]", "train is a Tensor: two tensors"),
        ("made.train = (made.train[0], made.train[1][:2])", r"train has tensors of \[30, 3\] and \[2, 1\]"),
        ("made.train = (made.train[0][:0], made.train[1][:0])", "train is empty"),
        ("made.test = 3", "test is an int"),
        ("made.train = None", "train is None"),
        ("made.input = 3", "input is 3: a shape is expected"),
        ("made.output = (0,)", r"output is \(0,\)"),
        ("made.loss = 'mse'", "loss is 'mse': a function"),
        ("made.metrics = ['accuracy']", "metrics is a list: a dict"),
        ("made.metrics = {'loss': print}", "a metric is called 'loss'"),
        ("made.metrics = {'A/b': print}", "a metric is called 'A/b'"),
        ("made.metrics = {'mae': 3}", "the metric mae is an int"),
        ("del made.loss", "without loss"),
        ("made = None", "returned None without train, test"),
        ("made.train = type('S', (torch.utils.data.IterableDataset,), {'__iter__': iter})()", "IterableDataset"),
    ],
)
def test_what_is_wrong_with_data_is_named_with_their_function(change, words):
    text = SETTINGS + DATA.replace("return SimpleNamespace(", "made = SimpleNamespace(")
    text = text.replace("def make_model", f"    {change}\n    return made\ndef make_model")
    with pytest.raises(PluginError, match=words) as wrong:
        make(text, "data").data(0)
    assert wrong.value.line == text.splitlines().index("def make_data(settings, seed):") + 1


@pytest.mark.parametrize(("back", "words"), [("None", "returned None"), ("torch.nn.ReLU()", "without parameters")])
def test_what_is_wrong_with_a_network_is_named(back, words):
    with pytest.raises(PluginError, match=words):
        make(SETTINGS + f"def make_model(settings, data): return {back}", "model").model(SimpleNamespace())


def test_wrong_settings_are_listed_by_their_paths():
    with pytest.raises(ConfigError) as wrong:
        make(SETTINGS + SGD + "    pass", lr="fast", n=2.5)
    assert [path for path, _ in wrong.value.problems] == ["optimizer.settings.lr", "optimizer.settings.n"]
    with pytest.raises(ConfigError, match=r"optimizer\.settings\.l: .*did you mean lr"):
        make(SETTINGS + SGD + "    pass", l=1)
    with pytest.raises(ConfigError, match=r"optimizer\.settings\.beta: .*there are lr, n"):
        make(SETTINGS + SGD + "    pass", beta=1)


def test_a_lion_of_ones_own_steps_as_its_paper_says():
    """Against the algorithm as written down in Chen et al. 2023, Algorithm 2, in float64."""
    lion = plugins.read(EXAMPLES / "lion.py")
    drawn = torch.Generator().manual_seed(0)
    w = torch.randn(3, 4, dtype=torch.float64, generator=drawn).requires_grad_()
    values = {"lr": 0.01, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.1}
    made = Plugins({"optimizer": lion})
    made.set({"optimizer": values})
    optimizer = made.optimizer([("w", w)], 10)
    theta, m = w.detach().numpy().copy(), np.zeros((3, 4))
    for _ in range(5):
        w.grad = torch.randn(3, 4, dtype=torch.float64, generator=drawn)
        g = w.grad.numpy().copy()
        optimizer.step()
        theta = theta - 0.01 * (np.sign(0.8 * m + 0.2 * g) + 0.1 * theta)
        m = 0.95 * m + 0.05 * g
    np.testing.assert_allclose(w.detach().numpy(), theta, rtol=1e-12)


def test_an_sgd_of_ones_own_trains_bit_for_bit_as_the_built_in_one(tmp_path):
    text = SETTINGS + SGD + "    return Own(named, lr=0.05, momentum=0.9)\n"
    settings = ["max_steps=25", "data.limit=400", "schedule.kind=cosine"]
    own = trained(run_of(tmp_path, {"optimizer": source(text)}, *settings))
    made = config.change(config.preset("mnist-mlp", "momentum"), [*SMALL, *settings])
    built_in = trained(store.create(made.to_json(), folder=tmp_path))
    assert own.state.state == "finished"
    for name in ("train_loss", "test_loss", "lr", "grad_norm"):
        np.testing.assert_array_equal(own.metrics[name].values, built_in.metrics[name].values)


def test_a_constant_schedule_leaves_a_rate_of_ones_own_alone(tmp_path):
    step = "    def step(self, closure=None):\n        super().step()\n        self.param_groups[0]['lr'] /= 2\n"
    text = SETTINGS + SGD.replace(" ...\n", "\n" + step) + "    return Own(named, lr=settings.lr)\n"
    run = trained(run_of(tmp_path, {"optimizer": source(text)}, "max_steps=3", "data.limit=100"))
    np.testing.assert_allclose(run.metrics["lr"].values, [0.05, 0.025, 0.0125])


def test_a_regression_is_learned_and_its_metric_is_logged_as_by_hand(tmp_path):
    run = trained(regression(tmp_path, method="fop"))
    assert run.state.state == "finished", run.state.reason
    assert set(run.metrics.columns) >= {"train_loss", "train_mae", "test_loss", "test_mae", "angle_deg/0.weight"}
    assert "train_accuracy" not in run.metrics.columns
    assert run.metrics["test_loss"].values[-1] < run.metrics["test_loss"].values[0]
    arrays, _ = run.checkpoint(run.checkpoint_steps()[-1])
    data = make(SETTINGS + DATA, "data").data(0)
    model = make(SETTINGS + DATA, "model").model(data.made)
    model.load_state_dict(
        {n.removeprefix("model/"): torch.tensor(a) for n, a in arrays.items() if n.startswith("model/")}
    )
    x, y = data.test
    mae = (model(x) - y).abs().mean().item()
    assert run.metrics["test_mae"].values[-1] == pytest.approx(mae, rel=1e-6)


def test_tensors_and_a_dataset_of_them_give_the_same_numbers(tmp_path):
    as_dataset = (
        "class Rows(torch.utils.data.Dataset):\n"
        "    def __init__(self, pair): self.pair = pair\n"
        "    def __len__(self): return len(self.pair[0])\n"
        "    def __getitem__(self, index): return self.pair[0][index], self.pair[1][index]\n"
    )
    text = (
        SETTINGS
        + as_dataset
        + DATA.replace("(x[:30], y[:30])", "Rows((x[:30], y[:30]))").replace(
            "(x[30:], y[30:])", "Rows((x[30:], y[30:]))"
        )
    )
    first, second = (trained(regression(tmp_path, "data.held_out=0.2", text=each)) for each in (SETTINGS + DATA, text))
    for name in ("train_loss", "held_out_mae"):
        np.testing.assert_array_equal(first.metrics[name].values, second.metrics[name].values)
    assert "test_mae" not in first.metrics.columns


def test_held_out_samples_are_of_the_training_set_and_the_same_for_all_seeds():
    x = torch.arange(20.0)[:, None]
    data = make(SETTINGS + DATA, "data").data(0)
    data = type(data)((x, x), None, data.task, None)
    made = own_data.split(data, 0.25)
    kept, left = set(made.test[0].flatten().tolist()), set(made.train[0].flatten().tolist())
    assert made.measured_on == "held_out" and len(kept) == 5 and kept | left == set(range(20)) and not kept & left
    assert own_data.split(data, 0.25).test[0].equal(made.test[0])


def test_the_examples_have_the_same_test_set_for_every_seed():
    """Else what tunes with one seed has trained on the test rows of another."""
    csv = {"file": str(EXAMPLES / "pendulum.csv"), "target": "period_s"}
    for name, settings in (("csv_regression", csv), ("characters", {})):
        made = Plugins({"data": plugins.read(EXAMPLES / f"{name}.py")})
        made.set({"data": settings})
        first, second = made.data(0), made.data(1)
        for one, other in ((first.test, second.test), (first.train, second.train)):
            assert all(ours.equal(theirs) for ours, theirs in zip(one, other))


def test_a_dataset_is_read_by_processes_in_the_same_order():
    class Rows(Dataset):
        def __len__(self):
            return 10

        def __getitem__(self, index):
            return torch.tensor([float(index)]), index

    made = config.change(config.TrainConfig(), ["batch_size=4", "data.workers=0"])
    split = own_data.Split(Rows(), None, "test")
    alone = [targets.tolist() for _, targets in own_data.OwnFeed(split, made, torch.device("cpu")).epoch(1)]
    both = made.model_copy(update={"data": made.data.model_copy(update={"workers": 2})})
    fed = own_data.OwnFeed(split, both, torch.device("cpu"))
    assert [targets.tolist() for _, targets in fed.epoch(1)] == alone
    assert [each.tolist() for each in batches.order(10, 0, 1).split(4)] == alone
    assert list(fed.test()) == []


def test_a_tensor_dataset_is_its_two_tensors():
    from fop_core.training.plugins import _part

    x, y = torch.ones(3, 2), torch.ones(3)
    assert _part(TensorDataset(x, y)) == ((x, y), "")


def test_a_resumed_run_goes_on_bit_for_bit_and_a_replay_repeats_it(tmp_path):
    optimizer = plugins.read(EXAMPLES / "lion.py")
    sources = {"data": source(SETTINGS + DATA), "model": source(SETTINGS + DATA), "optimizer": optimizer}
    whole = trained(run_of(tmp_path, sources, "optimizer.settings.lr=0.01"))
    halves = run_of(tmp_path, sources, "optimizer.settings.lr=0.01", "checkpoint_steps=5")
    from fop_core.training.loop import Trainer

    with Control(halves) as control:
        trainer = Trainer(halves, control, print, lambda progress: None, [], 1)
        trainer.train(until=5)
        trainer.writer.close()
    trained(halves)
    steps, losses = whole.metrics["train_loss"]
    np.testing.assert_array_equal(halves.metrics["train_loss"].values, losses)
    assert halves.attempts[1]["from_step"] == 5 and steps[-1] == 12
    assert not [each for each in replay.replay(whole, 6, print) if each.worst]


def test_a_fork_has_its_parents_plugins(tmp_path):
    run = trained(regression(tmp_path, method="fop"))
    made = fork.create(fork.plan(run, matrices="frozen", epochs=5), folder=tmp_path)
    assert plugins.of_run(made) == plugins.of_run(run) != {}
    assert trained(made).state.state == "finished"


def test_a_run_whose_plugin_was_changed_fails_and_says_why(tmp_path):
    run = regression(tmp_path)
    (run.path / "source" / "data.py").write_text("print('run')")
    trained(run)
    assert run.state.state == "failed" and "not what this run was made with" in run.state.reason


def test_a_plugin_that_ends_the_process_fails_its_run(tmp_path):
    text = SETTINGS + DATA.replace("return torch.nn.Sequential(", "import sys; sys.exit(0); (")
    run = trained(regression(tmp_path, text=text))
    assert run.state.state == "failed" and "own.py, line 15: make_model calls sys.exit(0)" in run.state.reason


STEPS = """
class Own(torch.optim.SGD):
    taken = 0
    def step(self):
        super().step()
        self.taken += 1
        if self.taken == 5:
            {}
def make_optimizer(named, settings, total_steps):
    return Own(named, lr=0.01)
"""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("import sys; sys.exit('no')", "its code called sys.exit('no')"),
        ("raise RuntimeError('no')", "RuntimeError: no"),
        ("open('/no/such')", "FileNotFoundError: "),
        ("torch.ones(2) @ torch.ones(3)", "RuntimeError: "),
    ],
)
def test_what_a_plugin_raises_while_it_trains_is_named_with_its_line(tmp_path, fault, words):
    sources = {"data": source(SETTINGS + DATA), "model": source(SETTINGS + DATA)}
    run = trained(run_of(tmp_path, sources | {"optimizer": source(SETTINGS + STEPS.format(fault))}))
    assert run.state.state == "failed" and run.state.reason.startswith(f"own.py, line 13: {words}")


def test_settings_of_a_file_go_with_no_others():
    sources = {"optimizer": source(SETTINGS + SGD + "    pass")}
    base = config.preset("mnist-mlp", "momentum")
    made = client.plugged(base, sources, ["optimizer.settings.lr=0.2"])
    assert made.optimizer.settings == {"lr": 0.2} and set(made.to_json()["optimizer"]) == {"name", "plugin", "settings"}
    assert config.parse(made.to_json()) == made
    assert base.to_json()["optimizer"].keys().isdisjoint({"plugin", "settings"})
    for change, words in {
        "optimizer.momentum=0.9": "is not for own.py, which has settings of its own",
        "optimizer.name=sgd": "is for plugin, not sgd",
        "optimizer.plugin=null": "is made by a file of your own",
    }.items():
        with pytest.raises(ConfigError, match=words):
            config.change(made, [change])
    with pytest.raises(ConfigError, match="the mlp is for mnist"):
        client.plugged(base, {"data": source(SETTINGS + DATA)})
