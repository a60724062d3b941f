"""What a scope can be limited to, by the names people know: containers and security groups."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from provisioning.models import Configuration, ObjectType, ScopeKind, ScopeName, SourceObject
from provisioning.services import lookups
from provisioning.store import scope_names

_GROUP: Final = "group"
_FILTERS: Final = (("containerFilter", "includedContainers"), ("groupFilter", "includedGroups"))


@dataclass(frozen=True, slots=True)
class Place:
    """A container or group; ``dn`` is empty for one that nobody has told of."""

    guid: str
    kind: ScopeKind
    dn: str


def names_of(configuration: Configuration, guids: Iterable[str]) -> dict[str, str]:
    """The DNs, by objectGUID in lower case, of those containers and groups that are known."""
    wanted = list(_valid(guids))
    names = ScopeName.objects.filter(configuration=configuration, guid__in=wanted)
    groups = _groups(configuration).filter(guid__in=wanted)
    rows = [*groups.values_list("guid", "dn"), *names.values_list("guid", "dn")]
    return {str(guid): dn for guid, dn in rows}


def search(configuration: Configuration, text: str, limit: int) -> list[Place]:
    """Containers, then groups, with this text in their DN."""
    names = ScopeName.objects.filter(
        configuration=configuration, kind=ScopeKind.CONTAINER, dn__icontains=text
    )
    groups = _groups(configuration).filter(dn__icontains=text)
    places = [Place(str(guid), ScopeKind.CONTAINER, dn) for guid, dn in _first(names, limit)]
    return [*places, *(Place(str(guid), ScopeKind.GROUP, dn) for guid, dn in _first(groups, limit))]


def find(configuration: Configuration, text: str, limit: int, now: datetime) -> list[Place]:
    """:func:`search`; where nothing is found, a whole DN or an objectGUID is looked up as :func:`identify` does."""
    found = search(configuration, text, limit)
    is_whole = "=" in text or next(_valid([text]), None) is not None
    return found if found or not is_whole else [identify(configuration, text, now)]


def identify(configuration: Configuration, name: str, now: datetime) -> Place:
    """The container or group with this DN or objectGUID; agents are asked for one that is not known.

    Raises :class:`lookups.LookupRefused`. Not within a transaction.
    """
    known = _known(configuration, name)
    if known is not None:
        return known
    found = lookups.identify(configuration, name, now)
    if found.object_type not in ("", _GROUP):
        raise lookups.LookupRefused("ScopeObjectUnsuitable")
    kind = ScopeKind.GROUP if found.object_type == _GROUP else ScopeKind.CONTAINER
    scope_names.remember(configuration.pk, found.guid, kind, found.dn)
    return Place(found.guid, kind, found.dn)


def resolved(configuration: Configuration, document: Any) -> Any:
    """A schema document with the objectGUIDs of the containers and groups that it names by DN, where known."""
    names = {name for _, name in _named(document) if "=" in name}
    guids = {name: place.guid for name in names if (place := _known(configuration, name)) is not None}
    if not guids:
        return document
    document = copy.deepcopy(document)
    for included, _ in _named(document):
        included[:] = [guids.get(one, one) if isinstance(one, str) else one for one in included]
    return document


def unknown(configuration: Configuration, guids: Iterable[str]) -> list[str]:
    """Those of which nothing is known."""
    guids = list(guids)
    known = names_of(configuration, guids)
    return [guid for guid in guids if guid not in known]


def _named(document: Any) -> Iterator[tuple[list[Any], str]]:
    """Each name in a document's filters, with the list it stands in; a document may be any JSON."""
    rules = document.get("synchronizationRules") if isinstance(document, dict) else None
    for rule in rules if isinstance(rules, list) else ():
        for filter_name, list_name in _FILTERS:
            found = rule.get(filter_name) if isinstance(rule, dict) else None
            included = found.get(list_name) if isinstance(found, dict) else None
            if isinstance(included, list):
                yield from ((included, one) for one in list(included) if isinstance(one, str))


def _known(configuration: Configuration, name: str) -> Place | None:
    """By objectGUID or DN."""
    guid = next(_valid([name]), None)
    by = {"guid": guid} if guid else {"dn__iexact": name.strip()}
    place = ScopeName.objects.filter(configuration=configuration, **by).first()
    if place is not None:
        return Place(str(place.guid), ScopeKind(place.kind), place.dn)
    group = _groups(configuration).filter(**by).first()
    return Place(str(group.guid), ScopeKind.GROUP, group.dn) if group is not None else None


def _groups(configuration: Configuration) -> QuerySet[SourceObject]:
    # By the index on the SIDs of groups; every group has one.
    groups = SourceObject.objects.filter(configuration=configuration, object_type=ObjectType.GROUP)
    return groups.filter(sid__isnull=False, is_gone=False).only("guid", "dn")


def _first(found: QuerySet[Any], limit: int) -> list[tuple[UUID, str]]:
    return list(found.order_by("dn").values_list("guid", "dn")[:limit])


def _valid(guids: Iterable[str]) -> Iterator[str]:
    for guid in guids:
        try:
            yield str(UUID(guid.strip()))
        except ValueError:
            continue
