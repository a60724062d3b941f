"""Celery's side of the cycle: tasks call the services and send the hints that these return.

Start here to follow the two-minute cycle: :func:`start_due_cycles` (beat) → agents answer over the bus →
:func:`ingest` → :func:`plan` → :func:`export` → :func:`settle`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from celery import shared_task
from django.db import transaction

from agents.models import Domain
from provisioning.models import Cycle, CycleStep
from provisioning.services import (
    exporting,
    housekeeping,
    hurrying,
    notifications,
    planning,
    reconciliations,
    reconciling,
    settling,
    starting,
    watchdog,
)
from provisioning.services import ingest as ingesting
from provisioning.services.clock import now
from provisioning.services.hints import Hint, Step
from provisioning.services.phases import Phase
from provisioning.store import locks

logger = logging.getLogger(__name__)


@shared_task
def start_due_cycles() -> None:
    """Beat, every two seconds: start the cycles of the jobs that are due."""
    moment = now()
    housekeeping.ensure_log_partitions(moment.date())
    started = starting.start_due(moment)
    send(Hint(Step.PLAN, cycle.pk) for cycle in started if cycle.step == CycleStep.PLANNING)


def domain_changed(domain: Domain, at: datetime) -> None:
    """Listener: an agent was notified of a change. A job that is due starts without waiting for beat."""
    if hurrying.hurry(domain.pk, at):
        transaction.on_commit(start_due_cycles.delay)


def look_for_due_jobs() -> None:
    """Start what is due as soon as this transaction is over, without waiting for beat.

    Beat asks again within two seconds should the broker be away.
    """
    transaction.on_commit(start_due_cycles.delay, robust=True)


@shared_task
def ingest(cycle_id: int) -> None:
    """A page is there, or the request failed."""
    send(ingesting.ingest(cycle_id))


@shared_task
def start_reconciliations() -> None:
    """Beat, every ten seconds, and whenever somebody asks: begin what is due and whose job is free."""
    send(reconciliations.start_due(now()))


def look_for_reconciliations() -> None:
    """Begin what was asked for as soon as this transaction is over; beat asks again should the broker be away."""
    transaction.on_commit(start_reconciliations.delay, robust=True)


@shared_task
def reconcile(cycle_id: int) -> None:
    """A reconciliation goes on comparing, or marking."""
    send(reconciling.go_on(cycle_id))


@shared_task
def plan(cycle_id: int) -> None:
    """The answer is complete."""
    send(planning.plan(cycle_id))


@shared_task
def export(cycle_id: int, phase: int, batch: int) -> None:
    """A batch can be written."""
    send(exporting.export(cycle_id, Phase(phase), batch))


@shared_task
def settle(cycle_id: int) -> None:
    """Everything is written."""
    settling.settle(cycle_id)


@shared_task
def move_stalled_cycles() -> None:
    """Beat: the watchdog."""
    send(watchdog.stalled(now()))


@shared_task
def send_due_notifications() -> None:
    """Beat: hand each mail that is due to a task of its own."""
    for notification_id in notifications.due(now()):
        send_notification.delay(notification_id)


@shared_task
def send_notification(notification_id: int) -> None:
    """Send one mail."""
    notifications.send(notification_id, now())


@shared_task
def keep_house() -> None:
    """Beat, hourly."""
    housekeeping.tidy(now())


def set_moving(hints: Iterable[Hint]) -> None:
    """Send hints as soon as this transaction is over. Should the broker be away, the watchdog gives them again."""
    listed = list(hints)
    transaction.on_commit(lambda: send(listed), robust=True)


def send(hints: Iterable[Hint]) -> None:
    """Turn hints into messages."""
    for hint in hints:
        if hint.step is Step.EXPORT:
            export.delay(hint.cycle, int(hint.phase), hint.batch)
        else:
            _TASK_OF[hint.step].delay(hint.cycle)


_TASK_OF = {Step.INGEST: ingest, Step.RECONCILE: reconcile, Step.PLAN: plan, Step.SETTLE: settle}


class AnswerHandler:
    """What the bus calls when something happens to a read request of ours."""

    def page_stored(self, request_id: UUID) -> None:
        """A page can be merged. Whoever takes pages already looks for further ones after letting go of the cycle."""
        if (cycle_id := locks.free_cycle_of(request_id)) is not None:
            ingest.delay(cycle_id)

    def request_failed(self, request_id: UUID) -> None:
        """The answer will not come."""
        cycle_id = Cycle.objects.filter(request_id=request_id).values_list("pk", flat=True).first()
        if cycle_id is not None:
            ingest.delay(cycle_id)
