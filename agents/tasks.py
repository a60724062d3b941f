"""What beat asks of the hybrid identity service."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from agents import heartbeat, housekeeping
from agents.bus import giving_back
from agents.updates import repository


@shared_task
def expire_leases() -> None:
    """Take back leases that ran out and fail requests that are out of time."""
    giving_back.expire_leases(timezone.now())


@shared_task
def flip_overdue_agents() -> None:
    """Record the agents that missed their bootstrap, and forget what is past."""
    now = timezone.now()
    heartbeat.flip_overdue(now)
    housekeeping.forget(now)


@shared_task
def refresh_update_metadata() -> None:
    """Sign the update repository's metadata anew before it ends."""
    repository.refresh(timezone.now())
