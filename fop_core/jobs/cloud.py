"""A run as a task of SkyPilot or a Job of Kubernetes, with the command that Slurm and this machine run too.

    manifest(run, "kubernetes", image="registry/fop-lab:1", claim="fop-runs")

Nothing is submitted: what comes out is for `sky jobs launch` or `kubectl apply`. It is compared with their schemas in
tests; no cloud and no cluster has run it.
"""

import json
import re
import shlex
from typing import Any, Literal

from fop_core.printable import printable
from fop_core.runs import plugins
from fop_core.runs.files import RunError
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE

Platform = Literal["skypilot", "kubernetes"]
PLATFORMS: tuple[Platform, ...] = ("skypilot", "kubernetes")
RUNS = "/data/runs"  # where both have the runs folder, as the Dockerfile has it
GRACE = 120  # seconds between SIGTERM and SIGKILL, for the checkpoint
RETRIES = 6
LONGEST = 63  # letters of a name in Kubernetes
ID = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")  # of a run: its directory may be called by whoever packed it
ENDED_FOR_GOOD = [1, 2]  # exit status of ``train``: failed, and wrong arguments; 3 is stopped by SIGTERM


def manifest(
    run: Run,
    platform: Platform,
    *,
    gpus: str = "",
    cpus: int = 1,
    memory_gb: int = 4,
    image: str = "",
    claim: str = "",
    spot: bool = False,
) -> str:
    """Return what trains a run elsewhere, as YAML: comments that say how it is used, and one JSON object.

    Args:
        run: the run; it is not changed.
        platform: "skypilot" or "kubernetes".
        gpus: "1" or, with a kind that SkyPilot knows, "A100:1"; "" for the CPU.
        cpus: cores.
        memory_gb: GB.
        image: for Kubernetes, made from the Dockerfile.
        claim: for Kubernetes, the persistent volume claim that holds the runs folder.
        spot: for SkyPilot, whether the machine may be taken away; the run goes on on another one.

    Raises:
        ValueError: for values that do not do, or do not go with the platform.
        RunError: where the run is finished, or being worked on, or its directory has a name with odd characters.
    """
    if not ID.fullmatch(run.id):
        raise RunError(
            f"{run.id!r:.200} cannot be trained elsewhere under that name: letters, digits and . _ - are expected, a "
            "letter or digit first; rename its directory, or clone the run"
        )
    state = run.state.state
    if state == "finished" or state in ALIVE:
        raise RunError(f"{run.id} is {state}: there is nothing to train elsewhere")
    match = re.fullmatch(r"(?:([A-Za-z0-9_.-]+):)?([1-9][0-9]{0,2})", gpus)
    if gpus and not match:
        raise ValueError(f"gpus is {gpus!r:.60}: give a number, or for SkyPilot a kind and a number, as A100:1")
    for what, value in (("cpus", cpus), ("memory_gb", memory_gb)):
        if not 1 <= value <= 4096:
            raise ValueError(f"{what} is {value}: give a whole number from 1 to 4096")
    kind, number = match.groups() if match else (None, "0")
    device = str(run.config.get("device", "auto"))
    if device.startswith("cuda") and not match:
        raise ValueError(f"{run.id} is for device {device}: give it GPUs")
    if platform == "kubernetes":
        for what, text in (("an image", image), ("a claim", claim)):
            if not text or not text.isprintable() or " " in text:
                raise ValueError(f"a Job of Kubernetes needs {what}, and it is {text!r:.60}")
        if kind or spot:
            raise ValueError("a kind of GPU, and spot machines, are chosen by the cluster's own labels: leave them out")
        content = _job(run, int(number), cpus, memory_gb, image, claim)
        use = [
            f"Its directory has to be in the volume of {claim} as {run.id}, with {run.path} as what it is now.",
            "kubectl apply -f this file; what is written there is the run.",
        ]
    else:
        if image or claim:
            raise ValueError("image and claim are for Kubernetes: leave them out")
        if match and not kind:
            raise ValueError(f"gpus is {gpus}: SkyPilot needs a kind too, as A100:{gpus}")
        content = _task(run, gpus, cpus, memory_gb, spot)
        use = [
            "In the project's folder: sky jobs launch this file. It copies the run's directory to a bucket.",
            "What the bucket holds then is the run.",
        ]
    head = [f"{run.id} as a {'Job of Kubernetes' if platform == 'kubernetes' else 'task of SkyPilot'}.", *use]
    head.append("It was compared with the schema, and not run.")
    return "".join(f"# {printable(line)}\n" for line in head) + _json(content) + "\n"


def _json(content: Any) -> str:
    """Return JSON that is YAML, too: a character like 😀 as itself, since its two escapes are two characters there."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text)


def command(run: Run) -> list[str]:
    """Return the command that trains it there; it goes on from its last checkpoint.

    What of its plug-ins is confirmed here is so there, too: by its content.

    Raises:
        RunError: where one of them is not to be run.
    """
    if why := plugins.refusal(run):
        raise RunError(f"{run.id}: {why}")
    confirmed = [word for _, digest in plugins.named(run.config).values() for word in ("--confirm", digest)]
    return ["python", "-m", "fop_core", "train", "--run", f"{RUNS}/{run.id}", "--quiet", *confirmed]


def name(run: Run) -> str:
    """Return what the run is called there: small letters, digits and dashes, 63 at most."""
    plain = f"fop-{re.sub('[^a-z0-9]+', '-', run.id.lower())}".strip("-")
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 9].rstrip('-')}-{plain[-8:].lstrip('-')}"


def _job(run: Run, gpus: int, cpus: int, memory_gb: int, image: str, claim: str) -> dict[str, Any]:
    amounts = {"cpu": str(cpus), "memory": f"{memory_gb}G"}
    container = {
        "name": "train",
        "image": image,
        "command": command(run),
        "env": [{"name": "FOP_RUNS_DIR", "value": RUNS}, {"name": "OMP_NUM_THREADS", "value": str(cpus)}],
        "resources": dict(requests=amounts, limits=amounts | ({"nvidia.com/gpu": str(gpus)} if gpus else {})),
        "volumeMounts": [{"name": "runs", "mountPath": RUNS}],
    }
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE,
        "containers": [container],
        "volumes": [{"name": "runs", "persistentVolumeClaim": {"claimName": claim}}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name(run), "labels": {"app": "fop-lab"}},
        "spec": {
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": RETRIES,
            "podFailurePolicy": {
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {"action": "FailJob", "onExitCodes": {"operator": "In", "values": ENDED_FOR_GOOD}},
                ]
            },
            "template": {"metadata": {"labels": {"app": "fop-lab"}}, "spec": pod},
        },
    }


def _task(run: Run, gpus: str, cpus: int, memory_gb: int, spot: bool) -> dict[str, Any]:
    kind, _, number = gpus.partition(":")
    resources: dict[str, Any] = {"cpus": f"{cpus}+", "memory": f"{memory_gb}+", "use_spot": spot}
    resources |= {"accelerators": {kind: int(number)}} if gpus else {}
    bucket = {"name": name(run), "source": str(run.path.resolve()), "mode": "MOUNT_CACHED"}  # rows are appended
    return {
        "name": name(run),
        "workdir": ".",
        "resources": resources,
        "envs": {"FOP_RUNS_DIR": RUNS, "OMP_NUM_THREADS": str(cpus)},
        "file_mounts": {f"{RUNS}/{run.id}": bucket},
        "setup": "python -m pip install -r requirements.txt",
        "run": shlex.join(command(run)),
    }
