"""The peer of an initial read: OpenLDAP's ldapsearch, asking the same domain controller for the same."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench import usage
from lab.errors import LabError
from lab.samba import Account, SambaForest
from provisioning_agent.ldap.resources import ldap_attributes
from provisioning_agent.wire.requests import ReadRequest

PAGE_SIZE: Final = 1000
# As text what the agent asks for in encoded form.
_FILTERS: Final = {
    "user": "(&(objectClass=user)(!(objectClass=computer))(!(isCriticalSystemObject=TRUE)))",
    "group": "(&(objectClass=group)(!(isCriticalSystemObject=TRUE)))",
    "contact": "(&(objectClass=contact)(!(isCriticalSystemObject=TRUE)))",
}


@dataclass(frozen=True)
class Reading:
    """One complete read: wall seconds, and the processor seconds the server spent on it."""

    seconds: float
    server_cpu_seconds: float


class LdapSearch:
    """ldapsearch on the agent's account: verified LDAPS, 1000 a page, one search for each object type."""

    def __init__(self, forest: SambaForest) -> None:
        self.forest = forest
        self.account: Account = forest.account("isthmus-agent")

    def count(self) -> int:
        """How many objects there are; a cheap read that also warms the server up."""
        return sum(self._search(text, ["1.1"], keep=True).count(b"\ndn:") for text in _FILTERS.values())

    def read(self, request: ReadRequest) -> Reading:
        """Read the same attributes of the same objects as the agent, and throw the values away."""
        cpu = server_cpu_seconds(self.forest)
        started = time.perf_counter()
        for wanted in request.object_types:
            members = ("member",) if wanted.name == "group" else ()
            self._search(_FILTERS[wanted.name], [*ldap_attributes(wanted.attributes), *members])
        seconds = time.perf_counter() - started
        return Reading(seconds, server_cpu_seconds(self.forest) - cpu)

    def _search(self, text: str, attributes: Sequence[str], *, keep: bool = False) -> bytes:
        with tempfile.NamedTemporaryFile("w") as password:
            # A file, because a command line can be read by every user of the machine.
            password.write(self.account.password)
            password.flush()
            result = subprocess.run(
                self._command(Path(password.name), [text, *attributes]),
                env={**os.environ, "LDAPTLS_CACERT": str(self.forest.ca_file), "LDAPTLS_REQCERT": "demand"},
                stdout=subprocess.PIPE if keep else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=False,
            )
        if result.returncode != 0:
            raise LabError(
                "LabCommandFailed", f"ldapsearch ended with {result.returncode}: {result.stderr.decode()}"
            )
        return b"\n" + result.stdout if keep else b""

    def _command(self, password: Path, what: Sequence[str]) -> list[str]:
        who = ["-x", "-D", self.account.user_principal_name, "-y", str(password)]
        how = ["-LLL", "-o", "ldif-wrap=no", "-E", f"pr={PAGE_SIZE}/noprompt"]
        return ["ldapsearch", "-H", self.forest.ldap_uri, *who, *how, "-b", self.forest.base_dn, *what]


def server_cpu_seconds(forest: SambaForest) -> float:
    """Processor time all of the server's live processes have used so far, user and system."""
    root = psutil.Process(forest.server.pid)
    return sum(usage.cpu_seconds(process) for process in [root, *root.children(recursive=True)])
