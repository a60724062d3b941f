"""Loopback addresses: every domain controller needs one of its own, since its ports are fixed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab.errors import LabError

# Kerberos, endpoint mapper, LDAP, LDAPS, global catalogue.
DC_PORTS = (88, 135, 389, 636, 3268)
POOL = tuple(f"127.0.{third}.{fourth}" for third in range(20, 24) for fourth in range(10, 60))


@contextlib.contextmanager
def leased_address() -> Iterator[str]:
    """A free loopback address, held against other test runs on this machine until the block ends."""
    for address in POOL:
        lock = _try_lock(address)
        if lock is None:
            continue
        try:
            if busy_port(address) is None:
                yield address
                return
        finally:
            os.close(lock)
    raise LabError("LabAddressBusy", f"No free address between {POOL[0]} and {POOL[-1]}.")


def require_free(address: str) -> None:
    """LabError when a port of a domain controller is taken on the address."""
    port = busy_port(address)
    if port is not None:
        raise LabError("LabAddressBusy", f"Port {port} of {address} is in use.")


def busy_port(address: str) -> int | None:
    """The first port of a domain controller that something listens on, or None."""
    return next((port for port in DC_PORTS if not _can_bind(address, port)), None)


def _can_bind(address: str, port: int) -> bool:
    with socket.socket() as probe:
        # Samba sets it too: connections in TIME_WAIT do not make an address busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError as error:
            raise LabError("LabNeedsRoot", f"Port {port} of {address} may not be used.") from error
        except OSError:
            return False
    return True


def _try_lock(address: str) -> int | None:
    """File descriptor of an exclusive lock that dies with this process, or None when held elsewhere."""
    directory = Path(tempfile.gettempdir()) / "isthmus-lab-addresses"
    directory.mkdir(exist_ok=True)
    descriptor = os.open(directory / address, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
