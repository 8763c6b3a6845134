"""The process that tries plug-ins: it is ended where it takes too much, and says in which line of which file."""

import os
import re
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest

from fop_core import isolated
from fop_core.runs import confirmed, files, plugins, store
from fop_core.runs.plugins import PluginError
from fop_core.training import config
from fop_core.training.probe import client
from fop_core.training.probe.client import Limits, ProbeError
from fop_core.training.probe.worker import Probe
from tests.training.test_plugins import DATA, EXAMPLES, SETTINGS, SGD, source
from tests.waiting import until

SMALL = Limits(seconds=1, memory=200_000_000, output=500_000)
BASE = config.change(config.preset("mnist-mlp", "momentum"), ["threads=1"])


def prepared(sources, *settings):
    for each in sources.values():
        confirmed.confirm(each.digest)
    return client.plugged(BASE, sources, settings)


def reported(folder, sources, *settings, variants=None):
    """What the process would report, made in this one: for what ends nothing and takes little."""
    made = prepared(sources, *settings)
    store.write_sources(folder, sources)
    request = {"config": made.to_json(), "variants": variants or {}, "memory": 1 << 30, "output": 1_000_000}
    files.write_json(folder / "request.json", request)
    return Probe(folder).report()


BEYOND = {
    "while True: pass": (8, "takes more than 1 s"),
    "import time; time.sleep(60)": (8, "takes more than 1 s"),
    "import subprocess; subprocess.run(['sleep', '61.5'])": (8, "takes more than 1 s"),
    "kept = [bytearray(20 << 20) for _ in range(100)]": (8, "takes more than 200 MB of memory"),
    "torch.ones(1 << 28)": (8, "takes more than 200 MB of memory"),
    "[print('x' * 10_000) for _ in range(1000)]": (8, "prints more than 500 kB"),
    "import os; os._exit(0)": (8, "ends the process with status 0"),
    "import ctypes; ctypes.string_at(0)": (8, "is ended by SIGSEGV"),
}


@pytest.mark.parametrize("line", BEYOND)
def test_what_takes_too_much_or_ends_the_process_is_ended_and_named_by_line(line):
    sources = {"optimizer": source(SETTINGS + SGD + f"    {line}")}
    number, words = BEYOND[line]
    with pytest.raises(ProbeError, match=words) as wrong:
        client.probe(prepared(sources), sources, limits=SMALL)
    [(path, message)] = wrong.value.problems
    assert path == "optimizer" and message.startswith(f"own.py, line {number}: ")
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # another test's, which has ended
            assert "61.5" not in child.cmdline()


def test_the_memory_of_what_it_starts_counts():
    child = "x = b'1' * (500 << 20); import time; time.sleep(60)"
    text = f"    import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    sources = {"optimizer": source(SETTINGS + SGD + text)}
    with pytest.raises(ProbeError, match=r"own.py, line 8: .* more than 200 MB of memory"):
        client.probe(prepared(sources), sources, limits=Limits(seconds=30, memory=200_000_000))


def test_a_good_one_says_its_settings_and_schema_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    sources = {part: plugins.read(EXAMPLES / f"{name}.py") for part, name in WIDE.items()}
    made = prepared(sources, "optimizer.settings.lr=0.01")
    probed = client.probe(made, sources, variants={"optimizer": [{"lr": 1}, {"beta1": 0}]})
    assert probed.settings["optimizer"] == {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0}
    assert probed.schemas["model"]["properties"]["width"]["default"] == 256
    assert [each["lr"] for each in probed.variants["optimizer"]] == [1.0, 1e-4]
    assert probed.parameters == 784 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10
    assert 0 < probed.loss < 10
    assert client.completed(made, probed).optimizer.settings == probed.settings["optimizer"]
    assert list(tmp_path.glob("fop-probe-*")) == []


OWN_BASE = (
    SETTINGS
    + """
class Own(torch.optim.Optimizer):
    def __init__(self, parameters): super().__init__(parameters, {"lr": 0.1, "beta": 0.9})
    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                p.sub_(mean.mul_(group["beta"]).add_(p.grad), alpha=group["lr"])
def make_optimizer(named, settings, total_steps):
    return Own([p for _, p in named])
"""
)


def test_it_says_what_is_trained_what_it_takes_and_which_trace_fop_reads(tmp_path):
    sources = {"optimizer": source(OWN_BASE), "data": source(DATA_OWN), "model": source(DATA_OWN)}
    for each in sources.values():
        confirmed.confirm(each.digest)
    around = config.change(config.preset("mnist-mlp", "fop"), ["threads=1", "fop.rank=2"])
    probed = client.probe(client.plugged(around, sources), sources)
    weights = [(each.name, each.shape, each.n, each.M) for each in probed.shapes if not each.left]
    assert weights == [("0.weight", (4, 3), 3, (3, 2)), ("2.weight", (1, 4), 4, (4, 2))]
    assert [each.name for each in probed.shapes if each.left] == ["0.bias", "2.bias"]
    numbers = 4 * 3 + 4 + 4 + 1
    assert probed.memory[f"{sources['optimizer'].file}'s state"] == 4 * numbers == probed.memory["weights"]
    [note] = probed.notes
    assert "lambda = 0" in note and "neither momentum nor betas" in note
    set_ = client.plugged(around, sources, ["fop.trace=0.9"])
    assert client.probe(set_, sources).notes == ()


DATA_OWN = SETTINGS + DATA
WIDE = {"model": "wide_mlp", "optimizer": "lion"}


def test_nothing_is_imported_here_and_nothing_unconfirmed_or_forbidden_anywhere(monkeypatch, tmp_path):
    note = tmp_path / "imported"
    sources = {"optimizer": source(SETTINGS + f"open({str(note)!r}, 'a').write(str(__import__('os').getpid()))\n")}
    made = client.plugged(BASE, sources)
    with pytest.raises(PluginError, match="you have not confirmed"):
        client.probe(made, sources)
    monkeypatch.setenv(confirmed.SWITCH, "off")
    with pytest.raises(PluginError, match="switched off"):
        client.probe(prepared(sources), sources)
    assert not note.exists()
    monkeypatch.delenv(confirmed.SWITCH)
    with pytest.raises(ProbeError, match="has no function make_optimizer"):
        client.probe(made, sources)
    assert note.read_text() != str(os.getpid())


def numbers(change="", model=""):
    data = DATA.replace("return SimpleNamespace(", "made = SimpleNamespace(")
    data = data.replace("def make_model", f"    {change or 'pass'}\n    return made\ndef make_model")
    return SETTINGS + (data if not model else data[: data.index("def make_model")] + model)


NET = """class Net(torch.nn.Linear):
    def forward(self, x): return {}
def make_model(settings, data): return Net(3, 1)
"""
WRONG = {
    numbers("made.train[0][0, 0] = float('nan')"): "train's samples has NaN",
    numbers("made.input = (4,)"): r"samples have the shape \[3\], and input says \[4\]",
    numbers("made.output = (2, 2)"): r"the network makes \[8, 2\] .* \[8, 2, 2\] is expected",
    numbers("made.loss = lambda outputs, targets: outputs - targets"): r"loss is a tensor \[8, 1\]",
    numbers("made.loss = lambda outputs, targets: outputs.mean() / 0"): "loss is (-?inf|nan) on the first batch",
    numbers("made.loss = lambda outputs, targets: outputs.foo"): "loss fails: AttributeError",
    numbers("made.metrics = {'m': lambda outputs, targets: outputs}"): r"m is a tensor \[8, 1\]",
    numbers("made.metrics = {'m': lambda outputs, targets: 'good'}"): "m is a str",
    numbers("made.loss = lambda outputs, targets: targets.mean()"): "the gradient of the loss fails",
    numbers(model=NET.format("(x, x)")): "the network returns a tuple",
    numbers(model=NET.format("super().forward(x) / 0 * 0")): "outputs has NaN",
    numbers(model=NET.format("super().forward(x[:, :2])")): "the network, on samples .* fails: RuntimeError",
    numbers(model=NET.format("super().forward(x).detach()")): "the gradient of the loss fails",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_goes_wrong_in_the_one_step_is_named(tmp_path, text):
    sources = {"data": source(text), "model": source(text)}
    report = reported(tmp_path, sources, "batch_size=8")
    [[part, message]] = report["problems"]
    assert part in sources and message.startswith("own.py, line ")
    assert re.search(WRONG[text], message), message


STEP = "class Own(torch.optim.SGD):\n    def step(self, closure=None):\n        {}\n" + SGD.splitlines()[1] + "\n"


@pytest.mark.parametrize(
    ("line", "number", "words"),
    [
        ("self.param_groups[0]['params'][0].data.fill_(float('nan'))", 7, "weight has NaN"),
        ("raise KeyError('m')", 8, "the optimizer's step fails: KeyError"),
        ("self.state['x']['y'] = object()", 6, "a checkpoint fails: TypeError: .* cannot be kept in a checkpoint"),
    ],
)
def test_an_optimizer_that_makes_no_numbers_or_cannot_be_kept_is_named(tmp_path, line, number, words):
    sources = {"optimizer": source(SETTINGS + STEP.format(line) + "    return Own(named, lr=0.1)\n")}
    [[part, message]] = reported(tmp_path, sources)["problems"]
    assert part == "optimizer" and re.search(words, message), message
    assert message.startswith(f"own.py, line {number}" if number != 6 else "own.py, line ")


def test_settings_that_are_data_are_refused(tmp_path):
    text = SETTINGS + "    text: str = 'x' * 200_000\n" + SGD + "    return Own(named, lr=0.1)"
    [[_, message]] = reported(tmp_path, {"optimizer": source(text)})["problems"]
    assert message == "own.py, line 8: its Settings are 200 kB as JSON: give a file's path instead"


def test_other_settings_are_all_checked(tmp_path):
    text = (EXAMPLES / "lion.py").read_text()
    variants = {"optimizer": [{"lr": -1}, {"lr": 0.1}, {"beta1": 2}]}
    report = reported(tmp_path, {"optimizer": source(text)}, variants=variants)
    assert [path for path, _ in report["problems"]] == ["optimizer.settings.lr", "optimizer.settings.beta1"]
    assert report["schemas"]["optimizer"]["properties"]["beta1"]["default"] == 0.9


@pytest.mark.parametrize("report", ["{", '{"problems": 3}', "[]", '{"settings": "x"}'])
def test_a_report_that_a_plugin_has_forged_does_no_harm(report):
    """It is not sandboxed and can write anything; what reads it takes nothing for granted."""
    text = f"    import os, sys; open(sys.argv[1] + '/report.json', 'w').write({report!r}); os.kill(os.getpid(), 9)"
    sources = {"optimizer": source(SETTINGS + SGD + text)}
    with pytest.raises(ProbeError, match=r"optimizer: .*(report|SIGKILL)"):
        client.probe(prepared(sources), sources, limits=SMALL)


def living(mark):
    """Processes that have a word among their arguments."""
    every = psutil.process_iter(["cmdline", "status"])
    alive = (each for each in every if each.info["status"] != psutil.STATUS_ZOMBIE)
    return [each for each in alive if mark in (each.info["cmdline"] or ())]


ESCAPE = """    import subprocess, sys, time
    child = "import os, time; os.setsid(); time.sleep(600)"
    parent = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]], start_new_session=True)"
    subprocess.run([sys.executable, "-c", parent, child, {mark!r}])
    {end}
"""


@pytest.mark.parametrize("end", ["return torch.optim.SGD(named)", "while True: time.sleep(1)"])
def test_nothing_that_it_starts_outlives_it_in_whatever_session(end):
    mark = f"escaped-{os.getpid()}-{len(end)}"
    text = ESCAPE.format(mark=mark, end=end)
    sources = {"optimizer": source(SETTINGS + SGD + text)}
    try:
        client.probe(prepared(sources), sources, limits=Limits(seconds=60 if "return" in end else 3))
        assert "return" in end
    except ProbeError as error:
        assert "own.py, line" in str(error) and "return" not in end, error
    assert living(mark) == []


def test_it_does_not_outlive_who_waits_for_it(tmp_path):
    """As a web server that is killed while a plug-in loops."""
    file = tmp_path / "own.py"
    file.write_text(SETTINGS + "while True: pass\ndef make_optimizer(): ...\n")
    script = (
        "import sys; from fop_core.runs import confirmed, plugins; from fop_core.training import config\n"
        "from fop_core.training.probe import client\n"
        "source = plugins.read(sys.argv[1]); confirmed.confirm(source.digest)\n"
        "made = config.preset('mnist-mlp', 'momentum')\n"
        "client.probe(client.plugged(made, {'optimizer': source}), {'optimizer': source})\n"
    )
    environment = isolated.environment() | {"TMPDIR": str(tmp_path)}
    waits = subprocess.Popen([sys.executable, "-c", script, str(file)], env=environment)
    try:
        until(lambda: list(tmp_path.glob("fop-probe-*/loaded")))
        [folder] = tmp_path.glob("fop-probe-*")
        assert len(living(str(folder))) == 2, "keeper and worker"
    finally:
        waits.kill()
        waits.wait()
    until(lambda: not living(str(folder)) and not folder.exists())


LEFT = {
    "pipes": "os.mkfifo(path)",
    "others": "(os.mkdir, lambda p: os.symlink('/dev/zero', p), lambda p: open(p, 'wb').write(bytes(9)))[n % 3](path)",
}


@pytest.mark.parametrize("what", LEFT)
def test_what_it_leaves_in_its_folder_holds_nobody_up(what):
    """It is not sandboxed: what it may put in the place of what is read of it must not be waited for, nor believed."""
    lines = f"""    import os, sys, time
    for n, name in enumerate(("loaded", "report.json", "where", "output.txt", "stage")):
        path = os.path.join(sys.argv[1], name)
        if os.path.exists(path): os.remove(path)
        {LEFT[what]}
    time.sleep(0.3); os.kill(os.getpid(), 9)
"""
    sources = {"optimizer": source(SETTINGS + SGD + lines)}
    with pytest.raises(ProbeError, match=r"optimizer: .*(SIGKILL|its report cannot be read)"):
        client.probe(prepared(sources), sources, limits=Limits(seconds=5))


def test_it_works_in_a_folder_of_its_own_and_prints_what_can_be_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "    import os; open('notes.txt', 'w').write('x'); print('\\x1b[2J\\0\\u202e\\ttab', os.getcwd())\n"
    sources = {"optimizer": source(SETTINGS + SGD + text + "    return 3")}
    with pytest.raises(ProbeError, match="returned an int") as wrong:
        client.probe(prepared(sources), sources)
    assert os.listdir(tmp_path) == []
    assert wrong.value.log.startswith("\\x1b[2J\\x00\\u202e\ttab /") and "fop-probe-" in wrong.value.log


def test_the_limit_of_its_seconds_can_be_set(monkeypatch):
    assert Limits().seconds == 60
    monkeypatch.setenv("FOP_PROBE_SECONDS", "2.5")
    assert Limits().seconds == 2.5


def test_it_says_which_metrics_the_data_have_and_whether_a_test_set(tmp_path):
    (tmp_path / "other").mkdir()
    sources = dict.fromkeys(("data", "model"), source(SETTINGS + DATA))
    report = reported(tmp_path, sources)
    assert (report["metrics"], report["tested"]) == (["mae"], True)
    without = SETTINGS + DATA.replace("test=(x[30:], y[30:])", "test=None").replace('"mae"', '"a": torch.dist, "b"')
    report = reported(tmp_path / "other", dict.fromkeys(("data", "model"), source(without)))
    assert (report["metrics"], report["tested"]) == (["a", "b"], False)


def test_what_it_forks_has_its_memory_for_a_moment_and_is_not_too_much(monkeypatch):
    """Until the child runs a program of its own, all of its parent's memory is counted for it, too."""
    looks = []

    def memory(_):
        looks.append(1)
        return 1 << 40 if len(looks) == 1 else 0

    monkeypatch.setattr(client._Process, "_memory", memory)
    sources = {"optimizer": source(SETTINGS + SGD + "    import time; time.sleep(1)\n    return Own(named, lr=0.1)\n")}
    assert client.probe(prepared(sources), sources).loss > 0 and len(looks) > 1
