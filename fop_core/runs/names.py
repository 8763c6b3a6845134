"""What a run's files are called. Pages, commands and jobs name none of them: they ask a ``Run``."""

TRASH = ".trash"  # of a runs folder
STUDIES = "studies"  # of a runs folder: no run, but the folder of ``fop_core.studies``
METRICS, ATTEMPT, ARRAYS, START = "metrics.{}.jsonl", "{}.json", "{:08d}.safetensors", "start.safetensors"
CLAIM = "{}.claim"
SOURCE = "source"  # of a run or a study: its plug-ins, as <part>.py
FOLDERS = ("attempts", "snapshots", "checkpoints", "requests")
REQUESTS = ("stop", "checkpoint")
"""What is asked of one attempt. "start", which makes one, is ``jobs.queue``'s."""
