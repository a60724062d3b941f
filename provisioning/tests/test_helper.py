"""A process that works beside its parent: it leaves nothing behind, and takes nothing along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from lab.portal_client import wait_for
from provisioning.services import helper as helpers
from provisioning.services.helper import Helper, HelperFailed

KEY = 4711
# A parent with a lock in the database, and a helper that is busy until somebody writes into the file.
PARENT = f"""
import pathlib, sys, psycopg
from provisioning.services.helper import Helper
connection = psycopg.connect(sys.argv[1], autocommit=True)
connection.execute("SELECT pg_advisory_lock({KEY})")
helper = Helper(pathlib.Path.read_text)
helper.give(pathlib.Path(sys.argv[2]))
print(helper._process, flush=True)
helper.result()
"""


def twice(value: Any) -> Any:
    return value * 2


@contextmanager
def helping(work: Callable[..., Any]) -> Iterator[Helper[..., Any]]:
    helper = Helper(work)
    try:
        yield helper
    finally:
        helper.end()


def is_there(process: int) -> bool:
    return psutil.pid_exists(process)


def test_it_does_one_piece_of_work_after_the_other() -> None:
    with helping(twice) as helper:
        for value in (1, "a", 21):
            helper.give(value)
            assert helper.result() == value * 2


def test_big_pieces_pass_both_ways() -> None:
    big = os.urandom(8_000_000)
    with helping(twice) as helper:
        helper.give(big)
        assert helper.result() == big * 2


def test_it_has_what_was_there_when_it_began() -> None:
    kept = {"value": 1}
    with helping(lambda: kept["value"]) as helper:
        kept["value"] = 2
        helper.give()
        assert helper.result() == 1


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda helper: helper.give("not", "one"), id="an error of the work"),
        pytest.param(lambda helper: os.kill(helper._process, signal.SIGKILL), id="killed"),
    ],
)
def test_one_that_failed_says_so_and_is_gone(break_it: Callable[[Helper[..., Any]], None]) -> None:
    helper = Helper(twice)
    break_it(helper)
    with pytest.raises(HelperFailed, match="exit code"):
        helper.result()
    assert not is_there(helper._process)


def test_one_that_is_killed_before_it_is_given_anything_has_failed() -> None:
    helper = Helper(twice)
    os.kill(helper._process, signal.SIGKILL)
    wait_for(
        lambda: psutil.Process(helper._process).status() == psutil.STATUS_ZOMBIE, "The end of it", seconds=10
    )
    with pytest.raises(HelperFailed, match="exit code -9"):
        helper.give(b"x" * 1_000_000)
    assert not is_there(helper._process)


def test_one_that_takes_far_too_long_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "_PATIENCE_S", 1)
    helper = Helper(time.sleep)
    helper.give(60)
    with pytest.raises(HelperFailed):
        helper.result()
    assert not is_there(helper._process)


def test_one_at_work_is_ended_at_once() -> None:
    helper = Helper(time.sleep)
    helper.give(60)
    began = time.monotonic()
    assert helper.end() == -signal.SIGKILL
    assert time.monotonic() - began < 10
    assert not is_there(helper._process)


def test_where_no_process_can_be_begun_it_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(HelperFailed, match="unavailable"):
        Helper(twice)


def test_it_stays_when_its_group_is_told_to_end() -> None:
    with helping(twice) as helper:
        # Until it has done something it may not have come so far.
        for value in (1, 2):
            helper.give(value)
            assert helper.result() == value * 2
            for number in (signal.SIGTERM, signal.SIGINT):
                os.kill(helper._process, number)


def test_nothing_that_was_open_is_open_there(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w"), helping(lambda: sorted(os.listdir("/proc/self/fd"))) as helper:
        helper.give()
        # The listing itself takes one.
        assert len(set(helper.result()) - {"0", "1", "2"}) == 2


@pytest.mark.django_db
def test_a_lock_is_free_when_the_parent_is_killed_and_then_the_helper_ends(tmp_path: Path) -> None:
    told = connection.get_connection_params()
    dsn = make_conninfo(
        **{name: told[name] for name in ("host", "port", "user", "password", "dbname") if name in told}
    )
    os.mkfifo(tmp_path / "go on")
    command = [sys.executable, "-c", PARENT, dsn, str(tmp_path / "go on")]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent,
        psycopg.connect(dsn, autocommit=True) as ours,
    ):
        assert parent.stdout is not None
        helper = psutil.Process(int(parent.stdout.readline()))
        try_lock = f"SELECT pg_try_advisory_lock({KEY})"
        assert ours.execute(try_lock).fetchone() == (False,)
        parent.kill()
        parent.wait()
        wait_for(lambda: ours.execute(try_lock).fetchone() == (True,), "The lock", seconds=30)
        assert runs(helper)
        (tmp_path / "go on").write_text("done")
        wait_for(lambda: not runs(helper), "The end of the helper", seconds=30)


def runs(process: psutil.Process) -> bool:
    """Whether it goes on; who adopted it may not have asked yet how it ended."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
