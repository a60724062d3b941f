"""Dropping what nobody asks for any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from agents import identity
from agents.bus import requests
from agents.models import HealthSample, StateChange

# State changes are shown for a day; the rest is for people who look into an incident.
STATE_CHANGES_KEPT_FOR: Final = timedelta(days=90)
HEALTH_KEPT_FOR: Final = timedelta(days=7)


def forget(now: datetime) -> None:
    """Delete assertions that can not be replayed, requests long ended, old health and state changes."""
    identity.forget_seen(now)
    requests.forget_ended(now)
    HealthSample.objects.filter(at__lt=now - HEALTH_KEPT_FOR).delete()
    StateChange.objects.filter(at__lt=now - STATE_CHANGES_KEPT_FOR).delete()
