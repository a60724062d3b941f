"""Loaded before Django reads its settings: a var directory of the tests' own, and its database started."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("ISTHMUS_VAR", str(Path(__file__).resolve().parents[1] / "var" / "test"))

from portal import embedded

embedded.ensure_running()
