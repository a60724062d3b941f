"""Undoing a cycle: what it would do, and the order to do it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from provisioning.services.undoing import Preview


class UndoSerializer(serializers.Serializer[Any]):
    """The order to undo; with the fingerprint of a preview, just what that has shown."""

    fingerprint = serializers.CharField(default="", allow_blank=True, max_length=64)


class UndoRowSerializer(serializers.Serializer[Any]):
    """One object: what is done to it, or why it is left alone."""

    action = serializers.CharField()
    object_type = serializers.CharField()
    guid = serializers.UUIDField(allow_null=True)
    dn = serializers.CharField()
    old = serializers.DictField()
    new = serializers.DictField()
    reason = serializers.CharField()
    detail = serializers.CharField()


class UndoMembershipSerializer(serializers.Serializer[Any]):
    """One membership that is added or removed again."""

    is_addition = serializers.BooleanField()
    group = serializers.CharField()
    group_guid = serializers.UUIDField()
    member = serializers.CharField()
    member_guid = serializers.UUIDField()


def told(preview: Preview) -> dict[str, Any]:
    """A preview as REST shows it."""
    return {
        "counts": _by_type(preview.changes),
        "leftAlone": _by_type(preview.conflicts),
        "unchanged": preview.unchanged,
        "memberships": {"added": preview.memberships_added, "removed": preview.memberships_removed},
        "wouldBeHeldFor": list(preview.held_for),
        "afterwards": AFTERWARDS,
        "fingerprint": preview.fingerprint,
    }


AFTERWARDS = (
    "The job is paused until a person starts it. Its next cycle writes the same again as long as Active Directory, "
    "scope and mapping say so."
)


def _by_type(counts: Any) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (object_type, what), count in sorted(counts.items()):
        found.setdefault(object_type, {})[str(what)] = count
    return found
