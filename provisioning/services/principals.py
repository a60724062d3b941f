"""Foreign security principals of a group, for people: whom each stands for, or why it leads to nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from provisioning.engine import principals
from provisioning.engine.principals import SENTENCES, Standing
from provisioning.models import Configuration, ForeignPrincipal, LinkState, SourceMember, SourceObject
from provisioning.store import foreign


@dataclass(frozen=True, slots=True)
class Principal:
    """One of them. ``name`` is the distinguished name of whom it stands for, or what a well-known SID is called."""

    guid: UUID
    sid: str
    name: str
    standing: Standing
    source_id: int | None
    target_id: str | None

    @property
    def sentence(self) -> str:
        """What that means, and what to do."""
        return SENTENCES[self.standing]


def of_groups(groups: Collection[int]) -> QuerySet[ForeignPrincipal]:
    """Those in source groups, by their ids."""
    members = SourceMember.objects.filter(group_id__in=groups).values("member_guid")
    homes = SourceObject.objects.filter(pk__in=groups).values("configuration_id")
    return ForeignPrincipal.objects.filter(configuration__in=homes, guid__in=members).order_by("id")


def unlinked(found: QuerySet[ForeignPrincipal]) -> QuerySet[ForeignPrincipal]:
    """Those of them that lead to nobody in the target."""
    linked = SourceObject.objects.filter(
        sid=OuterRef("object_sid"),
        configuration__target_id=OuterRef("configuration__target_id"),
        link__state=LinkState.ACTIVE,
    )
    return found.exclude(Exists(linked))


def described(found: Iterable[ForeignPrincipal]) -> list[Principal]:
    """Each with whom it stands for, in two queries."""
    rows = list(found)
    whom = foreign.whom([row.pk for row in rows])
    domains = {(row.configuration_id, principals.domain_of(row.sid)) for row in rows}
    connected = _connected({sid for _, sid in domains if sid}, {key for key, _ in domains})
    return [_one(row, whom.get(row.pk), connected) for row in rows]


def _connected(sids: set[str], configurations: set[UUID]) -> set[tuple[UUID, str]]:
    """Which of these domains have a configuration to the target of which of these configurations."""
    targets = dict(Configuration.objects.filter(pk__in=configurations).values_list("pk", "target_id"))
    there = set(
        Configuration.objects.filter(domain__sid__in=sids, target__in=targets.values()).values_list(
            "target_id", "domain__sid"
        )
    )
    return {(key, sid) for key, target in targets.items() for sid in sids if (target, sid) in there}


def _one(row: ForeignPrincipal, whom: foreign.Whom | None, connected: set[tuple[UUID, str]]) -> Principal:
    domain = principals.domain_of(row.sid) or ""
    standing = principals.standing(
        row.sid,
        is_connected=(row.configuration_id, domain) in connected,
        is_known=whom is not None,
        is_linked=whom is not None and whom.target_id is not None,
    )
    name = whom.dn if whom else principals.well_known_name(row.sid) or ""
    return Principal(
        row.guid, row.sid, name, standing, whom.source_id if whom else None, whom.target_id if whom else None
    )
