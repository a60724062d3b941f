"""``manage.py embedded_postgres``: the embedded database as a process in the foreground."""

from __future__ import annotations

import signal
import threading
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from portal import embedded

LOOK_EVERY_S = 1.0
# Workers finish their task when they are told to end; after this long they are cut off.
CLIENTS_S = 20.0
CLIENTS_EVERY_S = 0.2


class Command(BaseCommand):
    """Keeps the embedded server running until SIGTERM or SIGINT, then stops it."""

    help = "Run the embedded PostgreSQL in the foreground; it is started again should it die."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether only to stop it."""
        parser.add_argument("--stop", action="store_true", help="Stop the embedded server and end.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to end."""
        if options["stop"]:
            embedded.stop()
            return
        ended = _on_signals()
        if not embedded.in_use():
            self.stdout.write("DATABASE_URL names another database; the embedded one is not started.")
            ended.wait()
            return
        try:
            self._keep_running(ended)
            _let_clients_go()
        finally:
            embedded.stop()

    def _keep_running(self, ended: threading.Event) -> None:
        embedded.start()
        self.stdout.write(f"PostgreSQL runs; its socket is in {embedded.socket_directory()}.")
        while not ended.wait(LOOK_EVERY_S):
            if not embedded.is_running():
                self.stderr.write("PostgreSQL has ended by itself and is started again.")
                embedded.start()


def _let_clients_go() -> None:
    """Wait until the processes that end beside us have let go of the database, though not for ever."""
    for _ in range(int(CLIENTS_S / CLIENTS_EVERY_S)):
        if not embedded.has_clients():
            return
        time.sleep(CLIENTS_EVERY_S)


def _on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return ended
