"""Changes an administrator makes in a directory, over LDAPS; each returns what a test needs next.

All take an open ldap3 connection that raises (:meth:`lab.samba.SambaForest.connect`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from ldap3 import BASE, MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, Connection
from ldap3.core.exceptions import LDAPEntryAlreadyExistsResult
from ldap3.protocol.formatters.formatters import format_sid
from ldap3.utils.dn import parse_dn

from lab.dn import child_dn, relative_dn
from lab.errors import LabError
from lab.population import ENABLED_WITHOUT_PASSWORD

ACCOUNT_DISABLED = 0x2
# MS-ADTS §2.2.12: GROUP_TYPE_RESOURCE_GROUP and GROUP_TYPE_SECURITY_ENABLED, as a signed number.
_DOMAIN_LOCAL = str(0x4 - 0x8000_0000)


def add_user(
    connection: Connection,
    parent: str,
    name: str,
    account: str,
    attributes: Mapping[str, str | Sequence[str]] | None = None,
) -> str:
    """Add an enabled user without a password under the parent; returns its DN."""
    dn = child_dn("CN", name, parent)
    domain = ".".join(value for kind, value, _ in parse_dn(parent) if kind.upper() == "DC")
    connection.add(
        dn,
        "user",
        {
            "sAMAccountName": account,
            "userPrincipalName": f"{account}@{domain}",
            "displayName": name,
            "userAccountControl": str(ENABLED_WITHOUT_PASSWORD),
            **(attributes or {}),
        },
    )
    return dn


def add_group(
    connection: Connection, parent: str, name: str, account: str, members: Sequence[str] = ()
) -> str:
    """Add a global security group under the parent; returns its DN."""
    dn = child_dn("CN", name, parent)
    connection.add(dn, "group", {"sAMAccountName": account, **({"member": list(members)} if members else {})})
    return dn


def add_domain_local_group(
    connection: Connection, parent: str, name: str, account: str, members: Sequence[str] = ()
) -> str:
    """Add a security group that may have members of other forests; returns its DN."""
    dn = child_dn("CN", name, parent)
    held = {"member": list(members)} if members else {}
    connection.add(dn, "group", {"sAMAccountName": account, "groupType": _DOMAIN_LOCAL, **held})
    return dn


def add_unit(connection: Connection, parent: str, name: str) -> str:
    """Add an organisational unit under the parent; returns its DN."""
    dn = child_dn("OU", name, parent)
    connection.add(dn, "organizationalUnit")
    return dn


def set_attribute(connection: Connection, dn: str, attribute: str, *values: str) -> None:
    """Replace an attribute's values; with none, clear it."""
    connection.modify(dn, {attribute: [(MODIFY_REPLACE, list(values))]})


def clear_attribute(connection: Connection, dn: str, attribute: str) -> None:
    """Remove all values of an attribute."""
    set_attribute(connection, dn, attribute)


def set_password(connection: Connection, dn: str, password: str) -> None:
    """Set an account's password as an administrator does (MS-ADTS §3.1.1.3.1.5.1)."""
    connection.modify(dn, {"unicodePwd": [(MODIFY_REPLACE, [f'"{password}"'.encode("utf-16-le")])]})


def disable(connection: Connection, dn: str) -> None:
    """Disable an account."""
    _change_flags(connection, dn, add=ACCOUNT_DISABLED, remove=0)


def enable(connection: Connection, dn: str) -> None:
    """Enable an account."""
    _change_flags(connection, dn, add=0, remove=ACCOUNT_DISABLED)


def add_members(connection: Connection, group: str, *members: str) -> None:
    """Make the objects direct members of the group."""
    connection.modify(group, {"member": [(MODIFY_ADD, list(members))]})


def add_foreign_members(connection: Connection, group: str, *sids: str) -> None:
    """Make somebody outside the forest a member, by SID: a foreign security principal then stands for each."""
    for sid in sids:
        try:
            add_members(connection, group, f"<SID={sid}>")
        except LDAPEntryAlreadyExistsResult:
            # Samba makes the principal in every case; a Windows controller takes the one that is there.
            add_members(connection, group, _principal(group, sid))


def remove_foreign_members(connection: Connection, group: str, *sids: str) -> None:
    """Take foreign security principals out of the group."""
    remove_members(connection, group, *(_principal(group, sid) for sid in sids))


def remove_members(connection: Connection, group: str, *members: str) -> None:
    """Take direct members out of the group."""
    connection.modify(group, {"member": [(MODIFY_DELETE, list(members))]})


def rename(connection: Connection, dn: str, name: str) -> str:
    """Give an object, or an OU with all that is in it, another name; returns the new DN."""
    kind, parent = _split(dn)
    connection.modify_dn(dn, relative_dn(kind, name))
    return child_dn(kind, name, parent)


def move(connection: Connection, dn: str, parent: str) -> str:
    """Move an object, or an OU with all that is in it, under another parent; returns the new DN."""
    relative = dn[: -len(_split(dn)[1]) - 1]
    connection.modify_dn(dn, relative, new_superior=parent)
    return f"{relative},{parent}"


def delete(connection: Connection, dn: str) -> None:
    """Delete an object; it becomes a tombstone in Deleted Objects."""
    connection.delete(dn)


def delete_tree(connection: Connection, dn: str) -> None:
    """Delete an object with all that is below it (LDAP_SERVER_TREE_DELETE_OID, MS-ADTS §3.1.1.3.4.1.15)."""
    connection.delete(dn, controls=[("1.2.840.113556.1.4.805", True, None)])


def read(connection: Connection, dn: str, *attributes: str) -> dict[str, list[str]]:
    """The text values of the attributes of one object; an absent attribute has an empty list."""
    raw = _raw_attributes(connection, dn, attributes)
    return {name: [value.decode() for value in raw.get(name, [])] for name in attributes}


def object_guid(connection: Connection, dn: str) -> UUID:
    """objectGUID of one object."""
    return UUID(bytes_le=_raw_attributes(connection, dn, ["objectGUID"])["objectGUID"][0])


def rid_of(connection: Connection, dn: str) -> int:
    """The last sub-authority of an object's SID (MS-DTYP §2.4.2.2)."""
    return int.from_bytes(_raw_attributes(connection, dn, ["objectSid"])["objectSid"][0][-4:], "little")


def sid_of(connection: Connection, dn: str) -> str:
    """objectSid of one object, as text."""
    return str(format_sid(_raw_attributes(connection, dn, ["objectSid"])["objectSid"][0]))


def _principal(beside: str, sid: str) -> str:
    """DN of a foreign security principal in the domain of another DN."""
    return f"CN={sid},CN=ForeignSecurityPrincipals,{beside[beside.upper().index('DC=') :]}"


def _raw_attributes(connection: Connection, dn: str, attributes: Sequence[str]) -> Mapping[str, list[bytes]]:
    connection.search(dn, "(objectClass=*)", BASE, attributes=list(attributes))
    found = [entry for entry in connection.response or [] if entry["type"] == "searchResEntry"]
    if len(found) != 1:
        raise LabError("LabCommandFailed", f"{dn} was not found.")
    raw: Mapping[str, list[bytes]] = found[0]["raw_attributes"]
    return raw


def _change_flags(connection: Connection, dn: str, *, add: int, remove: int) -> None:
    flags = int(read(connection, dn, "userAccountControl")["userAccountControl"][0])
    set_attribute(connection, dn, "userAccountControl", str((flags | add) & ~remove))


def _split(dn: str) -> tuple[str, str]:
    """Attribute type of the first component, and the parent's DN exactly as it is written."""
    position = 0
    while dn[position] != ",":
        position += 2 if dn[position] == "\\" else 1
    return dn[: dn.index("=")], dn[position + 1 :]
