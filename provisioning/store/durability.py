"""Which of our commits have to wait for the disk."""

from __future__ import annotations

from django.db import connection


def not_now() -> None:
    """Let this transaction commit without waiting for the disk; PostgreSQL writes it within a second.

    A crash of PostgreSQL may lose the last of these transactions, whole and in order, never one before another.
    For steps that can be repeated and whose every effect is in this database.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
