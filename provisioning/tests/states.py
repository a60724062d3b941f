"""Made-up states of an Active Directory: as hypothesis draws them, as an agent tells them, as the target should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from hypothesis import strategies as st

from agents.models import Agent, BusPage, BusRequest, Domain, ResourceGrouping
from directory.models import Contact, Group, MemberSet, Membership, User
from provisioning.models import (
    Arrival,
    Change,
    Configuration,
    Cycle,
    Escrow,
    ForeignPrincipal,
    GroupFill,
    Job,
    Link,
    LinkMemberSet,
    MemberChange,
    MissingReference,
    Notification,
    SeenObject,
    SourceMemberSet,
    SourceObject,
)
from provisioning.tests.answering import Resource, group, membership_change, tombstone, user

PEOPLE = ("ada", "bob", "eve", "dan")
GROUPS = ("red", "blue")
GUIDS = {name: UUID(int=number) for number, name in enumerate((*PEOPLE, *GROUPS), start=1)}
_TABLES = (
    *(Agent, BusPage, BusRequest, Domain, ResourceGrouping, Contact, Group, MemberSet, User),
    *(Change, Configuration, Cycle, Escrow, Job, Link, LinkMemberSet, MemberChange, Notification),
    *(Arrival, ForeignPrincipal, GroupFill, MissingReference, SeenObject, SourceMemberSet, SourceObject),
)


@dataclass(frozen=True, slots=True)
class Person:
    """What AD has of a person; a manager may be somebody who is not there."""

    department: str | None
    is_disabled: bool
    manager: str | None


State = Mapping[str, Person | frozenset[str]]
"""People, and groups as the names of their members, who need not be there."""

_PERSON = st.builds(
    Person, st.sampled_from([None, "Sales", "R&D"]), st.booleans(), st.none() | st.sampled_from(PEOPLE)
)
_MEMBERS = st.frozensets(st.sampled_from([*PEOPLE, *GROUPS]))
STATES: st.SearchStrategy[State] = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(PEOPLE, _PERSON), **dict.fromkeys(GROUPS, _MEMBERS)}
)


def empty_the_database() -> None:
    """Between two examples of a property."""
    names = ", ".join(f'"{model._meta.db_table}"' for model in _TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} CASCADE")


def told_whole(state: State) -> list[Resource]:
    """A full read of the state."""
    return [_resource(name, one) for name, one in state.items()]


def told_as_delta(before: State, after: State) -> list[Resource]:
    """What changed between two states, as a delta tells it."""
    gone = [tombstone(_resource(name, one)) for name, one in before.items() if name not in after]
    changed = [
        _changed(name, before.get(name), one) for name, one in after.items() if before.get(name) != one
    ]
    return [*gone, *changed]


def wanted(state: State) -> dict[str, Any]:
    """What the target should hold for a state."""
    people = {name for name in PEOPLE if name in state}
    found: dict[str, Any] = {}
    for name, one in state.items():
        if isinstance(one, Person):
            manager = one.manager if one.manager in people else None
            found[name] = (one.department, not one.is_disabled, manager)
        else:
            found[name] = sorted(member for member in one if member in state)
    return found


def held() -> dict[str, Any]:
    """What the target does hold, in the same shape."""
    people = list(User.objects.filter(deleted_at__isnull=True))
    groups = list(Group.objects.filter(deleted_at__isnull=True))
    names = {one.pk: str(one.display_name) for one in people}
    names |= {one.pk: str(one.display_name) for one in groups}
    found: dict[str, Any] = {
        str(one.display_name): (
            one.attributes.get("Department"),
            one.attributes["AccountEnabled"],
            names.get(one.manager_id) if one.manager_id else None,
        )
        for one in people
    }
    for one in groups:
        members = Membership.objects.filter(group=one).values_list("member_id", flat=True)
        found[str(one.display_name)] = sorted(names[member] for member in members)
    return found


def _resource(name: str, one: Person | frozenset[str]) -> Resource:
    if not isinstance(one, Person):
        return group(name, [GUIDS[member] for member in sorted(one)], GUIDS[name])
    manager = {"value": str(GUIDS[one.manager]), "display": f"CN={one.manager}"} if one.manager else None
    return user(
        name, GUIDS[name], department=one.department, accountDisabled=one.is_disabled, manager=manager
    )


def _changed(name: str, before: Person | frozenset[str] | None, after: Person | frozenset[str]) -> Resource:
    whole = _resource(name, after)
    if isinstance(after, Person) or before is None or isinstance(before, Person):
        return whole
    added, removed = sorted(after - before), sorted(before - after)
    return membership_change(whole, [GUIDS[one] for one in added], [GUIDS[one] for one in removed])
