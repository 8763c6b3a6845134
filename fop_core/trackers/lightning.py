"""Records a training of Lightning's ``Trainer`` as a run.

    from fop_core.trackers.lightning import RunCallback

    trainer = lightning.Trainer(max_epochs=3, callbacks=[RunCallback(name="mine")])

Only the first process of several records. Without the package: ``pip install ".[lightning]"``, where FOP Lab is.
"""

import math
from collections.abc import Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from fop_core.runs.recording import Recording
from fop_core.trackers.follow import SNAPSHOTS, Follower

__all__ = ["NAMES", "RunCallback"]

NAMES: dict[str, str | None] = {
    "loss": "train_loss",
    "val_loss": "held_out_loss",
    "val_accuracy": "held_out_accuracy",
    "val_acc": "held_out_accuracy",
}
"""By which columns what a module logs is recorded; None leaves it out."""


class RunCallback(Callback):
    """Records what a module logs, its loss, and what its first optimizer's ``preconditioners()`` gives.

    A step is one of the optimizer's, as Lightning's ``global_step`` counts them.

    Args:
        settings: what the run was started with, any JSON; the module's ``hparams`` unless given.
        name: of the run, for people.
        tags: likewise.
        snapshots: about how many of P, where the optimizer shows any; 0 for none.
        names: of columns beside ``NAMES``, as {"val_f1": "f1"}; None as a name leaves one out.
        options: of ``runs.record``: losses, device, folder.

    Attributes:
        recording: of the present training, or the last one; None before the first.

    Example:
        >>> import lightning, torch
        >>> from fop_core.trackers.lightning import RunCallback
        >>> class Squares(lightning.LightningModule):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layer = torch.nn.Linear(3, 1)
        ...     def training_step(self, batch, index):
        ...         return (self.layer(batch) - 1).square().mean()
        ...     def configure_optimizers(self):
        ...         return torch.optim.SGD(self.parameters(), lr=0.1)
        >>> data = torch.utils.data.DataLoader(torch.ones(8, 3), batch_size=4)
        >>> callback = RunCallback(name="squares")
        >>> trainer = lightning.Trainer(max_epochs=1, log_every_n_steps=1, accelerator="cpu", logger=False,
        ...     enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, callbacks=[callback])
        >>> trainer.fit(Squares(), data)
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
        # The Trainer keeps what was logged at other times: what each name is of, by where it was met first.
        self._of: dict[str, str] = {}
        self._step = self._logged = 0
        self._begun = False
        self._loss: Any = None  # of the last step
        self._where: dict[str, Any] = {}

    @property
    def recording(self) -> Recording | None:
        """The run that is recorded."""
        return self._follower.recording

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin a run."""
        if not trainer.is_global_zero:
            return
        # One that steps its optimizers itself may step each of them for every batch.
        steps = trainer.estimated_stepping_batches if pl_module.automatic_optimization else -1
        known = {**pl_module.hparams, "model": type(pl_module).__name__}
        self._of, self._begun, self._loss, self._where = {}, False, None, {}
        self._step = self._logged = trainer.global_step
        self._follower.begin(known, int(steps) if 0 < steps < math.inf else None, _optimizer(trainer))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Record as often as the Trainer logs, take a snapshot where one is due, and stop where that is asked."""
        step = trainer.global_step
        if not trainer.is_global_zero or step == self._step:  # a batch whose gradients are only gathered
            return
        self._step, self._where = step, _where(trainer, batch_idx)
        self._loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if not self._begun or step % max(1, getattr(trainer, "log_every_n_steps", 50)) == 0:
            self._begun, self._logged = True, step
            metrics = self._measured(trainer, "a step")
            if self._loss is not None and "train_loss" not in metrics:
                metrics.setdefault("loss", self._loss)
            self._follower.log(step, metrics | self._where)
        if self._follower.stepped(step, _optimizer(trainer), trainer.world_size):
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record what is a mean over the epoch."""
        if trainer.is_global_zero and (metrics := self._measured(trainer, "an epoch")):
            self._follower.log(trainer.global_step, metrics)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record what validation measured."""
        if trainer.is_global_zero and not trainer.sanity_checking:
            if metrics := self._measured(trainer, "validation"):
                self._follower.log(trainer.global_step, metrics)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """End the run as failed, or as stopped by Ctrl-C."""
        if trainer.is_global_zero:
            self._log_last()
            self._follower.end(trainer.global_step, _optimizer(trainer), exception)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the run."""
        if trainer.is_global_zero:
            self._log_last()
            self._follower.end(trainer.global_step, _optimizer(trainer))

    def _log_last(self) -> None:
        """Record the last step, which is seldom one at which the Trainer logs."""
        if self._logged < self._step:
            self._logged = self._step
            is_logged = bool(self._of.keys() & {"loss", "train_loss"})  # by the module, in its own way
            loss = {} if is_logged or self._loss is None else {"loss": self._loss}
            self._follower.log(self._step, loss | self._where)

    def _measured(self, trainer: Trainer, of: str) -> dict[str, Any]:
        """Return what was logged of a step, an epoch or validation; without "<name>_step" beside "<name>"."""
        metrics = dict(trainer.callback_metrics)
        for name in metrics:
            self._of.setdefault(name, of)
        twice = {f"{name}_step" for name in metrics}
        return {name: value for name, value in metrics.items() if self._of[name] == of and name not in twice}


def _optimizer(trainer: Trainer) -> Any:
    """Return the first optimizer, or None."""
    return trainer.optimizers[0] if trainer.optimizers else None


def _where(trainer: Trainer, batch_idx: int) -> dict[str, Any]:
    """Return the epoch with its fraction, and the rate."""
    batches = trainer.num_training_batches
    share = (batch_idx + 1) / batches if 0 < batches < math.inf else 0.0
    content = {"epoch": trainer.current_epoch + share}
    groups = getattr(_optimizer(trainer), "param_groups", None)
    return content | ({"lr": groups[0]["lr"]} if groups and "lr" in groups[0] else {})
