"""What may stand in the fields of an update policy."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from packaging.version import InvalidVersion, Version


def check_zone(name: str) -> None:
    """The name of a time zone (IANA)."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValidationError("This is not the name of a time zone, such as Europe/Berlin.") from error


def check_version(text: str) -> None:
    """A version as Python packages have it (PEP 440)."""
    try:
        Version(text)
    except InvalidVersion as error:
        raise ValidationError("This is not a version, such as 0.2.0.") from error
