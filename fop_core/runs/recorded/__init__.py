"""The parts of a recording, ``runs.recording``: how somebody's own script begins a run, what it keeps, how it ends."""
