"""The Train page as a reader meets it, without a browser: nothing is started, the queue's requests are looked at."""

import shlex
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from fop_core.jobs import launcher_settings, placements, queue
from fop_core.jobs.placements import Placement, Report
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config, preview
from fop_core.training.config import METHODS, PRESETS
from pages.shared.text import literal
from pages.shared.train.settings import values
from pages.train.launch import same_speed
from pages.train.preview import _future
from tests.pages.app import app_at
from tests.pages.test_trajectories import address, ran, words

PREVIEW = preview.Preview(
    (
        preview.Parameter("1.weight", (100, 784), "input", "", 784, 100, (784, 16), 12_544),
        preview.Parameter("1.bias", (100,), "", "bias or norm"),
    ),
    {"weights": 398_840},
    10,
    60_000,
)


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    """An empty runs folder, a queue that starts nothing, and a preview without a process."""
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path / "sets"))
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder=None: None)
    monkeypatch.setattr(preview, "preview", lambda made: PREVIEW)
    _future.clear()


def page(**query: str) -> AppTest:
    at = app_at("train")
    for name, value in query.items():
        at.query_params[name.replace("__", ".")] = value
    return ran(at.run())


def launch(at: AppTest):
    [button] = [each for each in at.button if each.key == "train launch"]
    return button


def runs() -> list[Run]:
    return [run for run, damage in store.scan() if not damage]


def field(at: AppTest, name: str):
    kinds = (at.text_input, at.selectbox, at.checkbox)
    [widget] = [each for kind in kinds for each in kind if each.key == f"train.{name}"]
    return widget


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_opens_as_it_is(name):
    at = page(preset=name)
    assert literal(PRESETS[name].about) in words(at)
    assert launch(at).label == "Launch 1 run" and not at.warning
    assert at.code[-1].value.endswith(f"python -m fop_core train --preset {name} --method fop")
    assert address(at) == ({} if name == "mnist-mlp" else {"preset": name})


def test_before_launch_it_says_what_there_is_to_know():
    at = page()
    assert list(at.table[0].value["Parameter"]) == [literal("1.weight")]
    text = words(at)
    for part in ("MNIST, 60,000 images of 10 classes", "CPU", "399 kB", "not measured yet", "bias or norm"):
        assert part in text.replace("\\", ""), part


def test_a_wrong_value_is_marked_beneath_its_field_and_stops_the_launch():
    at = page()
    ran(field(at, "epochs").set_value("0").run())
    assert launch(at).disabled and "Wrong: epochs" in words(at).replace("\\", "")
    marks = [each.value for each in at.markdown if ":material/error:" in each.value]
    assert len(marks) == 1 and "greater than or equal to 1" in marks[0]
    assert at.table, "the picture stays while a value is being typed"
    assert address(at) == {"epochs": "0"}
    ran(field(at, "epochs").set_value("3").run())
    assert not launch(at).disabled and "--set epochs=3" in at.code[-1].value


def test_a_wrong_value_under_more_opens_its_group():
    at = page(fop__max_dim="0")
    [group] = [each for each in at.expander if each.label.startswith("FOP")]
    assert group.label == "FOP: 1 wrong" and group.proto.expanded
    assert launch(at).disabled


def test_with_slurm_it_says_what_slurm_is_asked_for_and_refuses_only_what_it_never_gets():
    launcher_settings.choose(store.runs_folder(), "slurm", partition="gpu", cpus=4, pack=3)
    placements.write(
        store.runs_folder(), Report({"a": Placement("7_0", "running", "RUNNING", "n1")}, {}, "sbatch is ill")
    )
    at = page()
    shown = words(at).replace("\\", "")
    assert "Slurm starts it: 1 of our runs are on its nodes, 0 wait." in shown and "**Slots**" not in shown
    captions = " ".join(each.value for each in at.caption).replace("\\", "")
    assert "Partition gpu, CPUs 4, 3 runs in one allocation." in captions
    assert "sbatch is ill" in " ".join(each.value for each in at.warning)
    assert "Slurm is asked for none" in words(page(device="cuda"))
    launcher_settings.choose(store.runs_folder(), gpus="1")
    assert "Slurm is asked for none" not in words(page(device="cuda"))


def test_one_click_queues_a_run():
    at = page(epochs="2", name="first")
    launch(at).click().run()
    [run] = runs()
    assert run.name == "first" and run.labels["tags"] == []
    assert run.config == config.change(config.preset("mnist-mlp"), ["epochs=2"]).to_json()
    assert run.about["lineage"] == {"preset": "mnist-mlp", "method": "fop", "set": ["epochs=2"]}
    assert [each.id for each in queue.waiting()] == [run.id]


def test_several_seeds_and_baselines_go_together():
    at = page(seeds="0-2", compare="1")
    assert launch(at).label == "Launch 6 runs"
    launch(at).click().run()
    launched = sorted(runs(), key=lambda run: (run.config["seed"], run.config["fop"] is None))
    assert len(launched) == 6 and len(queue.waiting()) == 6
    [tags] = {tuple(run.labels["tags"]) for run in launched}
    assert len(tags) == 1
    for ours, theirs in zip(launched[::2], launched[1::2]):
        assert theirs.about["lineage"]["compare"] == ours.id
        assert theirs.config == ours.config | {"fop": None}


def test_the_click_that_comes_with_a_change_launches_what_is_in_the_field():
    at = page()
    field(at, "epochs").set_value("5")
    launch(at).click().run()
    assert [run.config["epochs"] for run in runs()] == [5]


@pytest.mark.parametrize(("name", "text"), [("epochs", "0"), ("seeds", "0-9")])
def test_a_click_that_comes_with_a_wrong_value_or_another_number_of_runs_launches_nothing(name, text):
    at = page()
    field(at, name).set_value(text)
    ran(launch(at).click().run())
    assert runs() == [] and launch(at).disabled == (name == "epochs")


def test_a_second_click_right_after_the_first_is_the_same_click():
    at = page()
    launch(at).click().run()
    at.switch_page("pages/train/page.py")
    ran(at.run())
    launch(at).click().run()
    assert len(runs()) == 1
    at.session_state["train launched"] -= 10
    launch(at).click().run()
    assert len(runs()) == 2


def test_a_launch_that_fails_half_way_says_how_far_it_came(monkeypatch):
    made = []

    def submit(run, by=""):
        if made:
            raise OSError("No space left on device")
        made.append(run)

    monkeypatch.setattr(queue, "submit", submit)
    at = page(seeds="0-2")
    ran(launch(at).click().run())
    assert "1 of 3 are in the queue: No space left on device" in at.error[0].value.replace("\\", "")


def test_a_setting_that_means_nothing_beside_another_is_not_shown_and_is_again_when_it_does():
    def shown(at: AppTest) -> set[str]:
        return {each.key.removeprefix("train.") for kind in (at.text_input, at.selectbox) for each in kind if each.key}

    at = page()
    assert {"fop.trace", "fop.feedback", "fop.apply"} <= shown(at) and "fop.hyper_lr_bounds" not in shown(at)
    ran(field(at, "fop.apply").set_value("after").run())
    assert not {"fop.trace", "fop.feedback"} & shown(at) and not launch(at).disabled
    assert address(at) == {"fop.apply": "after"} and "--set fop.apply=after" in at.code[-1].value
    ran(field(at, "fop.hyper_lr_step").set_value("0.02").run())
    assert "fop.hyper_lr_bounds" in shown(at)


def test_a_setting_that_is_refused_is_shown_though_it_means_nothing():
    at = page(fop__preconditioner="exponential", fop__init_scale="0.5")
    [group] = [each for each in at.expander if each.label.startswith("Advanced FOP")]
    assert group.label == "Advanced FOP: 1 wrong" and group.proto.expanded and launch(at).disabled
    ran(field(at, "fop.init_scale").set_value("1").run())
    assert not launch(at).disabled and not [each for each in at.text_input if each.key == "train.fop.init_scale"]


def test_missing_data_are_said_with_the_ways_to_get_them():
    at = page(preset="cifar10-allcnn-small")
    assert launch(at).disabled and "The data are missing" in words(at)
    assert "Three ways to get it" in at.error[0].value.replace("\\", "")
    assert "`python -m fop_core data cifar10`" in at.error[0].value, "as code"
    assert any(each.value == "python -m fop_core data cifar10" for each in at.code)


def test_a_device_that_is_not_there_stops_the_launch():
    at = page(device="cuda:7")
    assert launch(at).disabled and "for device cuda:7" in words(at).replace("\\", "")


def test_a_method_brings_its_own_settings_and_leaves_the_rest():
    at = page(epochs="3", optimizer__weight_decay="0.01")
    ran(field(at, "method").set_value("adam").run())
    assert field(at, "optimizer.lr").value == "0.001" and field(at, "epochs").value == "3"
    assert "--method adam --set optimizer.weight_decay=0.01 --set epochs=3" in at.code[-1].value
    assert not [each for each in at.checkbox if each.key == "train.compare"]
    assert address(at) == {"method": "adam", "epochs": "3", "optimizer.weight_decay": "0.01"}
    ran(field(at, "method").set_value("s-hd").run())
    assert field(at, "fop.preconditioner").value == "scalar" and field(at, "optimizer.lr").value == "0.05"


@pytest.mark.parametrize("method", METHODS)
def test_the_address_is_the_whole_form(method):
    query = {
        "preset": "imagefolder",
        "method": method,
        "epochs": "4",
        "optimizer.lr": "0.3",
        "seeds": "1-2",
        "name": "n",
    }
    at = page(**{name.replace(".", "__"): text for name, text in query.items()})
    assert address(at) == {name: text for name, text in query.items() if (name, text) != ("method", "fop")}


def test_another_preset_keeps_what_does_not_depend_on_it():
    at = page(epochs="3", seeds="0-1", compare="1", method="fop-norm")
    ran(field(at, "preset").set_value("cifar10-allcnn-small").run())
    assert field(at, "epochs").value == values("cifar10-allcnn-small", "fop")["epochs"]
    assert field(at, "seeds").value == "0-1" and field(at, "method").value == "fop-norm"
    assert launch(at).label == "Launch 4 runs"
    [reset] = [each for each in at.button if each.key == "train reset"]
    assert reset.disabled


def test_what_cannot_be_read_of_an_address_is_said():
    at = page(preset="nonsense", fop__layout="round", colour="red")
    assert len(at.warning) == 1 and all(word in at.warning[0].value for word in ("nonsense", "round", "colour"))
    assert address(at) == {}


@pytest.mark.parametrize("method", ["fop", "momentum", "s-hd", "adam"])
def test_a_run_is_cloned(method):
    made = config.change(config.preset("mnist-mlp", method), ["epochs=4", "seed=7", "optimizer.lr=0.01"])
    run = store.create(made.to_json(), name="old", lineage={"preset": "mnist-mlp", "method": method, "set": []})
    at = page(**{"from": run.id})
    assert f"As run {run.id}. Differs from mnist-mlp by {method} in" in at.info[0].value.replace("\\", "")
    assert "epochs 4 (the preset has 10)" in at.info[0].value.replace("\\", "")
    assert not at.warning
    launch(at).click().run()
    [new] = [each for each in runs() if each.id != run.id]
    assert new.config == run.config and new.name == "old"
    assert new.about["lineage"]["parent"] == run.id and new.about["lineage"]["method"] == method


def test_a_run_from_before_there_were_these_settings_is_cloned_as_it_was():
    content = config.preset("cifar10-allcnn-small").to_json()
    old = {**content, "fop": {name: content["fop"][name] for name in ("preconditioner", "hyper_lr", "trace")}}
    old["fop"]["max_dim"] = 1024
    del old["data"]["limit"]
    run = store.create(old, lineage={"preset": "cifar10-allcnn-small", "method": "fop", "set": []})
    at = page(**{"from": run.id})
    assert not at.warning and address(at) == {"preset": "cifar10-allcnn-small", "from": run.id}


@pytest.mark.parametrize(("name", "kept"), [("mnist-mlp fop seed 1", "mnist-mlp fop"), ("mine seed 1", "mine")])
def test_a_clone_bears_no_seed_of_its_parent_in_its_name(name, kept):
    made = config.change(config.preset("mnist-mlp", "fop"), ["seed=1"])
    run = store.create(made.to_json(), name=name, lineage={"preset": "mnist-mlp", "method": "fop", "set": []})
    at = page(**{"from": run.id})
    ran(at.text_input(key="train.seeds").set_value("3").run())
    launch(at).click().run()
    [new] = [each for each in runs() if each.id != run.id]
    assert new.name == kept and new.config["seed"] == 3


def test_a_run_that_tells_of_no_preset_is_cloned_as_the_nearest():
    made = config.change(config.preset("cifar10-allcnn-small", "fop-norm"), ["epochs=2"])
    run = store.create(made.to_json(), lineage={"config": "a file"})
    at = page(**{"from": run.id})
    assert address(at)["preset"] == "cifar10-allcnn-small" and address(at)["method"] == "fop-norm"
    assert "--set epochs=2" in at.code[-1].value


def test_a_clone_of_no_run_is_said():
    at = page(**{"from": "nobody"})
    assert "no run" in at.warning[0].value and launch(at).label == "Launch 1 run"


def test_a_probe_is_a_job_like_any_other_and_its_steps_make_the_estimate():
    at = page()
    [button] = [each for each in at.button if each.key == "train probe"]
    ran(button.click().run())
    [run] = runs()
    assert run.labels["archived"] and run.labels["tags"] == ["probe"] and run.config["max_steps"] == 20
    assert [each.id for each in queue.waiting()] == [run.id]
    assert "Time per epoch** waits" in words(at)
    with Control(run) as control:
        control.set("starting")
        control.set("running")
        writer = RunWriter(run, {}, from_step=0)
        for step in (*range(11), 20):
            writer.row({"step": step, "seconds": step / 10})
        writer.close()
        control.set("finished")
    ran(at.run())
    text = words(at)
    assert "about 47 s; 8 min for a run" in text and "0.1 s a step, 469 steps an epoch, 4,690 in all" in text
    ran(field(at, "optimizer.lr").set_value("0.01").run())
    assert "about 47 s" in words(at), "another rate is as fast"
    ran(field(at, "batch_size").set_value("64").run())
    assert "not measured yet" in words(at)


def test_a_probe_that_fails_says_why():
    at = page()
    [button] = [each for each in at.button if each.key == "train probe"]
    ran(button.click().run())
    [run] = runs()
    with Control(run) as control:
        control.set("failed", "out of memory")
    (run.path / "requests" / "start").unlink()
    ran(at.run())
    assert "The probe is failed: out of memory" in at.error[0].value.replace("\\", "")


def test_what_cannot_be_built_is_said(monkeypatch):
    def fail(made):
        raise preview.PreviewError("no such kernel")

    monkeypatch.setattr(preview, "preview", fail)
    at = page()
    assert "no such kernel" in at.error[0].value and not launch(at).disabled


def test_a_speed_is_of_a_network_and_a_device_not_of_a_rate():
    made = config.preset("mnist-mlp")
    for setting in ("optimizer.lr=0.2", "seed=3", "epochs=1", "fop.hyper_lr=1e-3", "schedule.kind=cosine"):
        assert same_speed(config.change(made, [setting])) == same_speed(made)
    for setting in ("batch_size=64", "device=cpu", "fop.rank=4", "fop.hyper_lr=0", "threads=1", "precision=bf16"):
        assert same_speed(config.change(made, [setting])) != same_speed(made)


@pytest.mark.parametrize("template", ["{run}", "{outside}", "{outside}/", "../outside/{id}", "outside", ".", "..", ""])
def test_only_a_run_of_the_folder_or_the_gallery_is_cloned_by_its_id(template, tmp_path, monkeypatch):
    made = config.change(config.preset("mnist-mlp"), ["epochs=77"])
    outside = store.create(made.to_json(), folder=tmp_path / "outside")
    inside = store.create(made.to_json())
    monkeypatch.chdir(outside.path.parent.parent)
    (tmp_path / "here").symlink_to(outside.path)
    text = template.format(run=inside.path, outside=outside.path, id=outside.id)
    at = page(**{"from": text})
    assert field(at, "epochs").value == "10"
    if text:
        assert "no run of this id" in at.warning[0].value
    assert field(page(**{"from": inside.id}), "epochs").value == "77"
    assert not page(**{"from": "mnist-fop-rank16-seed0"}).warning, "the gallery's"


def folder_of_images(folder: Path) -> Path:
    for part in ("train", "val"):
        for kind in ("cat", "dog"):
            (folder / part / kind).mkdir(parents=True)
            (folder / part / kind / "1.png").write_bytes(b"")
    return folder


def test_a_path_that_came_with_the_address_is_not_looked_at_before_the_reader_asks(tmp_path, monkeypatch):
    previewed = []
    monkeypatch.setattr(preview, "preview", lambda made: previewed.append(made.data.path) or PREVIEW)
    paths = [str(folder_of_images(tmp_path / "there")), str(tmp_path / "gone0")]
    pages = [page(preset="imagefolder", data__path=path) for path in paths]
    texts = [words(at).replace(literal(path), "PATH") for at, path in zip(pages, paths)]
    assert texts[0] == texts[1] and "came with the address" in texts[0] and not previewed
    assert all(launch(at).disabled and not at.error for at in pages)
    for at in pages:
        [button] = [each for each in at.button if each.label == "Check the path"]
        ran(button.click().run())
    assert not launch(pages[0]).disabled and not pages[0].error and paths[0] in previewed
    assert launch(pages[1]).disabled and "gone0" in pages[1].error[0].value
    assert not [each for at in pages for each in at.button if each.label == "Check the path"]


def test_a_path_that_the_reader_types_is_looked_at_at_once(tmp_path):
    at = page(preset="imagefolder", data__path=str(tmp_path / "gone"))
    path = str(folder_of_images(tmp_path / "there"))
    ran(field(at, "data.path").set_value(path).run())
    assert not launch(at).disabled and "came with the address" not in words(at)
    ran(field(at, "data.path").set_value(str(tmp_path / "gone")).run())
    assert launch(at).disabled and "came with the address" in words(at), "as it came"


def optimizer(at: AppTest) -> dict:
    return config.change(config.preset("mnist-mlp"), shlex.split(at.code[-1].value.splitlines()[-1])[9::2]).to_json()[
        "optimizer"
    ]


@pytest.mark.parametrize("base", ["adam", "adamw", "rmsprop"])
def test_another_base_brings_its_own_rate_and_betas_and_sgd_its_own_again(base):
    at = page(optimizer__weight_decay="0.01")
    ran(field(at, "optimizer.name").set_value(base).run())
    assert field(at, "optimizer.lr").value == "0.001" and not launch(at).disabled
    made = optimizer(at)
    assert (made["name"], made["lr"], made["momentum"], made["weight_decay"]) == (base, 1e-3, 0.0, 0.01)
    name = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSProp"}[base]
    assert f"FOP around {name}" in words(at) and "around SGD" not in words(at)
    ran(field(at, "optimizer.name").set_value("sgd").run())
    assert field(at, "optimizer.lr").value == "0.05" and field(at, "optimizer.momentum").value == "0.9"
    assert address(at) == {"optimizer.weight_decay": "0.01"} and "around SGD with momentum" in words(at)


@pytest.mark.parametrize(("base", "called"), [("muon", "Muon"), ("soap", "SOAP")])
def test_a_rival_brings_its_authors_rate_and_decay_and_sgd_its_own_again(base, called):
    at = page()
    ran(field(at, "optimizer.name").set_value(base).run())
    authors = config.OptimizerConfig(name=base).model_dump(mode="json")
    assert optimizer(at) == authors and not launch(at).disabled
    assert f"FOP around {called}" in words(at)
    ran(field(at, "optimizer.name").set_value("sgd").run())
    assert not address(at) and "around SGD with momentum" in words(at)


def test_prodigy_goes_without_fop_and_the_page_says_so():
    at = page()
    ran(field(at, "optimizer.name").set_value("prodigy").run())
    assert launch(at).disabled and "goes without FOP: its rate is an estimate" in words(at).replace("\\", "")
    ran(field(at, "method").set_value("sgd").run())
    ran(field(at, "optimizer.name").set_value("prodigy").run())
    assert not launch(at).disabled and "Prodigy instead of SGD" in words(at)


def test_a_rate_that_the_reader_has_set_stays_with_another_base():
    at = page(optimizer__lr="0.02")
    ran(field(at, "optimizer.name").set_value("adam").run())
    assert field(at, "optimizer.lr").value == "0.02" and optimizer(at)["lr"] == 0.02
    field(at, "optimizer.lr").set_value("0.3")  # comes along with the choice
    ran(field(at, "optimizer.name").set_value("sgd").run())
    assert field(at, "optimizer.lr").value == "0.3" and field(at, "optimizer.momentum").value == "0.9"


def test_fop_around_adam_is_compared_with_adam_and_a_plain_method_is_what_it_is_called():
    at = page(compare="1")
    ran(field(at, "optimizer.name").set_value("adam").run())
    assert "by fop around Adam and, without FOP, by adam" in words(at).replace("\\", "")
    ran(field(at, "method").set_value("momentum").run())
    assert field(at, "optimizer.name").value == "sgd" and field(at, "optimizer.momentum").value == "0.9"
    ran(field(at, "method").set_value("fop").run())
    assert address(at) == {"compare": "1"}
    ran(field(at, "method").set_value("adam").run())
    ran(field(at, "optimizer.name").set_value("sgd").run())
    assert field(at, "optimizer.lr").value == "0.05" and "SGD instead of Adam at" in words(at)


def opened(at: AppTest) -> dict:
    [link] = [each.proto for each in at.get("page_link") if each.proto.label == "Follow them in Runs"]
    return dict(parse_qsl(link.query_string))


def test_a_launch_leads_to_its_runs_and_more_than_can_be_chosen_to_their_tag():
    at = page(seeds="0-1")
    ran(launch(at).click().run())
    assert sorted(opened(at)["run"].split(",")) == sorted(run.id for run in runs())
    at = page(seeds="0-49", name="n" * 60)
    at.session_state["train launched"] = -10.0
    ran(launch(at).click().run())
    [tag] = {tag for run in runs() if run.name.startswith("nnn") for tag in run.labels["tags"]}
    assert opened(at) == {"tag": tag}
