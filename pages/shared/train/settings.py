"""The table of a training run's settings: all of ``TrainConfig``, whose own schema gives meaning, range and choices."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from fop_core.optim.forms import FORMS
from fop_core.runs import compare
from fop_core.training import config
from fop_core.training.config import BASES, METHODS, PLUGIN, TAKES, TrainConfig
from pages.shared.fields import Choice, Field, Flag, Text
from pages.shared.train.fields import LONGEST, Line, Pick, plain

PRESETS = Choice(
    "Preset",
    {name: name for name in config.PRESETS},
    "The paper's experiments. Sets everything below; the address of this page holds all of it.",
)

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "data.name": "Data set",
        "data.path": "Folder of the data",
        "data.image_size": "Image size (pixels)",
        "data.augmentation": "Augmentation",
        "data.normalize": "Scale of the pixels",
        "data.limit": "Training images at most",
        "data.held_out": "Held out for tuning",
        "data.storage": "Images are kept",
        "data.workers": "Reading processes",
        "model.name": "Network",
        "model.width": "Width",
        "model.batch_norm": "BatchNorm",
        "optimizer.name": "Base optimizer",
        "optimizer.lr": "Learning rate ε",
        "optimizer.momentum": "Momentum",
        "optimizer.nesterov": "Nesterov",
        "optimizer.dampening": "Dampening",
        "optimizer.weight_decay": "Weight decay",
        "optimizer.beta1": "β₁",
        "optimizer.beta2": "β₂",
        "optimizer.alpha": "Smoothing α",
        "optimizer.eps": "Stabilizer",
        "optimizer.precondition_every": "Precondition every … steps",
        "schedule.kind": "Rate over time",
        "schedule.milestones": "Steps down after epochs",
        "schedule.factor": "Each by a factor",
        "fop.preconditioner": "Form of P",
        "fop.layout": "Layout",
        "fop.apply": "P is applied",
        "fop.feedback": "Feedback",
        "fop.hyper_lr": "Hypergradient rate ρ",
        "fop.hyper_optimizer": "Hyper-optimizer",
        "fop.rank": "Rank of M",
        "fop.init_std": "M at the start",
        "fop.trace": "Trace λ",
        "fop.normalized": "Normalized (FOP-norm)",
        "fop.max_dim": "Largest n",
        "fop.init_scale": "Scale of M at the start",
        "fop.derivative": "Derivative of exp(M)",
        "fop.hyper_lr_step": "Step κ of a learned ρ",
        "fop.hyper_lr_bounds": "Bounds of a learned ρ",
        "fop.rescale": "Rescale to p∞",
        "fop.update_every": "Learn M every … steps",
        "fop.on_nonfinite": "A step that is not finite",
        "fop.hyper_eps": "Hyper-stabilizer",
        "epochs": "Epochs",
        "max_steps": "Step limit",
        "batch_size": "Batch size",
        "device": "Device",
        "precision": "Precision",
        "threads": "CPU threads",
        "log_every": "Log every … steps",
        "snapshots": "Snapshots of M",
        "checkpoint_minutes": "Checkpoint every … minutes",
        "checkpoint_steps": "Checkpoint every … steps",
    }
)

OPTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "optimizer.name": BASES,
        "fop.preconditioner": {name: form.label for name, form in FORMS.items()},
        "fop.apply": {"before": "to the gradient, before the base", "after": "to the base's own step, after it"},
        "fop.feedback": {"hypergradient": "the hypergradient (Eq. 4)", "osgm": "divided by the squared step (OSGM)"},
        "fop.derivative": {"exact": "exact", "root": "P^½ (·) P^½, cheaper"},
        "fop.on_nonfinite": {"raise": "ends the run", "skip": "is left out"},
    }
)
"""What a reader sees of a choice, where the config's own word does not say enough."""

_ADVANCED = tuple(
    f"fop.{field}"
    for field in (
        *("init_scale", "derivative", "hyper_lr_step", "hyper_lr_bounds", "rescale", "update_every", "on_nonfinite"),
        "hyper_eps",
    )
)

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Data": tuple(name for name in LABELS if name.startswith("data.")),
        "Network": tuple(name for name in LABELS if name.startswith("model.")),
        "Base optimizer": tuple(name for name in LABELS if name.startswith(("optimizer.", "schedule."))),
        "FOP": tuple(name for name in LABELS if name.startswith("fop.") and name not in _ADVANCED),
        "Advanced FOP": _ADVANCED,
        "Run": tuple(name for name in LABELS if "." not in name),
    }
)
"""Where a setting is found under "More"."""

FIRST = ("epochs", "batch_size", "optimizer.lr", "fop.hyper_lr", "fop.preconditioner", "fop.rank", "data.path")
"""What matters first; beside these method, seeds, device and name."""


def applies(name: str, now: Mapping[str, Any]) -> bool:
    """Return whether a setting means anything beside the others as they are now."""
    section, _, field = name.rpartition(".")
    if section == "fop":
        return METHODS[now["method"]].fop is not None and _applies_to_fop(field, now)
    if section == "optimizer" and any(field in fields for fields in TAKES.values()):
        return field in TAKES[now["optimizer.name"]]
    if name in ("schedule.milestones", "schedule.factor"):
        return now["schedule.kind"] == "step"
    if name in ("data.storage", "data.workers"):
        return now["data.name"] == "folder"
    return name != "model.batch_norm" or now["model.name"] == "all-cnn"


def _applies_to_fop(field: str, now: Mapping[str, Any]) -> bool:
    form = FORMS[now["fop.preconditioner"]]
    match field:
        case "rank" | "init_std":
            return form.has_rank
        case "init_scale":
            return form.start in ("I", "1")
        case "derivative":
            return form.name == "exponential"
        case "trace" | "feedback":
            return now["fop.apply"] == "before"
        case "hyper_eps":
            return now["fop.hyper_optimizer"] == "adam"
        case "hyper_lr_bounds":
            return now["fop.hyper_lr_step"].strip() not in ("", "0", "0.0")
    return True


def _of_the_config(path: str) -> Field:
    schema = _schema(path)
    kinds = schema.get("anyOf", [schema])
    optional = any(kind.get("type") == "null" for kind in kinds)
    label, words = LABELS[path], help_text(schema["description"], kinds, optional)
    [kind, *others] = [kind for kind in kinds if kind.get("type") != "null"]
    if others or "pattern" in kind:
        options = tuple(kind["enum"]) if others else ("auto", "cpu", "cuda")
        return Pick(label, LONGEST, words, options=options, form="number" if others else "words")
    if kind["type"] == "boolean":
        return Flag(label, words)
    if "enum" in kind:
        built_in = [word for word in kind["enum"] if word != PLUGIN]  # which is no choice, but a file that is given
        return Choice(label, {word: OPTIONS.get(path, {}).get(word, word) for word in built_in}, words)
    form = {"array": "list", "string": "words"}.get(kind["type"], "number")
    return Line(label, LONGEST, words, "none" if optional else "", form, optional)


def _schema(path: str) -> dict[str, Any]:
    whole = _whole_schema()
    section, _, field = path.rpartition(".")
    names = {"data": "DataConfig", "model": "ModelConfig", "optimizer": "OptimizerConfig", "fop": "FOPConfig"}
    section_schema = whole["$defs"][names.get(section, "ScheduleConfig")] if section else whole
    return section_schema["properties"][field]


@lru_cache
def _whole_schema() -> dict[str, Any]:
    return TrainConfig.model_json_schema()


def help_text(description: str, kinds: list[dict[str, Any]], optional: bool) -> str:
    """Return a setting's meaning and range."""
    sentences = [description[0].upper() + description[1:]]
    for kind in kinds:
        whole = "whole numbers " if kind.get("type") == "integer" else ""
        kind = kind.get("items", kind)
        ends = {
            "from {}": kind.get("minimum"),
            "above {}": kind.get("exclusiveMinimum"),
            "up to {}": kind.get("maximum"),
            "below {}": kind.get("exclusiveMaximum"),
        }
        bounds = [form.format(f"{end:,.10g}") for form, end in ends.items() if end is not None]
        sentences += [f"{whole}{' '.join(bounds)}".capitalize()] if bounds else []
    return ". ".join(sentences + ["May be left empty"] * optional) + "."


CONFIG: Mapping[str, Field] = MappingProxyType({path: _of_the_config(path) for path in LABELS})
"""The settings of a config by their paths; ``seed`` is asked for as seeds."""

FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "method": Choice(
            "Method",
            {name: name for name in METHODS},
            "\n".join(f"- **{name}**: {method.about}" for name, method in METHODS.items()),
        ),
        **CONFIG,
        "seeds": Text(
            "Seeds",
            200,
            "One run for each: 0, 1, 2 or 0-2. Of weights, M, order of images and augmentation; runs of one seed begin "
            "with the same weights and see the same batches, whatever the method.",
        ),
        "name": Text("Name", 60, "What to call it; preset and method unless given.", "preset and method"),
        "compare": Flag(
            "Compare with the same run without FOP",
            "Launches for each seed a second run with the same settings and the base optimizer alone.",
        ),
        "from": Text("From run", 200),
    }
)
"""All settings of the page, by the names they have in its address."""

KEPT = ("method", "seeds", "name", "compare", "device")
"""What another preset leaves as it is."""


@lru_cache(maxsize=64)
def values(preset: str, method: str) -> Mapping[str, Any]:
    """Return the value of each of ``FIELDS`` that a preset has with a method; FOP's own where the method has none."""
    flat = compare.flat(config.preset(preset).to_json()) | compare.flat(config.preset(preset, method).to_json())
    settings = {path: shown(path, flat[path]) for path in CONFIG}
    return MappingProxyType({"method": "fop", **settings, "seeds": "0", "name": "", "compare": False, "from": ""})


def shown(path: str, value: Any) -> Any:
    """Return a config's value as the page has it: as text, but for yes or no."""
    return value if isinstance(value, bool) else plain(value)
