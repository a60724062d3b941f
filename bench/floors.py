"""What can not be undercut: decoding the same bytes, and COPY of the same rows into tables with the same indexes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from provisioning_agent.wire.pages import decode_page

DIRECTORY: Final = ("directory_user", "directory_group", "directory_contact", "directory_memberset")
STATE: Final = (
    "provisioning_sourceobject",
    "provisioning_sourcememberset",
    "provisioning_link",
    "provisioning_linkmemberset",
)
# What a reconciliation has to hold against each other.
COMPARED: Final = (*DIRECTORY, "provisioning_link", "provisioning_linkmemberset")
PLAN_AND_LOG: Final = ("provisioning_change", "provisioning_memberchange", "provisioning_log")
_CHUNK: Final = 1 << 20


def decode_seconds(pages: Iterable[Path]) -> float:
    """Inflate, parse and check every page once."""
    bodies = [page.read_bytes() for page in pages]
    started = time.perf_counter()
    for body in bodies:
        decode_page(body)
    return time.perf_counter() - started


def copy_seconds(dsn: str, tables: Iterable[str]) -> float:
    """COPY the rows of these tables, in the order they lie in, into empty twins; the twins are dropped."""
    with psycopg.connect(dsn) as connection:
        seconds = sum(_copy(connection, table) for table in tables)
        connection.rollback()
    return seconds


def read_seconds(dsn: str, tables: Iterable[str]) -> float:
    """COPY the rows of these tables out, and drop them."""
    with psycopg.connect(dsn) as connection:
        started = time.perf_counter()
        for table in tables:
            statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
            with connection.cursor().copy(statement) as out:
                for _ in out:
                    pass
        return time.perf_counter() - started


def _copy(connection: psycopg.Connection[tuple[object, ...]], table: str) -> float:
    twin, name = sql.Identifier(f"floor_{table}"), sql.Identifier(table)
    columns = sql.SQL(", ").join(map(sql.Identifier, _columns(connection, table)))
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(twin, name))
    with tempfile.TemporaryFile() as rows:
        with connection.cursor().copy(
            sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, name)
        ) as out:
            for data in out:
                rows.write(data)
        rows.seek(0)
        started = time.perf_counter()
        with connection.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(twin, columns)) as into:
            while data := rows.read(_CHUNK):
                into.write(data)
        return time.perf_counter() - started


def _columns(connection: psycopg.Connection[tuple[object, ...]], table: str) -> list[str]:
    """Those that are not generated."""
    query = """SELECT attname FROM pg_attribute
                WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""
    return [str(row[0]) for row in connection.execute(query, [table])]
