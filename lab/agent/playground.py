"""One OU of a forest as the scope of an agent's reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ldap3 import Connection

from lab import changes
from lab.agent.reading import Answer, ask, question
from provisioning_agent.ldap.connection import DirectoryLogin


class Playground:
    """One OU as the scope: what is asked is asked of it alone."""

    def __init__(self, admin: Connection, login: DirectoryLogin, domain: str, dn: str) -> None:
        self.admin = admin
        self.login = login
        self.domain = domain
        self.dn = dn
        self.guid = self.guid_of(dn)
        self.watermark: str | None = None

    def guid_of(self, dn: str) -> str:
        """objectGUID as the wire writes it."""
        return str(changes.object_guid(self.admin, dn))

    def read(self, containers: Sequence[str] | None = None, **asked: Any) -> Answer:
        """Go on from the last watermark, or start."""
        scope = [self.guid] if containers is None else containers
        request = question(self.domain, containers=scope, watermark=self.watermark, **asked)
        answer = ask(self.login, request)
        self.watermark = answer.watermark
        return answer
