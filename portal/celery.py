"""The Celery application and its beat: from here the two-minute cycle starts.

Beat ticks often and does little: each tick asks one indexed question ("which jobs are due?"), so that every
configuration keeps its own phase inside its two minutes. The work is in :mod:`provisioning.tasks`.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from portal import embedded

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


app.conf.beat_schedule = {
    "start the cycles that are due": {
        "task": "provisioning.tasks.start_due_cycles",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "move cycles that stalled": {
        "task": "provisioning.tasks.move_stalled_cycles",
        "schedule": 5.0,
        "options": {"expires": 15},
    },
    "take back expired leases": {
        "task": "agents.tasks.expire_leases",
        "schedule": 5.0,
        "options": {"expires": 15},
    },
    "flag agents that missed bootstrap": {
        "task": "agents.tasks.flip_overdue_agents",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "keep the update repository fresh": {
        "task": "agents.tasks.refresh_update_metadata",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "send notifications": {
        "task": "provisioning.tasks.send_due_notifications",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "give back parked values": {
        "task": "directory.tasks.give_back_parked_values",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "remove deleted objects for good": {
        "task": "directory.tasks.purge_deleted_objects",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "keep the house": {
        "task": "provisioning.tasks.keep_house",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}
