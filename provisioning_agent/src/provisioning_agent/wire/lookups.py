"""Single objects asked for by name: how they are named, and what an agent says of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

# Objects that one request may name, and the length of a name in characters; no directory has longer ones.
MAX_OBJECTS: Final = 10
MAX_NAME: Final = 4_096


class LookupStatus(StrEnum):
    """What became of one name."""

    FOUND = "found"
    DELETED = "deleted"
    NOT_FOUND = "notFound"
    AMBIGUOUS = "ambiguous"
    NOT_READ = "notRead"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One name and the object it stands for; ``in_scope`` is whether the containers and groups of the request
    hold it.

    ``NOT_READ`` is an object of a type that was not asked for, or one that is never read (a computer, a critical
    system object).
    """

    name: str
    status: LookupStatus
    guid: str = ""
    dn: str = ""
    object_type: str = ""
    in_scope: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As it stands in an answer page."""
        return {
            "name": self.name,
            "status": self.status.value,
            "id": self.guid,
            "distinguishedName": self.dn,
            "objectType": self.object_type,
            "inScope": self.in_scope,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Lookup:
        """From a page that was checked."""
        return cls(
            value["name"],
            LookupStatus(value["status"]),
            value["id"],
            value["distinguishedName"],
            value["objectType"],
            value["inScope"],
        )


def is_lookup(value: object) -> bool:
    """Whether a decoded value has the shape of a lookup."""
    if not isinstance(value, dict) or type(value.get("inScope")) is not bool:
        return False
    texts = (value.get(key) for key in ("name", "status", "id", "distinguishedName", "objectType"))
    return all(isinstance(text, str) for text in texts) and value["status"] in list(LookupStatus)


def is_name(value: object) -> bool:
    """Whether a decoded value can name an object."""
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and "\0" not in value
