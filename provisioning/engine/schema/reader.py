"""Typed access to one JSON object of a document, with the path in every complaint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from provisioning.engine.errors import SchemaError

E = TypeVar("E", bound=StrEnum)


class Reader:
    """One JSON object at a path; every property that exists must be asked for by name."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise SchemaError(path, "an object is needed here.")
        self.value: Mapping[str, object] = value
        self.path = path

    def at(self, name: str) -> str:
        """The path of a property."""
        return f"{self.path}.{name}" if self.path else name

    def only(self, *names: str) -> None:
        """Refuse properties that mean nothing here; OData annotations are let through."""
        for name in self.value:
            if name not in names and "@" not in name:
                raise SchemaError(self.at(name), "there is no such property here.")

    def text(self, name: str) -> str:
        """A text that must be there and not be empty."""
        found = self.optional_text(name)
        if not found:
            raise SchemaError(self.at(name), "a text is needed here.")
        return found

    def optional_text(self, name: str) -> str | None:
        """A text, or None where it is null or missing."""
        found = self.value.get(name)
        if found is not None and not isinstance(found, str):
            raise SchemaError(self.at(name), "a text or null is needed here.")
        return found

    def flag(self, name: str, default: bool) -> bool:
        """True or false, the default where it is null or missing."""
        found = self.value.get(name)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise SchemaError(self.at(name), "true or false is needed here.")
        return found

    def number(self, name: str, default: int) -> int:
        """A whole number, the default where it is null or missing."""
        found = self.value.get(name)
        if found is None:
            return default
        if not isinstance(found, int) or isinstance(found, bool):
            raise SchemaError(self.at(name), "a whole number is needed here.")
        return found

    def choice(self, name: str, kind: type[E], default: E) -> E:
        """A member of an enumeration in any case, the default where it is null or missing."""
        found = self.optional_text(name)
        if found is None:
            return default
        for member in kind:
            if member.value.lower() == found.lower():
                return member
        allowed = ", ".join(member.value for member in kind)
        raise SchemaError(self.at(name), f"one of {allowed} is needed here.")

    def objects(self, name: str) -> Iterator[Reader]:
        """The objects of a list that may be missing or null."""
        for index, each in enumerate(self._list(name)):
            yield Reader(each, f"{self.at(name)}[{index}]")

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of a list that may be missing or null."""
        found = self._list(name)
        for index, each in enumerate(found):
            if not isinstance(each, str):
                raise SchemaError(f"{self.at(name)}[{index}]", "a text is needed here.")
        return tuple(str(each) for each in found)

    def optional_object(self, name: str) -> Reader | None:
        """An object, or None where it is null or missing."""
        found = self.value.get(name)
        return None if found is None else Reader(found, self.at(name))

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """A list of {key, value} as pairs of texts."""
        return tuple((each.text("key"), each.optional_text("value") or "") for each in self.objects(name))

    def _list(self, name: str) -> list[object]:
        found = self.value.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            raise SchemaError(self.at(name), "a list is needed here.")
        return found
