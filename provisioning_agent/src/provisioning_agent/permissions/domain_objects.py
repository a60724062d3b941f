"""Reading what permissions are about: the account, the schema's GUIDs, the security descriptors."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import DirectoryConnection, Entry
from provisioning_agent.ldap.domain import Controller
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import Scope, Search
from provisioning_agent.ldap.writing import read_descriptor
from provisioning_agent.security import descriptor as descriptors
from provisioning_agent.security.descriptor import Acl, Descriptor
from provisioning_agent.security.sids import MalformedError

from .sets import CONTROL_RIGHTS, SETS, Place


@dataclass(frozen=True, slots=True)
class Account:
    """The account whose rights are meant; ``groups`` are the SIDs of every group it is in, itself included."""

    dn: str
    sid: bytes
    name: str
    groups: frozenset[bytes]


def find_account(connection: DirectoryConnection, controller: Controller, name: str) -> Account:
    """The account by DN, user principal name, ``DOMAIN\\name`` or sAMAccountName."""
    entry = _account_entry(connection, controller, name)
    if entry is None or entry.first("objectSid") is None:
        raise DirectoryError("AccountUnknown", f"The domain has no account {name}; correct its name.")
    dn, sid = entry.name.decode(), entry.first("objectSid") or b""
    constructed = connection.find(Search(dn, filters.present("objectClass"), ("tokenGroups",), Scope.BASE))
    groups = constructed.attributes.get(b"tokenGroups", []) if constructed else []
    return Account(dn, sid, entry.text("sAMAccountName"), frozenset((sid, *groups)))


def _account_entry(connection: DirectoryConnection, controller: Controller, name: str) -> Entry | None:
    wanted = ("objectSid", "sAMAccountName")
    if "=" in name:
        return connection.find(Search(name, filters.present("objectClass"), wanted, Scope.BASE))
    short = name.rpartition("\\")[2]
    by_name = filters.any_of(
        [
            filters.equals("userPrincipalName", short),
            filters.equals("sAMAccountName", short.partition("@")[0]),
        ]
    )
    found = connection.search(Search(controller.root, by_name, wanted))
    return found[0] if len(found) == 1 else None


def schema_guids(connection: DirectoryConnection, schema: str) -> Mapping[str, uuid.UUID]:
    """schemaIDGUID of every class and attribute that the sets name, as far as this schema has it."""
    names = _names()
    wanted = filters.any_of(filters.equals("lDAPDisplayName", name) for name in names)
    found = connection.search(Search(schema, wanted, ("lDAPDisplayName", "schemaIDGUID"), Scope.ONE_LEVEL))
    by_lower = {entry.text("lDAPDisplayName").lower(): entry.first("schemaIDGUID") for entry in found}
    guids = {name: by_lower.get(name.lower()) for name in names}
    return {name: uuid.UUID(bytes_le=raw) for name, raw in guids.items() if raw and len(raw) == 16}


def _names() -> Iterable[str]:
    rights = (right for one in SETS.values() for right in one)
    named = {name for right in rights for name in (right.on, right.below) if name is not None}
    return sorted(named - CONTROL_RIGHTS.keys())


def place_dn(controller: Controller, place: Place) -> str:
    """DN of the object a place stands for."""
    return controller.root if place is Place.DOMAIN else f"CN=Deleted Objects,{controller.root}"


def read_lists(connection: DirectoryConnection, controller: Controller) -> dict[Place, Acl]:
    """The access lists of all places; those that may not be read are left out."""
    found = {}
    for place in Place:
        raw = read_descriptor(connection, place_dn(controller, place))
        if raw:
            found[place] = acl_of(parse(raw))
    return found


def parse(raw: bytes) -> Descriptor:
    """Decode what a controller sent."""
    try:
        return descriptors.decode(raw)
    except MalformedError as error:
        raise DirectoryError("DescriptorUnreadable") from error


def acl_of(descriptor: Descriptor) -> Acl:
    """The access list; an object without one is open to everybody, and adding to it would close it."""
    if descriptor.dacl is None:
        raise DirectoryError(
            "DescriptorUnreadable", "An object has no access list at all; give it one first."
        )
    return descriptor.dacl
