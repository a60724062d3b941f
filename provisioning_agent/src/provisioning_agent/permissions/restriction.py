"""The account's own permissions, narrowed: who controls it could act as the agent. Pure."""

from __future__ import annotations

from dataclasses import replace

from provisioning_agent.security import access, sids
from provisioning_agent.security.descriptor import DACL_PROTECTED, REVISION_OBJECTS, Acl, Descriptor
from provisioning_agent.security.entries import Entry, allow
from provisioning_agent.security.lists import explicit

_READ = access.READ_CONTROL | access.LIST_CONTENTS | access.READ_PROPERTY | access.LIST_OBJECT


def restricted(descriptor: Descriptor, domain: bytes, forest: bytes | None) -> Descriptor:
    """Nothing inherited; the account itself as before, administrators all, everybody signed in may read.

    ``domain`` and ``forest`` are the SIDs of the domain and of the forest's root domain, where it is known.
    """
    own = [entry for entry in explicit(descriptor.dacl) if entry.sid == sids.SELF] if descriptor.dacl else []
    entries = dict.fromkeys([*_denying_first(own), *_others(domain, forest)])
    acl = Acl(REVISION_OBJECTS, tuple(entry.encode() for entry in entries))
    return replace(descriptor, control=descriptor.control | DACL_PROTECTED, dacl=acl)


def _denying_first(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.allows)


def _others(domain: bytes, forest: bytes | None) -> list[Entry]:
    full = [sids.SYSTEM, sids.ADMINISTRATORS, sids.member(domain, sids.DOMAIN_ADMINS_RID)]
    if forest is not None:
        full.append(sids.member(forest, sids.ENTERPRISE_ADMINS_RID))
    readers = (sids.AUTHENTICATED_USERS, sids.ENTERPRISE_DOMAIN_CONTROLLERS)
    return [allow(sid, access.FULL_CONTROL) for sid in full] + [allow(sid, _READ) for sid in readers]
