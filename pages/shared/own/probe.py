"""The probes of readers' own files: in threads of the server, each waiting for a process of its own."""

import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future

import streamlit as st

from fop_core.runs.plugins import PluginError, Source
from fop_core.training.config import TrainConfig, parse
from fop_core.training.probe import client
from fop_core.training.probe.client import Probed, ProbeError

AT_ONCE = 2  # probes
MATTERS = ("data", "model", "optimizer", "schedule", "fop", "batch_size")
"""The settings that a probe depends on."""
_free = threading.Semaphore(AT_ONCE)


def future(made: TrainConfig, sources: Mapping[str, Source]) -> "Future[Probed]":
    """Return what a probe says of some files, in time. One that was begun is the same for all who ask."""
    return _future(*_key(made, sources), dict(sources))


def again(made: TrainConfig, sources: Mapping[str, Source]) -> None:
    """Have the next ``future`` be a probe of its own."""
    _future.clear(*_key(made, sources), dict(sources))


def _key(made: TrainConfig, sources: Mapping[str, Source]) -> tuple[str, str]:
    content = made.to_json()
    whole = TrainConfig().to_json() | {name: content[name] for name in MATTERS}
    return json.dumps(whole, sort_keys=True), ",".join(f"{part} {each.digest}" for part, each in sources.items())


@st.cache_resource(max_entries=64, show_spinner=False)
def _future(settings: str, digests: str, _sources: Mapping[str, Source]) -> "Future[Probed]":
    made: Future[Probed] = Future()
    # A pool's threads would have the server wait at its end for a file that loops.
    threading.Thread(target=_try, args=(made, parse(json.loads(settings)), _sources), daemon=True).start()
    return made


def _try(made: "Future[Probed]", config: TrainConfig, sources: Mapping[str, Source]) -> None:
    try:
        with _free:
            made.set_result(client.probe(config, sources))
    except PluginError as error:
        made.set_exception(ProbeError(("", str(error))))
    except BaseException as error:
        made.set_exception(error)
