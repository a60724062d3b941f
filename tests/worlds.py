"""Everybody in a domain, as Active Directory has them and as the cloud directory has them, in one shape."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from ldap3 import SUBTREE

from lab.portal_client import Document, PortalClient
from lab.samba import SambaForest

Known = dict[str, Any]
World = dict[UUID, Known]

# Everything that may be read at all: no computers, no critical system objects.
_IN_SCOPE: Final = (
    "(&(|(&(objectClass=user)(!(objectClass=computer)))(objectClass=group)(objectClass=contact))"
    "(!(isCriticalSystemObject=TRUE)))"
)
_PLAIN: Final = {
    "cn": "CommonName",
    "givenName": "GivenName",
    "sn": "Surname",
    "title": "JobTitle",
    "department": "Department",
    "company": "Company",
    "description": "Description",
    "mail": "Mail",
    "telephoneNumber": "TelephoneNumber",
    "l": "City",
    "c": "CountryLetterCode",
    "employeeID": "EmployeeId",
    "distinguishedName": "OnPremisesDistinguishedName",
}
# What does not flow to every kind of object.
_NOT_OF: Final = {
    "user": frozenset[str](),
    "group": frozenset({"GivenName", "Surname", "JobTitle", "Department", "Company", "TelephoneNumber"})
    | {"City", "CountryLetterCode", "EmployeeId"},
    "contact": frozenset({"EmployeeId"}),
}
_ASKED: Final = (*_PLAIN, "objectGUID", "objectClass", "displayName", "userPrincipalName", "sAMAccountName")
_ASKED_TOO: Final = ("userAccountControl", "manager", "member", "proxyAddresses")


def in_active_directory(forest: SambaForest) -> World:
    """What AD itself says, asked by its administrator."""
    with forest.connect() as connection:
        found = connection.extend.standard.paged_search(
            forest.base_dn, _IN_SCOPE, SUBTREE, attributes=[*_ASKED, *_ASKED_TOO], paged_size=500
        )
        entries = [entry["raw_attributes"] for entry in found if entry["type"] == "searchResEntry"]
    guid_of = {_one(entry, "distinguishedName"): _guid(entry) for entry in entries}
    return {_guid(entry): _known(entry, guid_of, forest.dns_name) for entry in entries}


def in_cloud(client: PortalClient, domain: str) -> World:
    """What the portal's REST endpoints say of the objects that came from a domain."""
    people = {"user": _of(client, "users", domain), "contact": _of(client, "contacts", domain)}
    groups = _of(client, "groups", domain)
    guid_of = {one["id"]: _anchor(one) for one in [*people["user"], *people["contact"], *groups]}
    world = {
        _anchor(one): {**_shown(one, kind), "manager": guid_of.get(one["manager_id"])}
        for kind, rows in people.items()
        for one in rows
    }
    for group in groups:
        members = client.all(f"directory/groups/{group['id']}/members/", page_size="1000")
        world[_anchor(group)] = {
            **_shown(group, "group"),
            "members": {guid_of[member["id"]] for member in members},
        }
    return world


def _of(client: PortalClient, kind: str, domain: str) -> list[Document]:
    rows = client.all(f"directory/{kind}/", page_size="1000")
    return [one for one in rows if one["attributes"].get("DnsDomainName") == domain]


def _shown(one: Document, kind: str) -> Known:
    attributes = one["attributes"]
    known = {name: attributes.get(name) for name in _PLAIN.values() if name not in _NOT_OF[kind]}
    known |= {
        "kind": kind,
        "name": one["display_name"],
        "addresses": set(attributes.get("ProxyAddresses", ())),
    }
    if kind == "user":
        known |= {"signs in as": one["user_principal_name"], "enabled": one["account_enabled"]}
    return known


def _known(entry: Mapping[str, list[bytes]], guid_of: Mapping[str | None, UUID], domain: str) -> Known:
    kind = _kind(entry)
    known: Known = {
        name: _one(entry, attribute) for attribute, name in _PLAIN.items() if name not in _NOT_OF[kind]
    }
    known |= {
        "kind": kind,
        "name": _one(entry, "displayName") or _one(entry, "cn"),
        "addresses": set(_texts(entry, "proxyAddresses")),
    }
    if kind == "group":
        return {**known, "members": {guid_of[dn] for dn in _texts(entry, "member") if dn in guid_of}}
    if kind == "user":
        given = _one(entry, "userPrincipalName") or f"{_one(entry, 'sAMAccountName')}@{domain}"
        known |= {"signs in as": given, "enabled": not int(_one(entry, "userAccountControl") or 0) & 2}
    return {**known, "manager": guid_of.get(_one(entry, "manager"))}


def _kind(entry: Mapping[str, list[bytes]]) -> str:
    classes = {name.lower() for name in _texts(entry, "objectClass")}
    return next(kind for kind in ("contact", "group", "user") if kind in classes)


def _texts(entry: Mapping[str, list[bytes]], attribute: str) -> Iterator[str]:
    return (value.decode() for value in entry.get(attribute, ()))


def _one(entry: Mapping[str, list[bytes]], attribute: str) -> str | None:
    return next(_texts(entry, attribute), None)


def _guid(entry: Mapping[str, list[bytes]]) -> UUID:
    return UUID(bytes_le=bytes(entry["objectGUID"][0]))


def _anchor(one: Document) -> UUID:
    return UUID(bytes_le=base64.b64decode(one["immutable_id"]))
