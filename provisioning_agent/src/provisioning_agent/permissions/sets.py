"""The sets of rights by purpose, as names of the schema; which purpose needs what is Active Directory's to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from provisioning_agent.security import access
from provisioning_agent.security.entries import CONTAINER_INHERIT, INHERIT_ONLY


class Place(StrEnum):
    """The object whose permissions are changed."""

    DOMAIN = "domain"
    DELETED_OBJECTS = "deleted objects"


@dataclass(frozen=True, slots=True)
class Right:
    """One right: a mask, on one attribute, class or control right (or all), for one class below (or here).

    ``on`` and ``below`` are lDAPDisplayNames; ``on`` may be the name of a control right.
    """

    mask: int
    on: str | None = None
    below: str | None = None
    flags: int = 0
    place: Place = Place.DOMAIN


# Names of control rights as Active Directory's own tools show them.
GET_CHANGES: Final = "Replicating Directory Changes"
GET_CHANGES_ALL: Final = "Replicating Directory Changes All"
RESET_PASSWORD: Final = "Reset Password"  # noqa: S105  # the name of a right
UNEXPIRE_PASSWORD: Final = "Unexpire Password"  # noqa: S105  # the name of a right
CONTROL_RIGHTS: Final = {
    GET_CHANGES: access.GET_CHANGES,
    GET_CHANGES_ALL: access.GET_CHANGES_ALL,
    RESET_PASSWORD: access.RESET_PASSWORD,
    UNEXPIRE_PASSWORD: access.UNEXPIRE_PASSWORD,
}

_READ_WRITE: Final = access.READ_PROPERTY | access.WRITE_PROPERTY
_CHILDREN: Final = access.CREATE_CHILD | access.DELETE_CHILD
_READ_CLASSES: Final = (
    "device",
    "inetOrgPerson",
    "computer",
    "foreignSecurityPrincipal",
    "group",
    "user",
    "contact",
)
_WRITE_CLASSES: Final = ("user", "inetOrgPerson", "group", "contact")


def _here(name: str) -> Right:
    return Right(access.CONTROL_ACCESS, name)


def _below(mask: int, kind: str, on: str | None = None) -> Right:
    return Right(mask, on, kind, CONTAINER_INHERIT | INHERIT_ONLY)


SETS: Final[Mapping[str, tuple[Right, ...]]] = {
    "BasicRead": (
        _here(GET_CHANGES),
        *(_below(access.READ_PROPERTY, kind) for kind in _READ_CLASSES),
    ),
    "ReadDeleted": (
        Right(
            access.LIST_CONTENTS | access.READ_PROPERTY,
            flags=CONTAINER_INHERIT,
            place=Place.DELETED_OBJECTS,
        ),
    ),
    "PasswordHashSync": (_here(GET_CHANGES), _here(GET_CHANGES_ALL)),
    "ConsistencyGuid": (
        _below(access.WRITE_PROPERTY, "user", "mS-DS-ConsistencyGuid"),
        _below(access.WRITE_PROPERTY, "group", "mS-DS-ConsistencyGuid"),
        _below(access.WRITE_PROPERTY, "user", "msDS-KeyCredentialLink"),
        _below(access.WRITE_PROPERTY, "device", "msDS-KeyCredentialLink"),
    ),
    "PasswordWriteBack": (
        _below(access.CONTROL_ACCESS, "user", RESET_PASSWORD),
        _below(access.WRITE_PROPERTY, "user", "lockoutTime"),
        _below(access.WRITE_PROPERTY, "user", "pwdLastSet"),
        _here(UNEXPIRE_PASSWORD),
    ),
    "HybridExchange": tuple(_below(_READ_WRITE, kind) for kind in _WRITE_CLASSES),
    "ExchangePublicFolders": (_below(access.READ_PROPERTY, "publicFolder"),),
    "UserGroupCreateDelete": (
        *(_below(_READ_WRITE, kind) for kind in ("user", "group")),
        *(Right(_CHILDREN, kind, flags=CONTAINER_INHERIT) for kind in ("user", "group")),
    ),
    "GroupWriteback": (
        _below(_READ_WRITE | access.DELETE | access.DELETE_TREE, "group"),
        Right(_CHILDREN, "group", flags=CONTAINER_INHERIT),
    ),
}


def set_names() -> tuple[str, ...]:
    """All sets, the ones most agents need first."""
    return tuple(SETS)


def find_set(name: str) -> str | None:
    """The set of this name, whatever its case."""
    return next((known for known in SETS if known.lower() == name.lower()), None)
