"""The running agent: threads started, signals heeded, leases handed back."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from provisioning_agent import config as configs
from provisioning_agent.errors import EXIT_RESTART, EXIT_REVOKED, AgentError
from provisioning_agent.files import make_directory
from provisioning_agent.status import StatusBook
from provisioning_agent.wire.errors import WireError

from . import identity as identities
from .bootstrap_loop import AfterBootstrap, BootstrapLoop
from .bus import hand_back
from .bus_loop import BusLane
from .clock import SystemClock
from .listening import ChangeListener
from .password_keeper import PasswordKeeper
from .runtime import Runtime

log = logging.getLogger(__name__)

DEFAULT_LANES: Final = 2
EXIT_CRASHED: Final = 1
# What is nearly done may still finish; the rest is handed back.
_FINISH_S: Final = 3.0
_ARRIVE_S: Final = 0.3


def run(state: Path, lanes: int = DEFAULT_LANES, after: AfterBootstrap | None = None) -> int:
    """Run the agent until SIGTERM, SIGINT or a refusal; returns the exit code."""
    configuration = configs.load(state)
    identity = identities.load(state, configuration.agent_id)
    with _only_one(state):
        runtime = Runtime(configuration, state, SystemClock(), StatusBook(state))
        runtime.status.started(os.getpid(), runtime.clock.now())
        crashed = _watch_threads(runtime)
        _heed_signals(runtime)
        log.info("event=started agent=%s portal=%s lanes=%d", identity.agent_id, configuration.portal, lanes)
        _start("bootstrap", BootstrapLoop(runtime, identity, after).run)
        _start("passwords", PasswordKeeper(runtime).run)
        for number in range(1, lanes + 1):
            _start(f"lane-{number}", BusLane(runtime, number).run)
        for domain in configuration.domains:
            _start(f"listen-{domain.fqdn}", ChangeListener(runtime, domain).run)
        runtime.stop.wait()
        _hand_back(runtime)
        return _exit_code(runtime, crashed)


def _start(name: str, target: Callable[[], None]) -> None:
    # Daemons: a lane in a long poll has nothing to lose and must not hold up the end.
    threading.Thread(target=target, name=name, daemon=True).start()


def _exit_code(runtime: Runtime, crashed: threading.Event) -> int:
    if crashed.is_set():
        return EXIT_CRASHED
    if runtime.refused is not None:
        log.error('event=stopped code=%s detail="%s"', runtime.refused.code, runtime.refused.detail)
        return EXIT_REVOKED
    log.info("event=stopped")
    return EXIT_RESTART if runtime.restart else 0


def _hand_back(runtime: Runtime) -> None:
    # A request leased in this very moment may still be on its way to a lane.
    time.sleep(_ARRIVE_S)
    unfinished = runtime.leases.drain(_FINISH_S)
    access = runtime.access.last()
    if not unfinished or access is None:
        return
    http = runtime.http()
    for lease in unfinished:
        try:
            hand_back(http, access.token, lease)
            log.info("event=handed-back request=%s", lease.request_id)
        except WireError as error:
            log.warning("event=hand-back-failed request=%s code=%s", lease.request_id, error.code)
    http.close()


def _heed_signals(runtime: Runtime) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        # From a thread: the main one may hold the very lock that halting takes.
        threading.Thread(target=runtime.halt, name="halt", daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _watch_threads(runtime: Runtime) -> threading.Event:
    """A thread that dies of a defect ends the process, so that whoever started it can start it again."""
    crashed = threading.Event()

    def note(problem: threading.ExceptHookArgs) -> None:
        name = problem.thread.name if problem.thread else "?"
        trace = (problem.exc_type, problem.exc_value or problem.exc_type(), problem.exc_traceback)
        log.critical("event=crashed thread=%s", name, exc_info=trace)
        crashed.set()
        runtime.halt()

    threading.excepthook = note
    return crashed


@contextmanager
def _only_one(state: Path) -> Iterator[None]:
    make_directory(state)
    with (state / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AgentError("AlreadyRunning", f"Another agent runs in {state}; stop it first.") from error
        yield
