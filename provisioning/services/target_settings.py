"""The switches of a built-in directory, as a target's settings keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioning.targets.directory import POLICY_KEYS, policy_of

__all__ = ["changed", "policy_of"]


def changed(settings: Mapping[str, Any], switches: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with these fields of the match policy set; everything else stays as it is."""
    return {**settings, **{POLICY_KEYS[field]: value for field, value in switches.items()}}
