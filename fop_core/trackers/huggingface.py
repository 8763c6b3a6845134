"""Records a training of Hugging Face's ``transformers.Trainer`` as a run.

    from fop_core.trackers.huggingface import RunCallback

    trainer = Trainer(model, arguments, train_dataset=data, callbacks=[RunCallback(name="mine")])

Only the first process of several records. Without the package: ``pip install ".[transformers]"``, where FOP Lab is.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from fop_core.runs.recording import Recording
from fop_core.trackers.follow import SNAPSHOTS, Follower

__all__ = ["NAMES", "RunCallback"]

NAMES: dict[str, str | None] = {
    "loss": "train_loss",
    "learning_rate": "lr",
    "eval_loss": "held_out_loss",
    "eval_accuracy": "held_out_accuracy",
    "train_loss": "mean_train_loss",  # over the whole training, logged once at its end
    "total_flos": None,
    "train_runtime": None,
    "train_samples_per_second": None,
    "train_steps_per_second": None,
    "eval_runtime": None,
    "eval_samples_per_second": None,
    "eval_steps_per_second": None,
}
"""By which columns what the Trainer logs is recorded; None leaves it out."""
_ASIDE = ("output_dir", "run_name", "logging_dir", "hub_token", "push_to_hub_token", "report_to", "logging_steps")


class RunCallback(TrainerCallback):
    """Records what a ``Trainer`` logs, and what its optimizer's ``preconditioners()`` gives.

    The Trainer leaves losses that are not finite out of its logs unless ``logging_nan_inf_filter`` is False: give that,
    and a divergence is shown as one. An exception ends the run with the script; in a notebook ``recording.end()``
    does.

    Args:
        settings: what the run was started with, any JSON; the Trainer's arguments that are not their defaults, unless
            given.
        name: of the run, for people.
        tags: likewise.
        snapshots: about how many of P, where the optimizer shows any; 0 for none.
        names: of columns beside ``NAMES``, as {"eval_f1": "f1"}; None as a name leaves one out.
        options: of ``runs.record``: losses, device, folder.

    Attributes:
        recording: of the present training, or the last one; None before the first.

    Example:
        >>> import torch
        >>> from transformers import Trainer, TrainingArguments
        >>> from fop_core.trackers.huggingface import RunCallback
        >>> class Squares(torch.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layer = torch.nn.Linear(3, 1)
        ...     def forward(self, x, labels):
        ...         return {"loss": (self.layer(x)[:, 0] - labels).square().mean()}
        >>> data = [{"x": torch.ones(3), "labels": 1.0} for _ in range(8)]
        >>> arguments = TrainingArguments("out", max_steps=2, logging_steps=1, report_to=[], save_strategy="no",
        ...     use_cpu=True, disable_tqdm=True)
        >>> callback = RunCallback(name="squares")
        >>> _ = Trainer(Squares(), arguments, train_dataset=data, callbacks=[callback]).train()
        {'loss': ...
        >>> run = callback.recording.run
        >>> run.name, run.state.state, run.step()
        ('squares', 'finished', 2)
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        name: str = "",
        tags: tuple[str, ...] = (),
        snapshots: int = SNAPSHOTS,
        names: Mapping[str, str | None] | None = None,
        **options: Any,
    ) -> None:
        self._follower = Follower(settings, name, tags, snapshots, NAMES | dict(names or {}), options)

    @property
    def recording(self) -> Recording | None:
        """The run that is recorded."""
        return self._follower.recording

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Begin a run."""
        if not state.is_world_process_zero:
            return
        known: dict[str, Any] = {"trainer": _changed(args)}
        if (config := getattr(kwargs.get("model"), "config", None)) is not None:
            known["model"] = getattr(config, "model_type", type(kwargs["model"]).__name__)
        self._follower.begin(known, state.max_steps if state.max_steps > 0 else None, kwargs.get("optimizer"))
        if args.logging_nan_inf_filter and self.recording is not None:
            self.recording.note("losses that are not finite are left out by logging_nan_inf_filter = True")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Record what is logged."""
        if state.is_world_process_zero:
            self._follower.log(state.global_step, logs or {})

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Take a snapshot where one is due, and stop where somebody asks for that."""
        if state.is_world_process_zero:
            if self._follower.stepped(state.global_step, kwargs.get("optimizer"), args.world_size):
                control.should_training_stop = True

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """End the run."""
        if state.is_world_process_zero:
            self._follower.end(state.global_step, kwargs.get("optimizer"))


def _changed(args: TrainingArguments) -> dict[str, Any]:
    """Return the arguments that are not their defaults, and the rate; no secrets, and no paths."""
    content = args.to_dict()  # in which tokens are masked
    always = ("learning_rate", "seed")
    changed = {}
    for field in dataclasses.fields(args):
        if field.name in _ASIDE or field.name not in content or "token" in field.name or field.name.startswith("_"):
            continue
        value, default = content[field.name], field.default
        if field.name in always or (default is not dataclasses.MISSING and getattr(args, field.name) != default):
            changed[field.name] = value
    return changed
