"""The process that ``preview_worker`` starts and asks: ``python -m fop_core.training.preview_server IDLE ANSWERS``."""

import json
import os
import selectors
import sys
from typing import Any

from fop_core.training import preview
from fop_core.training.config import parse
from fop_core.training.preview_worker import ENVIRONMENT

LONGEST = 1 << 20  # bytes of a request


def serve(idle: float, answers: int) -> None:
    """Answer requests of the standard input until they end, none comes for a while, or there were many."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    remainder = b""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        while answers > 0 and (b"\n" in remainder or selector.select(idle)):
            if b"\n" not in remainder:
                part = os.read(0, 1 << 16)
                if not part or len(remainder) > LONGEST:
                    return
                remainder += part
                continue
            line, _, remainder = remainder.partition(b"\n")
            out.write(json.dumps(_answer(line)).encode() + b"\n")
            out.flush()
            answers -= 1


def _answer(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        for name in ENVIRONMENT:
            if (value := request["environment"][name]) is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        return {"description": preview.describe(parse(request["config"]))}
    except Exception as error:  # whatever it is, it is the answer, and the next request is another
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    serve(float(sys.argv[1]), int(sys.argv[2]))
