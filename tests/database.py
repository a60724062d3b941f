"""The installation's database as a test sees it: what REST does not tell, and places where others must wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from portal.embedded import DATABASE, SUPERUSER

Waits = Callable[[], bool]

_GATE: Final = 815
_DIRECTORY_TABLES: Final = ("directory_user", "directory_group", "directory_contact", "directory_memberset")
_HALT: Final = """
CREATE OR REPLACE FUNCTION test_halt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared(815); RETURN NEW; END $$;
CREATE TRIGGER test_halt BEFORE INSERT ON agents_buspage
FOR EACH ROW WHEN (NEW.number = 2) EXECUTE FUNCTION test_halt();
"""


class Database:
    """The embedded server of an installation; every question is asked over a connection of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data

    @property
    def postmaster(self) -> int:
        """Process id of the server; it has another one after a restart."""
        return int(self._told()[0])

    def rows(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        """Every row of an answer."""
        with self._connect() as connection:
            return connection.execute(query, parameters).fetchall()

    def value(self, query: LiteralString, *parameters: object) -> Any:
        """The only value of the only row."""
        [[value]] = self.rows(query, *parameters)
        return value

    def change(self, statement: LiteralString, *parameters: object) -> int:
        """Run a statement; returns how many rows it touched."""
        with self._connect() as connection:
            return connection.execute(statement, parameters).rowcount

    def directory_versions(self) -> dict[str, tuple[int, str]]:
        """Number and versions of the rows in the directory: any write, even of the same values, changes it."""
        query = sql.SQL(
            "SELECT count(*), md5(coalesce(string_agg(concat(ctid, '/', xmin), ' ' ORDER BY ctid), '')) FROM {}"
        )
        with self._connect() as connection:
            return {
                table: _pair(connection.execute(query.format(sql.Identifier(table))).fetchone())
                for table in _DIRECTORY_TABLES
            }

    @contextmanager
    def writers_wait(self, table: str) -> Iterator[Waits]:
        """Who writes to the table waits until the block ends; yields whether anybody does by now."""
        lock = sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(table))
        with self._holding(lock):
            yield lambda: self._ungranted("relation = %s::regclass", table)

    @contextmanager
    def second_page_waits(self) -> Iterator[Waits]:
        """The second page of an answer is stored when the block has ended; yields whether one waits by now."""
        with self._connect() as connection:
            connection.execute(_HALT)
        try:
            with self._holding(sql.SQL("SELECT pg_advisory_lock(815)")):
                yield lambda: self._ungranted("locktype = 'advisory' AND objid = %s", _GATE)
        finally:
            self.change("DROP TRIGGER test_halt ON agents_buspage")

    def has_other_server_than(self, postmaster: int) -> bool:
        """Whether the server was started anew and lets us in."""
        try:
            return self.postmaster != postmaster and self.value("SELECT 1") == 1
        except (OSError, IndexError, psycopg.OperationalError):
            return False

    @contextmanager
    def _holding(self, lock: sql.SQL | sql.Composed) -> Iterator[None]:
        connection = self._connect()
        connection.autocommit = False
        connection.execute(lock)
        try:
            yield
        finally:
            # The server may have been ended meanwhile, and the lock with it.
            with suppress(psycopg.OperationalError):
                connection.rollback()
            connection.close()

    def _ungranted(self, condition: LiteralString, parameter: object) -> bool:
        query = sql.SQL("SELECT count(*) FROM pg_locks WHERE NOT granted AND ") + sql.SQL(condition)
        with self._connect() as connection:
            [count] = connection.execute(query, [parameter]).fetchone() or (0,)
        return bool(count)

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(host=self._told()[4], user=SUPERUSER, dbname=DATABASE, autocommit=True)

    def _told(self) -> list[str]:
        return (self.data / "postmaster.pid").read_text().splitlines()


def _pair(row: tuple[Any, ...] | None) -> tuple[int, str]:
    if row is None:
        raise LookupError("The database answered without a row.")
    return int(row[0]), str(row[1])
