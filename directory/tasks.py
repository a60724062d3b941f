"""What beat does for the directory, hourly."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from directory.services import parking, purging


@shared_task
def give_back_parked_values() -> None:
    """Values that were duplicates go to the objects that wait for them, once they are free."""
    parking.give_back(timezone.now())


@shared_task
def purge_deleted_objects() -> None:
    """Objects that were soft-deleted 30 days ago go for good."""
    purging.purge(timezone.now())
