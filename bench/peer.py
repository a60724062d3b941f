"""The peer of an initial read: OpenLDAP's ldapsearch, asking the same domain controller for the same."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab.errors import LabError
from lab.samba import Account, SambaForest

PAGE_SIZE = 1000


@dataclass(frozen=True)
class Reading:
    """One complete paged read: wall seconds, what came, and the processor seconds the server spent on it."""

    objects: int
    seconds: float
    server_cpu_seconds: float

    @property
    def rate(self) -> float:
        """Objects per second."""
        return self.objects / self.seconds


def read_with_ldapsearch(
    forest: SambaForest, account: Account, ldap_filter: str, attributes: Sequence[str]
) -> Reading:
    """Read everything that matches over verified LDAPS, 1000 a page, and throw the values away.

    The objects are counted by a run of their own, which also warms the server up.
    """
    objects = _search(forest, account, ldap_filter, ["1.1"]).count(b"\ndn:")
    cpu = server_cpu_seconds(forest)
    started = time.perf_counter()
    _search(forest, account, ldap_filter, attributes, keep=False)
    seconds = time.perf_counter() - started
    return Reading(objects, seconds, server_cpu_seconds(forest) - cpu)


def server_cpu_seconds(forest: SambaForest) -> float:
    """Processor time all of the server's live processes have used so far, user and system."""
    return sum(_cpu_seconds(process) for process in _server_processes(forest))


def server_memory(forest: SambaForest) -> int:
    """Resident bytes of the server's biggest process."""
    return max(process.memory_info().rss for process in _server_processes(forest))


def _server_processes(forest: SambaForest) -> Iterable[psutil.Process]:
    root = psutil.Process(forest.server.pid)
    return [root, *root.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _search(
    forest: SambaForest, account: Account, ldap_filter: str, attributes: Sequence[str], *, keep: bool = True
) -> bytes:
    with tempfile.NamedTemporaryFile("w") as password:
        # A file, because a command line can be read by every user of the machine.
        password.write(account.password)
        password.flush()
        command = _command(forest, account, Path(password.name), [ldap_filter, *attributes])
        result = subprocess.run(
            command,
            env={**os.environ, "LDAPTLS_CACERT": str(forest.ca_file), "LDAPTLS_REQCERT": "demand"},
            stdout=subprocess.PIPE if keep else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
    if result.returncode != 0:
        raise LabError(
            "LabCommandFailed", f"ldapsearch ended with {result.returncode}: {result.stderr.decode()}"
        )
    return b"\n" + result.stdout if keep else b""


def _command(forest: SambaForest, account: Account, password: Path, what: Sequence[str]) -> list[str]:
    who = ["-x", "-D", account.user_principal_name, "-y", str(password)]
    how = ["-LLL", "-o", "ldif-wrap=no", "-E", f"pr={PAGE_SIZE}/noprompt"]
    return ["ldapsearch", "-H", forest.ldap_uri, *who, *how, "-b", forest.base_dn, *what]
