"""Granting, revoking and restricting on a domain controller: read, decide, write only what differs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import DirectoryConnection
from provisioning_agent.ldap.domain import Controller
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import Scope, Search
from provisioning_agent.ldap.writing import OWNER, read_descriptor, write_descriptor
from provisioning_agent.security import sids
from provisioning_agent.security.descriptor import Acl, Descriptor

from . import plan
from .domain_objects import Account, acl_of, parse, place_dn, read_lists
from .restriction import restricted
from .sets import SETS, Place


@dataclass(frozen=True, slots=True)
class Target:
    """One account in one domain, over one connection."""

    connection: DirectoryConnection
    controller: Controller
    account: Account
    guids: Mapping[str, uuid.UUID]

    def standing(self, name: str) -> list[plan.Held]:
        """How the rights of a set stand now."""
        lists = read_lists(self.connection, self.controller)
        return plan.standing(name, self.account.sid, self.guids.get, lists)


def grant(target: Target, name: str) -> bool:
    """Give the account a set; false when it had all of it."""

    def wanted(place: Place, acl: Acl) -> Acl:
        rights = plan.standing(name, target.account.sid, target.guids.get, {place: acl})
        return plan.granting(rights, place, acl)

    return _change(target, name, wanted)


def revoke(target: Target, name: str) -> bool:
    """Take a set back; false when nothing of it was there."""
    # Read once: another set's claim on an entry is judged over all places.
    lists = read_lists(target.connection, target.controller)

    def wanted(place: Place, acl: Acl) -> Acl:
        now = {**lists, place: acl}
        return plan.revoking(name, target.account.sid, target.guids.get, now, place)

    return _change(target, name, wanted)


def restrict(target: Target) -> bool:
    """Narrow the permissions on the account itself; false when they were narrow before."""
    dn = target.account.dn
    before = _read(target.connection, dn)
    domain = target.account.sid[:1] + bytes((target.account.sid[1] - 1,)) + target.account.sid[2:-4]
    after = restricted(before, domain, forest_sid(target.connection, target.controller, domain))
    if _same(before, after):
        return False
    write_descriptor(target.connection, dn, after.encode())
    return True


def forest_sid(connection: DirectoryConnection, controller: Controller, domain: bytes) -> bytes | None:
    """SID of the forest's root domain, through the trust where this is another domain; None if not to be had."""
    if controller.root == controller.forest_root:
        return domain
    trusted = filters.equals("trustPartner", controller.forest)
    found = connection.search(
        Search(f"CN=System,{controller.root}", trusted, ("securityIdentifier",), Scope.ONE_LEVEL)
    )
    return found[0].first("securityIdentifier") if found else None


def _change(target: Target, name: str, wanted: Callable[[Place, Acl], Acl]) -> bool:
    changed = False
    for place in dict.fromkeys(right.place for right in SETS[name]):
        dn = place_dn(target.controller, place)
        if place is Place.DELETED_OBJECTS:
            _make_readable(target.connection, dn)
        before = _read(target.connection, dn)
        acl = acl_of(before)
        after = wanted(place, acl)
        if after != acl:
            write_descriptor(target.connection, dn, replace(before, dacl=after).encode())
            changed = True
    return changed


def _make_readable(connection: DirectoryConnection, dn: str) -> None:
    """As ``dsacls /takeOwnership``: administrators may always become the owner, and an owner may read."""
    if read_descriptor(connection, dn) == b"":
        owner = Descriptor(owner=sids.ADMINISTRATORS)
        write_descriptor(connection, dn, owner.encode(), OWNER)


def _read(connection: DirectoryConnection, dn: str) -> Descriptor:
    raw = read_descriptor(connection, dn)
    if not raw:
        raise DirectoryError(
            "DescriptorUnreadable", f"The permissions of {dn} may not be read by this account."
        )
    return parse(raw)


def _same(before: Descriptor, after: Descriptor) -> bool:
    # The server merges nothing, but may order entries as it likes.
    lists = before.dacl, after.dacl
    entries = [sorted(acl.entries) if acl else None for acl in lists]
    return entries[0] == entries[1] and before.control == after.control
