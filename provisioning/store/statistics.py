"""Telling the planner how big the tables have become, at the moments when that changes at a stroke.

Autovacuum would notice within a minute or two. Until then the planner takes a table of 200 000 new rows for an
empty one and compares two such tables row by row: hours instead of a second.
"""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

# Below this many new rows every plan is quick enough.
MANY: Final = 1_000

# PostgreSQL looks at 300 rows for each of these. A column without statistics is thought to hold what is looked for:
# the small indexes of what nobody has would not be used. Sizes and shares are all that matters here, not histograms.
_TARGET: Final = 10

_COLUMNS: Final = {
    "provisioning_sourceobject": "(id, configuration_id, guid, object_type, in_scope, is_gone, "
    "is_dirty, members_dirty, references_dirty, state_changes_at, primary_group_sid, has_primary_members)",
    "provisioning_sourcememberset": "(group_id, is_primary)",
    "provisioning_link": "(source_id, configuration_id, state)",
    "provisioning_groupfill": "(cycle_id, batch, group_id)",
    "provisioning_change": "(id, cycle_id, source_id, object_type, kind, phase, batch, status)",
}


def after_reading(rows: int) -> None:
    """After so many objects were merged."""
    _refresh(rows, "provisioning_sourceobject", "provisioning_sourcememberset", "provisioning_seenobject")


def after_planning(rows: int) -> None:
    """After so many changes of objects were planned, also within the transaction that did it."""
    _refresh(rows, "provisioning_change")


def after_planning_memberships(rows: int) -> None:
    """After so many memberships were planned."""
    _refresh(rows, "provisioning_memberchange", "provisioning_groupfill")


def after_writing(rows: int) -> None:
    """After about so many objects were written to the target."""
    _refresh(rows, "provisioning_link")


def _refresh(rows: int, *tables: str) -> None:
    if rows < MANY:
        return
    wanted = ", ".join(f"{table} {_COLUMNS.get(table, '')}" for table in tables)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL default_statistics_target = {_TARGET}")
        # A table that is locked is skipped: its lock is held by somebody who is doing the same.
        cursor.execute(f"ANALYZE (SKIP_LOCKED) {wanted}")
