"""Sorting in what the indexes by member have only put down: each look-up by a member reads all of that."""

from __future__ import annotations

from typing import Final

from django.db import connection

from directory.services import statements

# So many new memberships, and whatever else counts as exported, cost a look-up some milliseconds at most.
MANY: Final = 50_000
SOURCE_MEMBERS: Final = "provisioning_source_held"
WRITTEN_MEMBERS: Final = "provisioning_linkmemberset_gin"
INDEXES: Final = (SOURCE_MEMBERS, WRITTEN_MEMBERS, statements.BY_MEMBER)


def after_exporting(changes: int) -> None:
    """After a cycle that wrote so many changes; a million memberships take five seconds, few take none.

    Autovacuum would do it within minutes; the first delta would not wait for it.
    """
    if changes >= MANY:
        sort_in(*INDEXES)


def sort_in(*indexes: str) -> None:
    """Before members are looked for by the hundred; takes no time unless many have just been written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT gin_clean_pending_list(name::regclass) FROM unnest(%s::text[]) AS name", [list(indexes)]
        )
