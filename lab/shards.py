"""Run every test in two halves side by side, each on a database of its own: ``python -m lab.shards``.

The halves are cut so that either keeps one of two cores busy for about as long. The first half's output is shown as it
comes, the second's when both are done.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
HALVES: Final = (
    ("tests", "portal", "agents", "directory"),
    ("provisioning", "provisioning_agent/tests", "lab"),
)


def run(halves: tuple[tuple[str, ...], ...] = HALVES) -> int:
    """Run the halves; the first exit code that is not 0, else 0."""
    with tempfile.TemporaryFile() as later:
        second = _start(halves[1], 2, later.fileno())
        codes = [_start(halves[0], 1, None).wait(), second.wait()]
        later.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(later.read())
        sys.stdout.flush()
    return next((code for code in codes if code), 0)


def _start(paths: tuple[str, ...], number: int, output: int | None) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "ISTHMUS_VAR": str(ROOT / "var" / f"test-{number}")}
    command = [sys.executable, "-m", "pytest", *paths]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(run())
