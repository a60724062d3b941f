"""What agents are asked, and what an answer that is stored does not tell of another question."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.engine.names import Path, lies_in

Paths = Callable[[Iterable[str]], Mapping[str, Path]]
"""Where containers are, by objectGUID; those of which it is not known for certain are left out."""


@dataclass(frozen=True, slots=True)
class Question:
    """Attributes by object type, and the containers and groups of the scope by objectGUID."""

    attributes: Mapping[str, tuple[str, ...]]
    containers: tuple[str, ...]
    groups: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        attributes = {name: list(one) for name, one in self.attributes.items()}
        return {"attributes": attributes, "containers": list(self.containers), "groups": list(self.groups)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Question | None:
        """The stored question, None where there is none."""
        if not stored:
            return None
        attributes = {name: tuple(one) for name, one in stored["attributes"].items()}
        return cls(attributes, tuple(stored["containers"]), tuple(stored["groups"]))


def gaps(answered: Question, needed: Question, paths: Paths) -> list[str]:
    """Why what answers one question does not answer another, each a sentence; empty where it does."""
    return [*_unread(answered, needed), *_outside(answered, needed, paths)]


def narrows(answered: Question, needed: Question) -> bool:
    """Whether the containers are others, so that what is stored has to be looked through."""
    return bool(needed.containers) and set(needed.containers) != set(answered.containers)


def _unread(answered: Question, needed: Question) -> list[str]:
    told = []
    for name, wanted in needed.attributes.items():
        if name not in answered.attributes:
            told.append(f"Objects of the type {name} were not read so far.")
            continue
        known = {attribute.lower() for attribute in answered.attributes[name]}
        if missing := sorted(attribute for attribute in wanted if attribute.lower() not in known):
            told.append(f"Attributes of {name} that were not read so far: {', '.join(missing)}.")
    return told


def _outside(answered: Question, needed: Question, paths: Paths) -> list[str]:
    told = []
    if set(answered.groups) != set(needed.groups):
        told.append("Groups of the scope differ: who comes and goes with them only Active Directory tells.")
    if narrows(answered, needed):
        told += _uncovered(answered.containers, needed.containers, paths)
    elif answered.containers and not needed.containers:
        told.append(
            "The whole domain comes into the scope: what lies outside its containers was not read so far."
        )
    return told


def _uncovered(answered: tuple[str, ...], needed: tuple[str, ...], paths: Paths) -> list[str]:
    found = paths((*answered, *needed))
    told = []
    for guid in needed:
        if guid not in found:
            told.append(f"Who is in the container {guid} is not known before everything is read.")
        elif answered and not any(lies_in(found[guid], found[one]) for one in answered if one in found):
            told.append(f"The container {guid} was not read so far.")
    return told
