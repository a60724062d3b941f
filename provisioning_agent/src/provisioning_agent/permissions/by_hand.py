"""The same changes as lines for an administrator's own shell, so that no admin credential touches this host. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning_agent.security import access
from provisioning_agent.security.entries import CONTAINER_INHERIT, INHERIT_ONLY, Entry

from .plan import Held, State
from .sets import Place, Right

_LETTERS = (
    (access.CREATE_CHILD, "CC"),
    (access.DELETE_CHILD, "DC"),
    (access.LIST_CONTENTS, "LC"),
    (access.READ_PROPERTY, "RP"),
    (access.WRITE_PROPERTY, "WP"),
    (access.DELETE_TREE, "DT"),
    (access.LIST_OBJECT, "LO"),
    (access.CONTROL_ACCESS, "CA"),
    (access.DELETE, "SD"),
)


def granting_lines(rights: Iterable[Held], dns: dict[Place, str], account: str) -> list[str]:
    """``dsacls`` lines that grant what is missing; ``account`` is ``DOMAIN\\name``."""
    wanted = [held for held in rights if held.state in (State.MISSING, State.UNREADABLE)]
    taken = [f'dsacls "{dns[Place.DELETED_OBJECTS]}" /takeOwnership'] if _touches_deleted(wanted) else []
    return taken + [_dsacls(held.right, dns[held.right.place], account) for held in wanted]


def revoking_lines(rights: Iterable[Held], dns: dict[Place, str], account: str) -> list[str]:
    """PowerShell lines that take back exactly these entries, which ``dsacls`` can not."""
    gone = [(held.right.place, held.entry) for held in rights if held.state is State.GRANTED and held.entry]
    lines = []
    for place in dict.fromkeys(place for place, _ in gone):
        lines += [f'$path = "AD:\\{dns[place]}"', "$acl = Get-Acl $path", _identity(account)]
        lines += [_removal(entry) for found, entry in gone if found is place]
        lines.append("Set-Acl $path $acl")
    return lines


def restricting_lines(dn: str, account: str, netbios: str) -> list[str]:
    """``dsacls`` lines that narrow the permissions on the account itself."""
    full = ("NT AUTHORITY\\SYSTEM", "BUILTIN\\Administrators", f"{netbios}\\Domain Admins")
    readers = ("NT AUTHORITY\\Authenticated Users", "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS")
    return [
        f"# {account}: nothing inherited, then only these",
        f'dsacls "{dn}" /P:Y',
        *(f'dsacls "{dn}" /G "{who}:GA"' for who in full),
        f'dsacls "{dn}" /G "Enterprise Admins:GA"',
        *(f'dsacls "{dn}" /G "{who}:RCLCRPLO"' for who in readers),
    ]


def _touches_deleted(rights: list[Held]) -> bool:
    return any(held.right.place is Place.DELETED_OBJECTS for held in rights)


def letters(mask: int) -> str:
    """A mask in the letters of ``dsacls``."""
    return "".join(text for bit, text in _LETTERS if mask & bit)


def _dsacls(right: Right, dn: str, account: str) -> str:
    what = ";".join((letters(right.mask), right.on or "", right.below or "")).rstrip(";")
    reach = {CONTAINER_INHERIT | INHERIT_ONLY: " /I:S", CONTAINER_INHERIT: " /I:T"}.get(right.flags, "")
    return f'dsacls "{dn}"{reach} /G "{account}:{what}"'


def _identity(account: str) -> str:
    return (
        f'$who = (New-Object System.Security.Principal.NTAccount "{account}")'
        ".Translate([System.Security.Principal.SecurityIdentifier])"
    )


def _removal(entry: Entry) -> str:
    spread = {CONTAINER_INHERIT | INHERIT_ONLY: "Descendents", CONTAINER_INHERIT: "All"}.get(
        entry.flags, "None"
    )
    nothing = "00000000-0000-0000-0000-000000000000"
    return (
        "$acl.RemoveAccessRuleSpecific((New-Object System.DirectoryServices.ActiveDirectoryAccessRule("
        f"$who, {entry.mask}, 'Allow', [guid]'{entry.object_type or nothing}', '{spread}', "
        f"[guid]'{entry.inherited_type or nothing}')))"
    )
