"""The console's model pages, one file a model."""

from __future__ import annotations

from portal.console.admins import (
    accounts,
    agents,
    configurations,
    cycles,
    directory,
    domains,
    enrolment_tokens,
    jobs,
    log,
    notifications,
    source_objects,
    targets,
)

__all__ = [
    "accounts",
    "agents",
    "configurations",
    "cycles",
    "directory",
    "domains",
    "enrolment_tokens",
    "jobs",
    "log",
    "notifications",
    "source_objects",
    "targets",
]
