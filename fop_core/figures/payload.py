"""Numbers on their way to a browser."""

import json
from collections.abc import Mapping
from typing import Any


def packed(data: Mapping[str, Any], arrays: Mapping[str, bytes]) -> bytes:
    """Return data with arrays as one run of bytes, which ``pages/components/lib/payload.js`` takes apart.

    A component takes JSON or bytes, not both. Four bytes give the length of the JSON, which follows; then come the
    arrays one after another, whose lengths it holds as "arrays".

    Args:
        data: JSON.
        arrays: by names other than ``data``'s.
    """
    head = json.dumps({**data, "arrays": {name: len(array) for name, array in arrays.items()}}).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *arrays.values()])
