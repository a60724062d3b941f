"""Sorting in behind a cycle what the indexes by member have only put down, so that no later look-up reads all of it."""

from __future__ import annotations

from typing import Final

from django.db import connection

# So many new memberships, and whatever else counts as exported, cost a look-up some milliseconds at most.
MANY: Final = 50_000
_INDEXES: Final = (
    "provisioning_source_held",
    "provisioning_linkmemberset_gin",
    "directory_memberset_members",
)


def after_exporting(changes: int) -> None:
    """After a cycle that wrote so many changes; a million memberships take five seconds, few take none.

    Autovacuum would do it within minutes; the first delta would not wait for it.
    """
    if changes < MANY:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT gin_clean_pending_list(name::regclass) FROM unnest(%s::text[]) AS name", [list(_INDEXES)]
        )
