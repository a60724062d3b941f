"""Bytes to and from PostgreSQL as they are.

Django's cursors write a bytea into the text of the statement as hexadecimal digits, and are sent it as such. For a
page that costs the server more than storing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection


@contextmanager
def cursor() -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """A cursor on Django's connection whose parameters travel beside the statement; errors are Django's."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as own:
        yield own
