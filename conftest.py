"""What every test run needs before Django loads: a var directory of its own and a database."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("ISTHMUS_VAR", str(Path(__file__).resolve().parent / "var" / "test"))

from portal import embedded

pytest_plugins = ["lab.pytest_forest"]

embedded.ensure_running()
