"""Dropping what nobody asks for any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from agents import identity
from agents.bus import requests
from agents.models import StateChange

# State changes are shown for a day; the rest is for people who look into an incident.
STATE_CHANGES_KEPT_FOR: Final = timedelta(days=90)


def forget(now: datetime) -> None:
    """Delete assertions that can not be replayed, requests long ended, and old state changes."""
    identity.forget_seen(now)
    requests.forget_ended(now)
    StateChange.objects.filter(at__lt=now - STATE_CHANGES_KEPT_FOR).delete()
