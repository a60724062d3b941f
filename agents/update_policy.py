"""Whether an agent is to update now: a pure function of its policy, its version, the releases and the clock.

The order is that of Microsoft Graph's ``hybridAgentUpdaterConfiguration``: an override wins over a date, a date
over a daily window, and without any of them an update is taken at once. Pinning to a version is ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from packaging.version import InvalidVersion, Version


class Reason(StrEnum):
    """Why an agent is advised what it is advised."""

    UP_TO_DATE = "up to date"
    AT_ONCE = "at once"
    DEFERRED = "deferred"
    OUTSIDE_WINDOW = "waits for its window"
    IN_WINDOW = "in its window"
    PIN_MISSING = "pinned to a version that is not published"


@dataclass(frozen=True, slots=True)
class Policy:
    """The wishes for one agent; a window is two local times, the same twice is the whole day."""

    at_once: bool = False
    deferred_until: datetime | None = None
    window: tuple[time, time] | None = None
    zone: ZoneInfo | None = None
    pinned: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """The version the agent should run (None: the one it has), whether to take it now, and if not, when."""

    version: str | None
    now: bool
    reason: Reason
    at: datetime | None = None


def advise(policy: Policy, current: str, published: Iterable[str], now: datetime) -> Advice:
    """What to tell an agent that runs ``current``. Pre-releases are taken by pinning only (PEP 440)."""
    wanted = _wanted(policy, published)
    if wanted is None:
        return Advice(None, now=False, reason=Reason.PIN_MISSING if policy.pinned else Reason.UP_TO_DATE)
    have = _parsed(current)
    if have == wanted or (have is not None and have > wanted and not policy.pinned):
        return Advice(None, now=False, reason=Reason.UP_TO_DATE)
    return _when(policy, str(wanted), now)


def next_opening(window: tuple[time, time], zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the window opens next (UTC), None while it is open."""
    start, end = window
    local = now.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    is_open = start <= clock < end if start < end else clock >= start or clock < end
    if is_open:
        return None
    day = local.date() if clock < start else local.date() + timedelta(days=1)
    return datetime.combine(day, start, tzinfo=zone).astimezone(UTC)


def _when(policy: Policy, version: str, now: datetime) -> Advice:
    if policy.at_once:
        return Advice(version, now=True, reason=Reason.AT_ONCE)
    if policy.deferred_until is not None and now < policy.deferred_until:
        return Advice(version, now=False, reason=Reason.DEFERRED, at=policy.deferred_until)
    if policy.window is None:
        return Advice(version, now=True, reason=Reason.AT_ONCE)
    opens = next_opening(policy.window, policy.zone or ZoneInfo("UTC"), now)
    if opens is None:
        return Advice(version, now=True, reason=Reason.IN_WINDOW)
    return Advice(version, now=False, reason=Reason.OUTSIDE_WINDOW, at=opens)


def _wanted(policy: Policy, published: Iterable[str]) -> Version | None:
    versions = [version for text in published if (version := _parsed(text)) is not None]
    if policy.pinned:
        pinned = _parsed(policy.pinned)
        return pinned if pinned in versions else None
    return max((version for version in versions if not version.is_prerelease), default=None)


def _parsed(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
