"""A log made here is read by TensorBoard's own reader, and its logs, by any writer, are read here."""

import io
import json
import math
import sys

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("tensorboard", reason="it is an extra: pip install tensorboard")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from torch.utils.tensorboard import SummaryWriter

from fop_core import FOP, runs
from fop_core.cli import main
from fop_core.runs import GALLERY, learned
from fop_core.runs.files import DamagedFile
from fop_core.trackers import tensorboard


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


def accumulated(path) -> EventAccumulator:
    return EventAccumulator(
        str(path), size_guidance=dict.fromkeys(("scalars", "images", "histograms", "tensors"), 0)
    ).Reload()


def recorded():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 300))
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.01), hyper_lr=1e-2)
    with runs.record({"lr": 0.01}, name="mine") as run:
        for step in (1, 2, 3):
            optimizer.zero_grad()
            model(torch.randn(2, 4)).square().mean().backward()
            optimizer.step()
            run.log(step, train_loss=[0.1, math.nan, 1e300][step - 1], lr=0.01)
            run.snapshot(optimizer)
    return run.run


def test_scalars_histograms_and_images_are_read_by_tensorboards_own_reader(folder, tmp_path, capsys):
    run = recorded()
    assert main(["runs", "export", "mine", str(tmp_path / "log"), "--to", "tensorboard"]) == 0
    assert "tensorboard --logdir" in capsys.readouterr().out
    log, shown = accumulated(tmp_path / "log"), learned.of_run(run).layers["0.weight"]
    run.metrics.update()
    assert set(log.Tags()["scalars"]) == set(run.metrics.columns)
    for name in run.metrics.columns:
        events, series = log.Scalars(name), run.metrics[name]
        assert [event.step for event in events] == series.steps.tolist()
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal([event.value for event in events], series.values.astype(np.float32))
    walls = [event.wall_time for event in log.Scalars("train_loss")]
    np.testing.assert_allclose(np.diff(walls), np.diff(run.metrics["seconds"].values), atol=1e-5)
    assert set(log.Tags()["images"]) == {"P − I/0.weight", "P − I/1.weight"}
    [*_, last] = log.Images("P − I/0.weight")
    picture = np.asarray(Image.open(io.BytesIO(last.encoded_image_string)).convert("RGB")).astype(int)
    assert picture.shape == (256, 256, 3) and (last.height, last.width, last.step) == (256, 256, 3)
    change = shown.P(-1) - np.eye(4)
    warmer = picture[32::64, 32::64, 0] - picture[32::64, 32::64, 2]  # orange has more red, blue more blue
    strong = np.abs(change) > 0.1 * np.abs(change).max()
    assert (np.sign(warmer[strong]) == np.sign(change[strong])).all() and strong.sum() >= 4
    [*_, histogram] = log.Histograms("P/0.weight/entries")
    values = histogram.histogram_value
    assert values.num == sum(values.bucket) == 16
    np.testing.assert_allclose(values.sum, shown.P(-1).sum())
    assert log.Histograms("P/0.weight/eigenvalues")[0].histogram_value.num == 4
    [about] = log.Tensors("about")
    text = about.tensor_proto.string_val[0].decode()
    assert run.id in text and '"lr": 0.01' in text


def test_a_run_of_the_gallery_is_exported_with_every_layer(tmp_path):
    run = runs.load(GALLERY / "cifar10-fop-velocity")
    tensorboard.export(run, tmp_path / "log")
    log, shown = accumulated(tmp_path / "log"), learned.of_run(run)
    assert set(log.Tags()["images"]) == {f"P − I/{name}" for name, layer in shown.layers.items() if layer.is_matrix}
    for name, layer in shown.layers.items():
        assert len(log.Images(f"P − I/{name}")) == len(layer.steps)
    assert [event.step for event in log.Scalars("train_loss")] == run.metrics["train_loss"].steps.tolist()


def test_a_large_layer_is_shown_by_its_thumbnails(folder, tmp_path):
    class Large:
        def preconditioners(self):
            return {"a": np.diag(np.linspace(1, 3, 400))}

    with runs.record() as run:
        run.snapshot(Large(), 1)
    tensorboard.export(run.run, tmp_path / "log")
    [image] = accumulated(tmp_path / "log").Images("P − I/a")
    assert (image.height, image.width) == (256, 256)


def test_a_folder_that_holds_something_is_left_alone(folder, tmp_path, capsys):
    recorded()
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "mine.txt").write_text("")
    assert main(["runs", "export", "mine", str(tmp_path / "log"), "--to", "tensorboard"]) == 2
    assert "give a new folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("new_style", [False, True])
def test_scalars_of_torchs_writer_are_imported_as_a_run(folder, tmp_path, new_style, capsys):
    with SummaryWriter(str(tmp_path / "theirs")) as writer:
        for step in range(5):
            writer.add_scalar("Loss/train", 1 / (step + 1), step, new_style=new_style)
        writer.add_scalar("accuracy", math.nan, 2, new_style=new_style)
        writer.add_histogram("weights", np.arange(9.0), 1)
        writer.add_image("picture", np.zeros((3, 2, 2)), 1)
        writer.add_text("text", "words", 1)
    (tmp_path / "settings.json").write_text(json.dumps({"lr": 0.5}))
    arguments = [
        "import",
        str(tmp_path / "theirs"),
        "--column",
        "Loss/train=train_loss",
        "--name",
        "theirs",
        "--tag",
        "tb",
    ]
    assert main(["runs", *arguments, "--settings", str(tmp_path / "settings.json")]) == 0
    assert "5 steps" in capsys.readouterr().out
    back = runs.load("theirs")
    assert back.config == {"lr": 0.5} and back.labels["tags"] == ["tb"] and back.state.state == "finished"
    assert back.metrics.columns == ["accuracy", "train_loss"]
    np.testing.assert_array_equal(back.metrics["train_loss"].values, (1 / np.arange(1, 6)).astype(np.float32))
    assert np.isnan(back.metrics["accuracy"].values[0]) and back.progress["step"] == 4
    assert back.about["lineage"]["recorded"] == "from theirs"


def test_what_was_exported_is_imported_the_same_but_for_float32(folder, tmp_path):
    run = recorded()
    tensorboard.export(run, tmp_path / "log")
    rows = tensorboard.read(tmp_path / "log").rows
    run.metrics.update()
    for name in run.metrics.columns:
        with np.errstate(over="ignore"):
            expected = dict(zip(run.metrics[name].steps.tolist(), run.metrics[name].values.astype(np.float32).tolist()))
        there = {step: row[name] for step, row in rows.items() if name in row}
        np.testing.assert_array_equal([there[step] for step in expected], list(expected.values()))


def test_a_log_that_is_cut_off_is_read_up_to_there(folder, tmp_path):
    with SummaryWriter(str(tmp_path / "theirs")) as writer:
        for step in range(50):
            writer.add_scalar("loss", step, step)
    [file] = (tmp_path / "theirs").iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    assert 40 < len(tensorboard.read(file).rows) < 50


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"words and more words, no events at all"])
def test_what_is_no_log_is_refused_and_no_run_is_made(folder, tmp_path, content, capsys):
    file = tmp_path / "events.out.tfevents.1"
    file.write_bytes(content)
    with pytest.raises(DamagedFile, match="tfevents"):
        tensorboard.read(file)
    assert main(["runs", "import", str(file)]) == 2
    assert str(file) in capsys.readouterr().err and not folder.exists()


@pytest.mark.parametrize("shape", [(10**6, 10**9), (0,)])
def test_a_scalar_that_says_it_is_large_is_refused_before_it_is_made(tmp_path, shape):
    with SummaryWriter(str(tmp_path / "theirs")) as writer:
        tensor = TensorProto(dtype="DT_FLOAT", float_val=[1.0])
        tensor.tensor_shape.dim.extend(TensorShapeProto.Dim(size=size) for size in shape)
        data = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))
        writer.file_writer.add_summary(Summary(value=[Summary.Value(tag="loss", tensor=tensor, metadata=data)]), 1)
    with pytest.raises(DamagedFile, match=rf"the scalar 'loss' has {math.prod(shape):,} entries"):
        tensorboard.read(tmp_path / "theirs")


def test_a_folder_without_logs_names_those_below(tmp_path):
    with SummaryWriter(str(tmp_path / "a" / "b")) as writer:
        writer.add_scalar("loss", 1, 1)
    with pytest.raises(FileNotFoundError, match=r"there are in .*a/b"):
        tensorboard.read(tmp_path)


def test_a_large_tree_is_looked_through_no_further_than_a_thousand_folders(tmp_path):
    for number in range(1100):
        (tmp_path / f"{number:04}").mkdir()
    walked = []
    sys.addaudithook(lambda event, arguments: event == "os.scandir" and walked.append(arguments))
    with pytest.raises(FileNotFoundError, match=r"holds no event files$"):
        tensorboard.read(tmp_path)
    assert 900 < len(walked) <= 1001
