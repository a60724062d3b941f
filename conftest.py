"""Before Django reads its settings: a var directory of the tests' own, and its database started."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("ISTHMUS_VAR", str(Path(__file__).resolve().parent / "var" / "test"))
# Hints that a test does not follow itself go nowhere.
os.environ.setdefault("ISTHMUS_BROKER_URL", "memory://")
# Not in pyproject.toml: pytest-django would read the settings before this file.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django
from hypothesis import HealthCheck, Phase, settings

from portal import embedded

pytest_plugins = ["lab.pytest_forest"]

embedded.ensure_running()
django.setup()

# A busy machine must not fail a property; and to explain a failure line by line takes minutes.
settings.register_profile(
    "isthmus",
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("isthmus")
