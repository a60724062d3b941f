"""Who did what in the console and through REST, kept in the admin's own history."""

from __future__ import annotations

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

__all__ = ["ADDITION", "CHANGE", "DELETION", "RESTORED", "provisioned", "reconciled", "record", "undone"]

RESTORED = "Restored from the bin"
# What the history's column for names holds.
_NAME_LIMIT = 200


def provisioned(name: str, *, forced: bool) -> str:
    """What the history says of provisioning on demand."""
    return f"Provisioned on demand{', forced' if forced else ''}: {name}"


def undone(cycle: int, by: int) -> str:
    """What the history says of an undo."""
    return f"Undone: cycle #{cycle}, by cycle #{by}"


def reconciled(mode: str) -> str:
    """What the history says of a reconciliation that somebody asked for."""
    return f"Reconciliation asked for: {mode}"


def record(user: AbstractBaseUser | AnonymousUser, obj: Model | None, what: str, flag: int = CHANGE) -> None:
    """Write one line into the object's history."""
    if obj is None or user.pk is None:
        raise ValueError("History is of an object, by somebody who is signed in.")
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(obj),
        object_id=str(obj.pk),
        object_repr=str(obj)[:_NAME_LIMIT],
        action_flag=flag,
        change_message=what,
    )
