"""Clocks: this host's beside the domain controller's and the portal's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from provisioning_agent.wire.limits import CLOCK_SKEW_S

from .model import Check, Status

# Kerberos refuses beyond five minutes (RFC 4120 §1.6, AD's default policy).
_CONTROLLER_LIMIT_S: Final = 300
_REMEDY: Final = "Let NTP set the clock: of this host, or of the other side if that is the wrong one."


def directory_time(text: str) -> datetime | None:
    """``currentTime`` of rootDSE, a generalised time such as ``20261123123946.0Z``."""
    try:
        return datetime.strptime(text.partition(".")[0], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def controller_verdict(target: str, here: datetime, there: datetime | None) -> Check:
    """The domain controller's clock."""
    return _verdict(target, "read currentTime of the controller", here, there, _CONTROLLER_LIMIT_S)


def portal_verdict(target: str, here: datetime, there: datetime | None) -> Check:
    """The portal's clock; it refuses signatures whose time is too far off."""
    return _verdict(target, "read serverTime of the portal", here, there, CLOCK_SKEW_S)


def _verdict(target: str, tried: str, here: datetime, there: datetime | None, limit: int) -> Check:
    if there is None:
        return Check(
            "clock", target, tried, "no readable time came back", Status.WARN, "Update the older side."
        )
    skew = (here - there).total_seconds()
    direction = "ahead of" if skew > 0 else "behind"
    found = f"this host is {abs(skew):.0f} s {direction} it, {limit} s are allowed"
    if abs(skew) > limit:
        return Check("clock", target, tried, found, Status.FAIL, _REMEDY)
    if abs(skew) > limit / 2:
        return Check("clock", target, tried, found, Status.WARN, _REMEDY)
    return Check("clock", target, tried, found, Status.OK)
