"""The administrator of a new installation, and the embedded database as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]


def ensure_admin(*arguments: str) -> str:
    out = StringIO()
    call_command("ensure_admin", *arguments, stdout=out)
    return out.getvalue()


def test_the_first_administrator_gets_a_password_that_is_printed_once(db: None) -> None:
    password = ensure_admin().split("Password, shown this once: ")[1].strip()
    user = User.objects.get(username="admin")
    assert user.is_superuser
    assert user.check_password(password)
    assert "exists already" in ensure_admin()
    assert User.objects.get().check_password(password)


def test_a_generated_password_goes_into_a_file_of_ones_own(db: None, tmp_path: Path) -> None:
    path = tmp_path / "password"
    shown = ensure_admin("--password-file", str(path))
    password = path.read_text().strip()
    assert password not in shown
    assert path.stat().st_mode & 0o777 == 0o600
    assert User.objects.get().check_password(password)
    ensure_admin("--password-file", str(path))
    assert path.read_text().strip() == password


def test_a_password_in_the_file_is_the_one_that_counts(db: None, tmp_path: Path) -> None:
    ensure_admin("--username", "boss")
    path = tmp_path / "password"
    path.write_text("a password of ours\n")
    ensure_admin("--username", "boss", "--password-file", str(path))
    assert User.objects.get().check_password("a password of ours")


def test_an_empty_password_file_is_refused(db: None, tmp_path: Path) -> None:
    (tmp_path / "password").touch()
    with pytest.raises(CommandError, match="is empty"):
        ensure_admin("--password-file", str(tmp_path / "password"))
    assert not User.objects.exists()


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """``manage.py embedded_postgres`` with a data directory of its own, and where its server's files are."""
    var = tmp_path_factory.mktemp("embedded")
    # The server runs under an unprivileged account, which has to get to its files.
    for directory in (var, *list(var.parents)[:2]):
        directory.chmod(0o755)
    environment = {**os.environ, "ISTHMUS_VAR": str(var)}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "embedded_postgres"],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
    )
    yield process, var / "postgres"
    if process.poll() is None:
        process.kill()
        process.wait()
        subprocess.run(
            [sys.executable, "manage.py", "embedded_postgres", "--stop"],
            cwd=ROOT,
            env=environment,
            check=True,
        )
    if process.stdout is not None:
        process.stdout.close()


def test_the_embedded_database_runs_until_it_is_told_to_end_and_comes_back_when_it_dies(
    database: tuple[subprocess.Popen[str], Path],
) -> None:
    process, data = database
    assert process.stdout is not None
    socket_directory = process.stdout.readline().strip().rsplit(" ", 1)[1].rstrip(".")
    first = _postmaster(data)
    assert _answers(socket_directory)
    os.kill(first, signal.SIGKILL)
    _until(lambda: _postmaster(data) not in (0, first) and _answers(socket_directory))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert _postmaster(data) == 0


def _postmaster(data: Path) -> int:
    """The server's process id; 0 when there is none."""
    path = data / "postmaster.pid"
    text = path.read_text().split("\n")[0] if path.exists() else ""
    return int(text) if text else 0


def _answers(socket_directory: str) -> bool:
    try:
        with psycopg.connect(host=socket_directory, user="postgres", dbname="isthmus", connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)
