"""The drift report: what the built-in directory holds otherwise than it was last written. Nothing is changed."""

from __future__ import annotations

import json
from typing import Any

from provisioning.engine.explaining import REDACTED
from provisioning.models import Configuration, ObjectType, TargetKind
from provisioning.services import reading
from provisioning.services.jobs import JobRefused
from provisioning.store import drift


def report(configuration: Configuration, limit: int) -> dict[str, Any]:
    """Counts by type, the first ``limit`` objects of each type with both values, and counts of memberships."""
    if configuration.target.kind != TargetKind.DIRECTORY:
        raise JobRefused("DriftNotReadable")
    hidden = frozenset(reading.of(configuration).redacted)
    counts: dict[str, dict[str, int]] = {}
    shown = []
    for object_type in ObjectType:
        rows = drift.objects(configuration.pk, object_type, limit)
        missing, changed = (rows[0][5], rows[0][6]) if rows else (0, 0)
        counts[object_type.label] = {"missing": missing, "changed": changed}
        shown += [_told(row, object_type.label, hidden) for row in rows]
    missing, extra = drift.memberships(configuration.pk)
    return {"counts": counts, "memberships": {"missing": missing, "extra": extra}, "objects": shown}


def _told(row: tuple[Any, ...], kind: str, hidden: frozenset[str]) -> dict[str, Any]:
    guid, dn, target_id, is_missing, names, *_ = row
    differing = json.loads(names) if isinstance(names, str) else names or {}
    return {
        "type": kind,
        "objectGuid": guid,
        "distinguishedName": dn,
        "targetId": target_id,
        "isMissing": is_missing,
        "attributes": [
            {
                "name": name,
                "written": REDACTED if name in hidden else written,
                "held": REDACTED if name in hidden else held,
            }
            for name, (written, held) in sorted(differing.items())
        ],
    }
