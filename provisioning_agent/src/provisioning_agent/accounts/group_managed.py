"""The group managed service account (gMSA): created, or found and opened to this host too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import DirectoryConnection, Entry
from provisioning_agent.ldap.domain import Controller
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import Scope, Search
from provisioning_agent.ldap.writing import add_object, replace_values
from provisioning_agent.security import access, sids
from provisioning_agent.security.descriptor import DACL_PRESENT, REVISION_PLAIN, Acl, Descriptor, decode
from provisioning_agent.security.entries import allow
from provisioning_agent.security.lists import with_entries
from provisioning_agent.security.sids import MalformedError

from .ordinary import AES_ONLY

DEFAULT_NAME: Final = "provAgentgMSA"
# A computer's name, without the dollar sign that ends its sAMAccountName.
NAME_LIMIT: Final = 15
_CLASS: Final = "msDS-GroupManagedServiceAccount"
_READERS: Final = "msDS-GroupMSAMembership"
_TYPES: Final = "msDS-SupportedEncryptionTypes"
# MS-ADTS §2.2.16: workstation trust account.
_CONTROL: Final = 0x1000
_INTERVAL_DAYS: Final = 30


class Made(StrEnum):
    """How the account came about."""

    CREATED = "created"
    OPENED = "found, and this host may have its password now"
    THERE = "was there already, and this host may have its password"


@dataclass(frozen=True, slots=True)
class HostAccount:
    """The computer account that may have the password."""

    name: str
    sid: bytes


def ensure(connection: DirectoryConnection, controller: Controller, name: str, host: HostAccount) -> Made:
    """Have the account, for AES alone, with the host among those that may have its password."""
    found = _find(connection, controller, name)
    if found is None:
        if not has_root_key(connection, controller):
            raise DirectoryError("KdsRootKeyMissing")
        _create(connection, controller, name, host)
        return Made.CREATED
    if _CLASS.encode() not in found.attributes.get(b"objectClass", []):
        raise DirectoryError(
            "AccountNotOurs",
            f"{found.name.decode()} is no group managed service account; choose another name.",
        )
    return Made.OPENED if _open(connection, found, host) else Made.THERE


def readers_of(raw: bytes | None) -> Descriptor:
    """The descriptor that says who may have the password; one that lets in nobody where there is none."""
    if not raw:
        return Descriptor(DACL_PRESENT, owner=sids.ADMINISTRATORS, dacl=Acl(REVISION_PLAIN, ()))
    try:
        return decode(raw)
    except MalformedError as error:
        raise DirectoryError("DescriptorUnreadable") from error


def by_hand(name: str, domain: str, host: str) -> list[str]:
    """PowerShell lines that do the same."""
    return [
        "# once for each forest, where Get-KdsRootKey shows nothing: Add-KdsRootKey, and wait for 10 hours",
        f'New-ADServiceAccount -Name "{name}" -DNSHostName "{name}.{domain}" '
        f'-PrincipalsAllowedToRetrieveManagedPassword "{host}" -KerberosEncryptionType AES128,AES256 '
        f"-ManagedPasswordIntervalInDays {_INTERVAL_DAYS}",
        "# where it is there already, name every host:",
        f'Set-ADServiceAccount -Identity "{name}" -PrincipalsAllowedToRetrieveManagedPassword "{host}", …',
    ]


def _find(connection: DirectoryConnection, controller: Controller, name: str) -> Entry | None:
    by_name = filters.equals("sAMAccountName", f"{name}$")
    found = connection.search(Search(controller.root, by_name, ("objectClass", _READERS, _TYPES)))
    return found[0] if found else None


def has_root_key(connection: DirectoryConnection, controller: Controller) -> bool:
    """Whether a root key can be seen; without one no controller can compute a password (MS-GKDI §3.1.4.1)."""
    place = f"CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,{controller.configuration}"
    if connection.find(Search(place, filters.present("objectClass"), ("cn",), Scope.BASE)) is None:
        return False
    keys = Search(place, filters.equals("objectClass", "msKds-ProvRootKey"), ("cn",), Scope.ONE_LEVEL)
    return bool(connection.search(keys))


def _create(connection: DirectoryConnection, controller: Controller, name: str, host: HostAccount) -> None:
    add_object(
        connection,
        f"CN={name},CN=Managed Service Accounts,{controller.root}",
        {
            "objectClass": (_CLASS.encode(),),
            "sAMAccountName": (f"{name}$".encode(),),
            "dNSHostName": (f"{name}.{controller.fqdn}".encode(),),
            "userAccountControl": (str(_CONTROL).encode(),),
            "msDS-ManagedPasswordInterval": (str(_INTERVAL_DAYS).encode(),),
            _TYPES: (str(AES_ONLY).encode(),),
            _READERS: (_with(readers_of(None), host).encode(),),
        },
    )


def _open(connection: DirectoryConnection, found: Entry, host: HostAccount) -> bool:
    dn = found.name.decode()
    if found.text(_TYPES) != str(AES_ONLY):
        replace_values(connection, dn, _TYPES, (str(AES_ONLY).encode(),))
    before = readers_of(found.first(_READERS))
    after = _with(before, host)
    if after == before:
        return False
    replace_values(connection, dn, _READERS, (after.encode(),))
    return True


def _with(readers: Descriptor, host: HostAccount) -> Descriptor:
    acl = readers.dacl or Acl(REVISION_PLAIN, ())
    entry = allow(host.sid, access.FULL_CONTROL)
    if entry.encode() in acl.entries:
        return readers
    added = replace(with_entries(acl, [entry]), revision=acl.revision)
    return replace(readers, control=readers.control | DACL_PRESENT, dacl=added)
