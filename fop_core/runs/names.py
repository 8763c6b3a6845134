"""What a run's files are called. Pages, commands and jobs name none of them: they ask a ``Run``."""

TRASH = ".trash"  # of a runs folder
METRICS, ATTEMPT, ARRAYS, START = "metrics.{}.jsonl", "{}.json", "{:08d}.safetensors", "start.safetensors"
CLAIM = "{}.claim"
FOLDERS = ("attempts", "snapshots", "checkpoints", "requests")
REQUESTS = ("stop", "checkpoint")
"""What is asked of one attempt. "start", which makes one, is ``jobs.queue``'s."""
