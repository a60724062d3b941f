"""A child process that does one kind of work beside its parent: two threads would take turns with Python.

It is forked, not started: it has whatever the work needs, and Celery's processes may not start others through
``multiprocessing``. It holds none of its parent's connections, and ends when its parent does.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from struct import pack
from typing import Any, Final, Generic, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Seconds; the work takes a fraction of one. A fork may wait for ever for a lock that another thread held.
_PATIENCE_S: Final = 60
_FIRST_OTHER_THAN_STANDARD: Final = 3
_COLLECTED_AFTER: Final = 100_000
# Looked up before the fork: the loader has locks too. Only glibc has it.
_mallopt: Final = getattr(ctypes.CDLL(None), "mallopt", None)
# From glibc's malloc.h: how much that is free is kept, and from which size on blocks are not (at most 32 MiB).
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_ALL: Final = 2**31 - 1
_HUGE: Final = 32 * 1024 * 1024


class HelperFailed(Exception):
    """The helper has ended without a result, or took far too long: its work is still to be done."""


class Helper(Generic[P, T]):
    """A process that works: it is given something, and is asked for the result before it is given more.

    One that has failed has ended; any other is there until :meth:`end`.
    """

    def __init__(self, work: Callable[P, T]) -> None:
        """Begin the process; raises :class:`HelperFailed` where there can be no further one."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            try:
                self._process = os.fork()
            except OSError as error:
                raise HelperFailed(str(error)) from error
            if self._process == 0:
                _serve(theirs, work)
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                ours.setsockopt(socket.SOL_SOCKET, option, pack("ll", _PATIENCE_S, 0))
            self._connection = Connection(ours.detach())

    def give(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Have the work begun; raises :class:`HelperFailed`."""
        try:
            self._connection.send_bytes(pickle.dumps((args, kwargs), pickle.HIGHEST_PROTOCOL))
        except OSError as error:
            self._fail(error)

    def result(self) -> T:
        """Wait for what was made of it; raises :class:`HelperFailed`."""
        try:
            made: T = pickle.loads(self._connection.recv_bytes())  # noqa: S301 - written by our own fork
        except (EOFError, OSError) as error:
            self._fail(error)
        return made

    def end(self) -> int:
        """End it at once, whatever it is doing; its exit code, or minus the signal that it died of."""
        self._connection.close()
        os.kill(self._process, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])

    def _fail(self, error: Exception) -> NoReturn:
        raise HelperFailed(f"{type(error).__name__}, exit code {self.end()}") from error


def _serve(given: socket.socket, work: Callable[..., Any]) -> NoReturn:
    try:
        _leave_behind(given.fileno())
        connection = Connection(given.detach())
        while True:
            args, kwargs = pickle.loads(connection.recv_bytes())  # noqa: S301 - written by our own parent
            connection.send_bytes(pickle.dumps(work(*args, **kwargs), pickle.HIGHEST_PROTOCOL))
    finally:
        # Nothing that the parent has begun goes on here. An error of the work the parent meets by itself.
        os._exit(1)


def _leave_behind(kept: int) -> None:
    """Drop what belongs to the parent: locks in the database last as long as anybody has their connection."""
    os.closerange(_FIRST_OTHER_THAN_STANDARD, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    # A whole process group may be told to end: the parent finishes what it does first.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Nobody finalizes the parent's connections here.
    gc.freeze()
    # One piece of work makes thousands of objects, hardly any of them in a cycle: to look for those as often as
    # Python does by itself is a twentieth of the work.
    gc.set_threshold(_COLLECTED_AFTER)
    _keep_memory()


def _keep_memory() -> None:
    """Keep what is freed for the next piece of work, where the C library can be told to.

    glibc hands it back after each, and to be given it anew, 4 kB at a time, is an eighth of the work.
    """
    if _mallopt is not None:
        _mallopt(_M_TRIM_THRESHOLD, _ALL)
        _mallopt(_M_MMAP_THRESHOLD, _HUGE)
