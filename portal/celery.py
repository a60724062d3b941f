"""The Celery application and its beat: from here the two-minute cycle starts.

Beat ticks often and does little: each tick asks one indexed question ("which jobs are due?"), so that every
configuration keeps its own phase inside its two minutes. The work is in :mod:`provisioning.tasks`.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import task_prerun, worker_process_init
from django.db import close_old_connections

from portal import embedded, garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
embedded.ensure_running()

app = Celery("isthmus")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def leave_the_end_to_the_parent(**_: Any) -> None:
    """Let a worker's pool finish its tasks when the whole process group is told to end.

    A pool process that a supervisor's SIGTERM kills takes a lock with it on which its parent then waits.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@worker_process_init.connect
def begin_with_little_garbage(**_: Any) -> None:
    """Everything that is imported by now stays until the process ends."""
    garbage.collect_seldom()


@task_prerun.connect
def drop_connections_that_broke(**_: Any) -> None:
    """Keep the database session from task to task, as Django does from request to request.

    Celery would close it around each task: a new session costs PostgreSQL more than most of our tasks do.
    """
    close_old_connections()


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A tick; one that waited for longer than three of its kind, or an hour, is not worth running any more."""
    return {"task": task, "schedule": seconds, "options": {"expires": min(3 * seconds, 3600.0)}}


app.conf.beat_schedule = {
    "start the cycles that are due": _every(2.0, "provisioning.tasks.start_due_cycles"),
    "move cycles that stalled": _every(5.0, "provisioning.tasks.move_stalled_cycles"),
    "begin reconciliations": _every(10.0, "provisioning.tasks.start_reconciliations"),
    "take back expired leases": _every(5.0, "agents.tasks.expire_leases"),
    "flag agents that missed bootstrap": _every(10.0, "agents.tasks.flip_overdue_agents"),
    "send notifications": _every(10.0, "provisioning.tasks.send_due_notifications"),
    "keep the update repository fresh": _every(3600.0, "agents.tasks.refresh_update_metadata"),
    "give back parked values": _every(3600.0, "directory.tasks.give_back_parked_values"),
    "remove deleted objects for good": _every(3600.0, "directory.tasks.purge_deleted_objects"),
    "keep the house": _every(3600.0, "provisioning.tasks.keep_house"),
}
