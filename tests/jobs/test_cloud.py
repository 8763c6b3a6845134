"""A run as a task of SkyPilot or a Job of Kubernetes: of their schemas the parts that are used."""

import json
import re
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator

from fop_core.cli import main
from fop_core.jobs import cloud
from fop_core.runs.control import Control
from fop_core.runs.files import RunError
from fop_core.runs.run import Run
from tests.jobs.conftest import new


def strict(**properties):
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


TEXT, NUMBER = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
NAMED = {"type": "object", "additionalProperties": {"type": "string"}}
LABEL = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
QUANTITY = {"type": "object", "additionalProperties": {"type": "string", "pattern": "^[0-9]+[KMGT]?$"}}

# The parts of SkyPilot's own schema of a task (0.14) and of batch/v1 Job (1.37) that are written.
SKYPILOT = strict(
    name={"type": "string", "pattern": "^[a-zA-Z0-9]+[a-zA-Z0-9._-]*$"},
    workdir=TEXT,
    resources={
        "type": "object",
        "additionalProperties": False,
        "required": ["cpus", "memory", "use_spot"],
        "properties": {
            "cpus": {"type": "string", "pattern": "^[0-9]+\\+$"},
            "memory": {"type": "string", "pattern": "^[0-9]+\\+$"},
            "use_spot": {"type": "boolean"},
            "accelerators": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "number"}},
        },
    },
    envs=NAMED,
    file_mounts={
        "type": "object",
        "additionalProperties": strict(name=LABEL, source=TEXT, mode={"enum": ["MOUNT", "COPY", "MOUNT_CACHED"]}),
    },
    setup=TEXT,
    run=TEXT,
)
POD = strict(
    restartPolicy={"const": "Never"},  # which a policy for exit codes demands
    terminationGracePeriodSeconds=NUMBER,
    containers={
        "type": "array",
        "items": strict(
            name=LABEL,
            image=TEXT,
            command=TEXTS,
            env={"type": "array", "items": strict(name=TEXT, value={"type": "string"})},
            resources=strict(requests=QUANTITY, limits=QUANTITY),
            volumeMounts={"type": "array", "items": strict(name=LABEL, mountPath=TEXT)},
        ),
    },
    volumes={"type": "array", "items": strict(name=LABEL, persistentVolumeClaim=strict(claimName=TEXT))},
)
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["action"],
    "properties": {
        "action": {"enum": ["FailJob", "FailIndex", "Ignore", "Count"]},
        "onExitCodes": strict(operator={"enum": ["In", "NotIn"]}, values={"type": "array", "items": NUMBER}),
        "onPodConditions": {"type": "array", "items": strict(type=TEXT, status={"enum": ["True", "False", "Unknown"]})},
    },
}
KUBERNETES = strict(
    apiVersion={"const": "batch/v1"},
    kind={"const": "Job"},
    metadata=strict(name=LABEL, labels=NAMED),
    spec=strict(
        parallelism=NUMBER,
        completions=NUMBER,
        backoffLimit=NUMBER,
        podFailurePolicy=strict(rules={"type": "array", "items": RULE}),
        template=strict(metadata=strict(labels=NAMED), spec=POD),
    ),
)
HOW = {
    "skypilot": (SKYPILOT, {"gpus": "A100:1", "spot": True}),
    "kubernetes": (KUBERNETES, {"gpus": "1", "image": "registry/fop-lab:1", "claim": "fop-runs"}),
}


def content(text):
    lines = text.splitlines()
    assert any("not run" in line for line in lines if line.startswith("#"))
    return json.loads("\n".join(line for line in lines if not line.startswith("#")))


@pytest.mark.parametrize("platform", cloud.PLATFORMS)
@pytest.mark.parametrize("on", ["cpu", "gpu"])
def test_what_is_written_is_what_the_schema_has(folder, platform, on):
    schema, options = HOW[platform]
    options = options if on == "gpu" else {**options, "gpus": ""}
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(content(cloud.manifest(new(folder), platform, **options)))


def test_the_command_is_one_that_trains_the_run(folder):
    run = new(folder)
    command = cloud.command(run)
    assert content(cloud.manifest(run, "skypilot"))["run"] == " ".join(command)
    words = [sys.executable, *(word.replace(cloud.RUNS, str(folder)) for word in command[1:])]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    assert run.state.state == "finished"
    with pytest.raises(ValueError, match="finished: there is nothing to train elsewhere"):
        cloud.manifest(run, "skypilot")


@pytest.mark.parametrize("name", ["short", "X" * 80, "0___", "a_b.C-d"])
def test_its_name_is_one_that_both_take(folder, name):
    run = new(folder)
    renamed = folder / name
    run.path.rename(renamed)
    text = cloud.manifest(Run(renamed), "kubernetes", image="i", claim="c")
    Draft202012Validator(LABEL).validate(content(text)["metadata"]["name"])


def test_a_directory_whose_name_a_shell_or_a_cluster_would_read_is_refused(folder, capsys):
    path = new(folder).path
    for name in ("a;id>b;#", "a\n{}\n---\n#", "a b", "$(id)", "-a", "a\n", "\x85", "ü"):
        path = path.rename(folder / name)
        for platform, (_, options) in HOW.items():
            with pytest.raises(RunError, match=re.escape("letters, digits and . _ - are expected")):
                cloud.manifest(Run(path), platform, **options)
    assert main(["queue", "export", str(path), "--as", "skypilot"]) == 2
    assert not capsys.readouterr().out


def test_a_folder_with_a_picture_in_its_name_is_the_same_in_json_and_in_yaml(folder):
    run = new(folder.parent / "😀\u2028")
    text = cloud.manifest(run, "skypilot")
    assert "😀\\u2028" in text and "\\ud8" not in text, "two escapes of JSON are two characters in YAML"
    content = json.loads("".join(line for line in text.splitlines(True) if not line.startswith("#")))
    assert content["file_mounts"][f"{cloud.RUNS}/{run.id}"]["source"] == str(run.path.resolve())


def test_a_folder_with_an_odd_name_gets_no_line_of_its_own(folder):
    odd = folder / "a\n{}\n---\nb"
    text = cloud.manifest(new(odd), "kubernetes", image="i", claim="c")
    assert content(text)["kind"] == "Job" and str(odd).encode("unicode_escape").decode() in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["kubernetes", "--claim", "c"], "needs an image"),
        (["kubernetes", "--image", "i"], "needs a claim"),
        (["kubernetes", "--image", "i", "--claim", "c", "--gpus", "A100:1"], "leave them out"),
        (["skypilot", "--image", "i"], "for Kubernetes"),
        (["skypilot", "--gpus", "2"], "needs a kind"),
        (["skypilot", "--gpus", "x:y"], "give a number"),
        (["skypilot", "--cpus", "0"], "cpus is 0"),
    ],
)
def test_what_does_not_go_is_refused_with_why(folder, capsys, arguments, words):
    run = new(folder)
    assert main(["queue", "export", run.id, "--as", *arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err and not said.out


def test_a_run_for_a_gpu_is_not_sent_without_one_and_one_that_runs_not_at_all(folder):
    with pytest.raises(ValueError, match="give it GPUs"):
        cloud.manifest(new(folder, "device=cuda"), "skypilot")
    run = new(folder)
    with Control(run) as control:
        control.set("running")
        with pytest.raises(ValueError, match="running"):
            cloud.manifest(run, "skypilot")
