"""Which domain a controller serves, and which controller it is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from . import filters
from .connection import DirectoryConnection, Entry
from .errors import DirectoryError
from .messages import Scope, Search

_ROOT_DSE = (
    "defaultNamingContext",
    "rootDomainNamingContext",
    "configurationNamingContext",
    "schemaNamingContext",
    "dnsHostName",
    "dsServiceName",
    "highestCommittedUSN",
)


@dataclass(frozen=True, slots=True)
class Controller:
    """The controller at the other end: its contexts (DNs), its name, the id and the counter of its database copy."""

    root: str
    forest_root: str
    configuration: str
    schema: str
    name: str
    invocation_id: str
    usn: int = 0

    @property
    def fqdn(self) -> str:
        """DNS name of the domain."""
        return dns_name(self.root)

    @property
    def forest(self) -> str:
        """DNS name of the forest's root domain."""
        return dns_name(self.forest_root)


@dataclass(frozen=True, slots=True)
class DomainIdentity:
    """What the service records of a domain; ``sid`` in its usual text form."""

    fqdn: str
    netbios: str
    forest: str
    sid: str


def dns_name(root: str) -> str:
    """``DC=corp,DC=example`` as ``corp.example``."""
    return ".".join(part.partition("=")[2] for part in root.split(",")).lower()


def sid_text(raw: bytes) -> str:
    """A binary SID in S-1-… form (MS-DTYP §2.4.2)."""
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        raise DirectoryError("AdAnswerUnreadable")
    parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4)]
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])


def describe(connection: DirectoryConnection) -> Controller:
    """Read rootDSE and the controller's invocationId."""
    dse = _base(connection, "", _ROOT_DSE)
    settings = _base(connection, dse.text("dsServiceName"), ("invocationId",))
    invocation = settings.first("invocationId") or b""
    return Controller(
        root=dse.text("defaultNamingContext"),
        forest_root=dse.text("rootDomainNamingContext"),
        configuration=dse.text("configurationNamingContext"),
        schema=dse.text("schemaNamingContext"),
        name=dse.text("dnsHostName").lower(),
        invocation_id=str(uuid.UUID(bytes_le=invocation)) if len(invocation) == 16 else "",
        usn=int(dse.first("highestCommittedUSN") or 0),
    )


def identify(connection: DirectoryConnection, controller: Controller) -> DomainIdentity:
    """Names and SID of the controller's domain."""
    sid = _base(connection, controller.root, ("objectSid",)).first("objectSid") or b""
    named = filters.all_of(
        filters.equals("objectClass", "crossRef"), filters.equals("nCName", controller.root)
    )
    partitions = f"CN=Partitions,{controller.configuration}"
    found = connection.search(Search(partitions, named, ("nETBIOSName",), Scope.ONE_LEVEL))
    netbios = found[0].text("nETBIOSName") if found else ""
    return DomainIdentity(controller.fqdn, netbios, controller.forest, sid_text(sid))


def require(controller: Controller, domain: str) -> None:
    """Raise ``DomainMismatch`` unless the controller serves ``domain`` (an FQDN)."""
    if controller.fqdn != domain.lower().rstrip("."):
        raise DirectoryError(
            "DomainMismatch",
            f"{controller.name} is a controller of {controller.fqdn}, not of {domain}; correct one of them.",
        )


def _base(connection: DirectoryConnection, dn: str, attributes: tuple[str, ...]) -> Entry:
    entry = connection.find(Search(dn, filters.present("objectClass"), attributes, Scope.BASE))
    if entry is None:
        raise DirectoryError(
            "AdAccessDenied", "The account may not read the domain's own entries; grant it read access."
        )
    return entry
