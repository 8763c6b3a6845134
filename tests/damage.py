"""What any file of a run may be replaced by: nothing, other JSON, bytes, a folder, a pipe, a link, no permission.

    for name, replace in KINDS:
        replace(run.path / "state.json")

A pipe, ``/dev/zero`` and a link in a circle are what a careless reader hangs at. ``parts(run.path)`` lists what can be
replaced: each file and folder of a run, and the run itself.
"""

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Replace = Callable[[Path], None]

LONGEST = 60  # seconds of a test, where a second or two is usual: a pipe would be waited for until then


def nested(depth: int, kind: type = list) -> Any:
    """Return an empty list in a list in a list, or dict, as deep as given: json reads some 990, many a reader fewer."""
    content = kind()
    for _ in range(depth - 1):
        content = [content] if kind is list else {"a": content}
    return content


def nested_json(depth: int, kind: type = list) -> str:
    """Return the same as JSON, of any depth."""
    return "[" * depth + "]" * depth if kind is list else '{"a": ' * (depth - 1) + "{}" + "}" * (depth - 1)


OTHER_JSON: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 5,
    "a number too large for a float": 10**400,
    "a string": "text",
    "an empty list": [],
    "a list of lists": [[1, [2]], {}],
    "an empty object": {},
    "an object of other keys": {"format": 99, "weights": [1, 2], "": None},
}
OTHER_VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": -5,
    "a large number": 10**400,
    "a string": "cuda:x",
    "a list": [1, "a"],
    "an object": {"a": {}},
    "lists in lists": nested(700),
    "objects in objects": nested(700, dict),
}


def remove(path: Path) -> None:
    """Remove whatever is there, a folder with all in it; a link goes, not its target."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _written(content: bytes) -> Replace:
    def replace(path: Path) -> None:
        remove(path)
        path.write_bytes(content)

    return replace


def _linked(target: str) -> Replace:
    def replace(path: Path) -> None:
        remove(path)
        os.symlink(target if target else path.name, path)

    return replace


def _cut(path: Path) -> None:
    content = path.read_bytes() if path.is_file() else b'{"state": "qu'
    _written(content[: len(content) // 2])(path)


def _folder(path: Path) -> None:
    remove(path)
    path.mkdir()


def _full_folder(path: Path) -> None:
    _folder(path)
    (path / "1.json").write_text("{}")
    (path / "start").write_text("{}")


def _pipe(path: Path) -> None:
    remove(path)
    os.mkfifo(path)


def _huge(path: Path) -> None:
    remove(path)
    with path.open("xb") as file:
        file.truncate(1 << 40)  # a hole: it takes no room


def _no_permission(path: Path) -> None:
    path.chmod(0)


def _other_values(change: Callable[[Any], Any]) -> Replace:
    def replace(path: Path) -> None:
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):  # no JSON: one object in its place
            content = {"state": "queued"}
        _written(json.dumps(_leaves(content, change)).encode())(path)

    return replace


def _leaves(content: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(content, dict):
        return {key: _leaves(value, change) for key, value in content.items()}
    return change(content)


KINDS: list[tuple[str, Replace]] = [
    ("nothing", remove),
    ("an empty file", _written(b"")),
    ("its first half", _cut),
    ("random bytes", _written(random.Random(0).randbytes(500))),
    ("bytes that are no UTF-8", _written(b'{"state": "\xff\xfe"}')),
    ("JSON nested too deeply", _written(b"[" * 100_000)),
    ("JSON nested deeply", _written(nested_json(700, dict).encode())),
    ("a JSON NaN", _written(b'{"step": NaN, "order": NaN}')),
    ("half a character", _written(b'{"state": "\\ud800", "name": "\\ud800", "by": "\\ud800"}')),
    *((f"JSON, {name}", _written(json.dumps(content).encode())) for name, content in OTHER_JSON.items()),
    *((f"each value {name}", _other_values(lambda old, new=value: new)) for name, value in OTHER_VALUES.items()),  # type: ignore[misc]
    ("a folder", _folder),
    ("a folder with files", _full_folder),
    ("a pipe", _pipe),
    ("a link to nothing", _linked("/nowhere/at/all")),
    ("a link to itself", _linked("")),
    ("a link to a folder", _linked("/usr")),
    ("a link to /dev/zero", _linked("/dev/zero")),
    ("a file of a terabyte", _huge),
]
if os.geteuid() != 0:  # whom permissions hold
    KINDS.append(("no permission", _no_permission))


def parts(run: Path) -> list[str]:
    """Return what can be replaced of a run: "" is its directory, else each folder and file in it, in order."""
    return ["", *sorted(str(each.relative_to(run)) for each in run.rglob("*"))]


@pytest.fixture
def watchdog() -> Iterator[None]:
    """End a test that waits for ever."""

    def late(number: int, frame: Any) -> None:
        raise TimeoutError(f"not done after {LONGEST} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
