"""The limits of the delete guard, as columns of a configuration."""

from __future__ import annotations

from typing import Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

# Entra's default; with a threshold of N at most N−1 deletions and disables pass in one cycle.
DEFAULT_DELETE_THRESHOLD: Final = 500
DEFAULT_MEMBERSHIP_THRESHOLD: Final = 10_000
_COUNT: Final = (MinValueValidator(1), MaxValueValidator(10_000_000))
_PERCENT: Final = (MinValueValidator(1), MaxValueValidator(100))


def _number(kind: str, default: int | None = None) -> models.PositiveIntegerField[int | None, int | None]:
    return models.PositiveIntegerField(
        f"{kind} threshold", null=True, blank=True, default=default, validators=_COUNT
    )


def _percent(kind: str) -> models.PositiveSmallIntegerField[int | None, int | None]:
    return models.PositiveSmallIntegerField(
        f"{kind} threshold (percent)", null=True, blank=True, validators=_PERCENT
    )


class GuardLimits(models.Model):
    """Thresholds over all objects, by object type, and for memberships; an empty one does not limit."""

    delete_threshold_enabled = models.BooleanField("prevent accidental deletion", default=True)
    delete_threshold = models.PositiveIntegerField(
        default=DEFAULT_DELETE_THRESHOLD,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="At this many deletions and disables in one cycle the job is held; one fewer passes.",
    )
    user_delete_threshold = _number("user")
    user_delete_percent = _percent("user")
    group_delete_threshold = _number("group")
    group_delete_percent = _percent("group")
    contact_delete_threshold = _number("contact")
    contact_delete_percent = _percent("contact")
    membership_delete_threshold = _number("membership", DEFAULT_MEMBERSHIP_THRESHOLD)
    membership_delete_percent = _percent("membership")

    class Meta:
        abstract = True


GUARD_FIELDS: Final = tuple(field.name for field in GuardLimits._meta.local_fields)
