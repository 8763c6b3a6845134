"""What the files of a run, and of a runs folder, are called; they are spelled here alone.

Pages, commands and jobs name none of a run's: they ask a ``Run`` or the ``store``.
"""

RUN_JSON, STATE_JSON, PROGRESS_JSON, LABELS_JSON = "run.json", "state.json", "progress.json", "labels.json"
USAGE_JSON, CURVATURE_JSON = "usage.json", "curvature.json"
LOG, CONTROL_LOCK, LABELS_LOCK, RESERVE_FILE = "log.txt", "control.lock", "labels.lock", ".reserve"
METRICS, ATTEMPT, ARRAYS, START = "metrics.{}.jsonl", "{}.json", "{:08d}.safetensors", "start.safetensors"
CLAIM = "{}.claim"
SOURCE = "source"  # of a run or a study: its plug-ins, as <part>.py
FOLDERS = ATTEMPTS, SNAPSHOTS, CHECKPOINTS, REQUESTS = ("attempts", "snapshots", "checkpoints", "requests")
ATTEMPT_REQUESTS = ("stop", "checkpoint")
"""What is asked of one attempt, each a file in ``REQUESTS``."""
START_REQUEST = "start"
"""What makes an attempt; it is ``jobs.queue``'s to ask."""

TRASH = ".trash"  # of a runs folder
STUDIES = "studies"  # of a runs folder: no run, but the folder of ``fop_core.studies``
QUEUE = ".queue"  # of a runs folder: what its dispatchers, and the settings of its queue, are found by
