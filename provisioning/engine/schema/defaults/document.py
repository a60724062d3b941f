"""Putting a default document together from the tables of a target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from provisioning.engine.errors import SchemaError
from provisioning.engine.expressions.printer import quote
from provisioning.engine.schema.defaults import graph, scim, source, tables
from provisioning.engine.schema.defaults.columns import Column, columns, mappings, object_definition, sources
from provisioning.engine.schema.dump import dump_schema
from provisioning.engine.schema.model import Directory, ObjectMapping, Rule, Schema

VERSION: Final = "Date:2026-11-23T00:00:00.0000000Z, Version:1"
PASSWORD_HASH: Final = Column("CredentialData", "[PasswordHash]", flags=frozenset({"secret"}))


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of target: its name as a directory, its object types and their tables."""

    name: str
    user: str
    group: str
    contact: str | None
    tables: dict[str, str]


PROFILES: Final = {
    "directory": Profile("Isthmus Directory", "User", "Group", "Contact", tables.DIRECTORY),
    "scim": Profile("SCIM", scim.USER_NAME, scim.GROUP_NAME, None, scim.TABLES),
    "graph": Profile("Microsoft Entra ID", "user", "group", "orgContact", graph.TABLES),
}


def default_schema(
    *,
    target: str = "directory",
    domain_fqdn: str,
    domain_netbios: str,
    source_id: str = "active-directory",
    password_hash: bool = False,
) -> dict[str, object]:
    """A complete document for one AD domain and one kind of target: directory, scim or graph.

    The mapping of inetOrgPerson is there but disabled: the agent reads these objects as users.
    """
    if target not in PROFILES:
        raise SchemaError("target", f"there is no default for a target of kind {target}.")
    profile = PROFILES[target]
    filled = _filled(profile, domain_fqdn, domain_netbios)
    if password_hash and any(each.target == PASSWORD_HASH.target for each in filled[profile.user]):
        kept = (each for each in filled[profile.user] if each.target != PASSWORD_HASH.target)
        filled[profile.user] = (*kept, PASSWORD_HASH)
    return dump_schema(_schema(profile, filled, source_id))


def _filled(profile: Profile, fqdn: str, netbios: str) -> dict[str, tuple[Column, ...]]:
    def fill(table: str) -> str:
        return table.replace("{domain}", quote(fqdn)).replace("{netbios}", quote(netbios))

    return {name: tuple(columns(fill(table))) for name, table in profile.tables.items()}


def _schema(profile: Profile, filled: dict[str, tuple[Column, ...]], source_id: str) -> Schema:
    pairs = _pairs(profile)
    read = {origin: sources(filled[target]) if target else frozenset() for origin, target in pairs.items()}
    origin = source.active_directory(read, source_id)
    goal = _target(profile, filled)
    object_mappings = tuple(
        _object_mapping(origin, goal, name, target, filled[target])
        for name, target in pairs.items()
        if target
    )
    rule = Rule(
        id="ad-to-cloud",
        name="Active Directory to cloud",
        source_directory=origin.name,
        target_directory=goal.name,
        object_mappings=object_mappings,
    )
    return Schema(id="isthmus-default", version=VERSION, directories=(origin, goal), rules=(rule,))


def _pairs(profile: Profile) -> dict[str, str | None]:
    return {
        "user": profile.user,
        "inetOrgPerson": profile.user,
        "group": profile.group,
        "contact": profile.contact,
    }


def _target(profile: Profile, filled: dict[str, tuple[Column, ...]]) -> Directory:
    referenced = tuple(profile.tables)
    objects = tuple(object_definition(name, table, referenced) for name, table in filled.items())
    return Directory(id=profile.name.lower().replace(" ", "-"), name=profile.name, objects=objects)


def _object_mapping(
    origin: Directory, goal: Directory, name: str, target: str, table: tuple[Column, ...]
) -> ObjectMapping:
    target_definition = goal.object(target)
    mapping = ObjectMapping(
        name=f"Provision Active Directory {name}s",
        source_object=name,
        target_object=target,
        enabled=name != "inetOrgPerson",
        attribute_mappings=mappings(table),
        source_definition=origin.object(name),
        target_definition=target_definition,
    )
    if target_definition is None:
        return mapping
    known = {each.name: each for each in target_definition.attributes}
    return replace(
        mapping,
        attribute_mappings=tuple(
            replace(each, definition=known.get(each.target)) for each in mapping.attribute_mappings
        ),
    )
