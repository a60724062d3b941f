"""From an LDAP entry to the SCIM resources that tell of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from provisioning_agent.wire.limits import GROUP_MEMBERS_PER_RESOURCE
from provisioning_agent.wire.pages import AD_SCHEMA, RESOURCE_SCHEMAS

from .convert import RANGE_MARK
from .names import Reference, foreign_sids, guid_of

_ACCOUNT_DISABLE: Final = 0x2
_FLAGS: Final = "userAccountControl"
_MEMBER_WEIGHT: Final = 40
# What a continuation or tombstone adds to a page, roughly.
_SMALL_WEIGHT: Final = 200

MEMBER: Final = "member"
# Asked for as a range, so that small and large groups look the same on every server.
FIRST_MEMBERS: Final = "member;range=0-1499"
# Not stored attributes: the DN comes with the entry, the flag is a bit of userAccountControl.
_DERIVED: Final = frozenset({"distinguishedname", "accountdisabled", MEMBER})


class Item(NamedTuple):
    """One resource, its weight in the page (bytes, roughly) and whether it counts as an object read."""

    resource: dict[str, Any]
    weight: int
    counts: bool


def ldap_attributes(wanted: Sequence[str]) -> tuple[str, ...]:
    """The stored attributes behind the wanted names."""
    stored = [name for name in wanted if name.lower() not in _DERIVED]
    lower = {name.lower() for name in wanted}
    if "accountdisabled" in lower and "useraccountcontrol" not in lower:
        stored.append(_FLAGS)
    return tuple(stored)


class ResourceMaker:
    """Makes the resources of one object type; built once per request."""

    def __init__(self, object_type: str, wanted: Sequence[str]) -> None:
        names = {name.lower(): name for name in wanted}
        self.object_type = object_type
        self._meta = {"resourceType": object_type}
        self._dn_name = names.get("distinguishedname")
        self._disabled_name = names.get("accountdisabled")
        self._flags_name = names.get("useraccountcontrol", _FLAGS)
        self._hide_flags = "useraccountcontrol" not in names

    def full(
        self, who: Reference, values: dict[str, Any], members: Mapping[str, Any] | None, weight: int
    ) -> Item:
        """The object's whole state; ``members`` as in the wire contract, for groups."""
        if self._dn_name is not None:
            values[self._dn_name] = who.dn
        if self._disabled_name is not None:
            self._set_disabled(values, self._disabled_name)
        resource = {"schemas": RESOURCE_SCHEMAS, "id": who.guid, "meta": self._meta, AD_SCHEMA: values}
        if members is not None:
            resource["members"] = members
        return Item(resource, weight, True)

    def group(
        self,
        who: Reference,
        values: dict[str, Any],
        members: Sequence[str],
        foreign: Mapping[str, str],
        weight: int,
    ) -> Iterator[Item]:
        """A group with its whole membership, continued in further resources where it is large."""
        step = GROUP_MEMBERS_PER_RESOURCE
        yield self.full(who, values, _members(True, members[:step], (), foreign), weight)
        yield from self._continued(who.guid, members[step:], (), foreign)

    def changed_group(
        self,
        who: Reference,
        values: dict[str, Any],
        added: Sequence[str],
        removed: Sequence[str],
        foreign: Mapping[str, str],
        weight: int,
    ) -> Iterator[Item]:
        """A group with what was added to and removed from its membership."""
        step = GROUP_MEMBERS_PER_RESOURCE
        yield self.full(who, values, _members(False, added[:step], removed[:step], foreign), weight)
        yield from self._continued(who.guid, added[step:], removed[step:], foreign)

    def _continued(
        self, guid: str, added: Sequence[str], removed: Sequence[str], foreign: Mapping[str, str]
    ) -> Iterator[Item]:
        """The rest of a membership, in resources of bounded size."""
        step = GROUP_MEMBERS_PER_RESOURCE
        for at in range(0, max(len(added), len(removed)), step):
            more, fewer = added[at : at + step], removed[at : at + step]
            resource = {
                "schemas": RESOURCE_SCHEMAS,
                "id": guid,
                "meta": {"resourceType": self.object_type, "continues": True},
                "members": _members(False, more, fewer, foreign),
            }
            yield Item(resource, _SMALL_WEIGHT + _MEMBER_WEIGHT * (len(more) + len(fewer)), False)

    def tombstone(self, guid: str, kind: str) -> Item:
        """The object was deleted or is out of scope."""
        meta = {"resourceType": self.object_type, "tombstone": kind}
        return Item({"schemas": RESOURCE_SCHEMAS, "id": guid, "meta": meta}, _SMALL_WEIGHT, False)

    def present(self, guid: str) -> Item:
        """The object is there and in scope; nothing else is said."""
        meta = {"resourceType": self.object_type, "present": True}
        return Item({"schemas": RESOURCE_SCHEMAS, "id": guid, "meta": meta}, _SMALL_WEIGHT, False)

    def _set_disabled(self, values: dict[str, Any], name: str) -> None:
        flags = values.get(self._flags_name)
        if flags is not None:
            values[name] = bool(flags & _ACCOUNT_DISABLE)
            if self._hide_flags:
                del values[self._flags_name]


def _members(
    whole: bool, added: Sequence[str], removed: Sequence[str], foreign: Mapping[str, str]
) -> dict[str, Any]:
    members: dict[str, Any] = {"whole": whole, "added": list(added), "removed": list(removed)}
    if foreign and (told := {guid: foreign[guid] for guid in added if guid in foreign}):
        members["foreign"] = told
    return members


def member_guids(attributes: Mapping[bytes, list[bytes]]) -> list[str]:
    """The members an entry carries, whether ranged or not."""
    return [guid_of(value) for value in _member_values(attributes)]


def foreign_members(attributes: Mapping[bytes, list[bytes]]) -> dict[str, str]:
    """SIDs by objectGUID of the members from outside the forest."""
    return foreign_sids(_member_values(attributes))


def raw_members(attributes: Mapping[bytes, list[bytes]]) -> Iterator[bytes]:
    """The same as raw 16-byte GUIDs."""
    return (uuid.UUID(guid_of(value)).bytes for value in _member_values(attributes))


def _member_values(attributes: Mapping[bytes, list[bytes]]) -> Iterator[bytes]:
    for spelled, values in attributes.items():
        if spelled.partition(b";")[0].lower() == b"member":
            yield from values


def is_cut(attributes: Mapping[bytes, list[bytes]]) -> bool:
    """True if the server kept values back: a range that does not end in ``*`` (MS-ADTS §3.1.1.3.1.3.3)."""
    return any(RANGE_MARK in spelled and not spelled.endswith(b"*") for spelled in attributes)
