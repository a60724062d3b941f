"""What a held cycle would take away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet

from provisioning.models import (
    Change,
    ChangeKind,
    Cycle,
    CycleStep,
    Job,
    Link,
    MemberChange,
    ObjectType,
    SourceObject,
)

REMOVING = (ChangeKind.DELETE, ChangeKind.DISABLE)


@dataclass(frozen=True, slots=True)
class Removal:
    """One object that would be deleted or disabled."""

    kind: str
    kind_label: str
    object_type: str
    name: str
    guid: UUID | None
    dn: str
    reason: str
    target_id: str


@dataclass(frozen=True, slots=True)
class MembershipRemoval:
    """One membership that would end; both ends by distinguished name."""

    group: str
    group_guid: UUID | None
    member: str
    member_guid: UUID | None


@dataclass(frozen=True, slots=True)
class RemovalCounts:
    """How many objects of which kind would go."""

    deletions: int
    disables: int
    memberships: int

    @property
    def total(self) -> int:
        """Both together, as the threshold counts them."""
        return self.deletions + self.disables


def held_cycle(job: Job) -> Cycle | None:
    """The cycle of this job that waits for a decision."""
    return Cycle.objects.filter(job=job, step=CycleStep.HELD).order_by("-id").first()


def of_cycle(cycle: Cycle) -> QuerySet[Change]:
    """The removals planned by a cycle."""
    return Change.objects.filter(cycle=cycle, kind__in=REMOVING).order_by("object_type", "id")


def counts(cycle: Cycle) -> RemovalCounts:
    """How many removals a cycle planned."""
    found = dict(of_cycle(cycle).order_by().values_list("kind").annotate(Count("id")))
    return RemovalCounts(
        found.get(ChangeKind.DELETE.value, 0),
        found.get(ChangeKind.DISABLE.value, 0),
        memberships_of(cycle).count(),
    )


def memberships_of(cycle: Cycle) -> QuerySet[MemberChange]:
    """The memberships that a cycle would end."""
    return MemberChange.objects.filter(cycle=cycle, is_addition=False).order_by("id")


def described_memberships(changes: Iterable[MemberChange]) -> list[MembershipRemoval]:
    """Memberships with the names of both ends, in one query for a page."""
    listed = list(changes)
    ids = {one.group_id for one in listed} | {one.member_id for one in listed}
    known = SourceObject.objects.only("id", "guid", "dn").in_bulk(ids)
    return [_membership(known.get(one.group_id), known.get(one.member_id)) for one in listed]


def described(changes: Iterable[Change]) -> list[Removal]:
    """Changes with the names of their objects, in two queries for a page."""
    listed = list(changes)
    ids = {change.source_id for change in listed}
    sources = SourceObject.objects.only("id", "guid", "dn", "gone_reason").in_bulk(ids)
    links = Link.objects.only("source_id", "target_id", "exported").in_bulk(ids)
    return [_removal(change, sources.get(change.source_id), links.get(change.source_id)) for change in listed]


def _membership(group: SourceObject | None, member: SourceObject | None) -> MembershipRemoval:
    return MembershipRemoval(
        group=group.dn if group else "",
        group_guid=group.guid if group else None,
        member=member.dn if member else "",
        member_guid=member.guid if member else None,
    )


def _removal(change: Change, source: SourceObject | None, link: Link | None) -> Removal:
    exported = link.exported if link else change.old
    dn = source.dn if source else ""
    return Removal(
        kind=change.kind,
        kind_label=ChangeKind(change.kind).label,
        object_type=ObjectType(change.object_type).label,
        name=str(exported.get("UserPrincipalName") or exported.get("DisplayName") or dn or change.source_id),
        guid=source.guid if source else None,
        dn=dn,
        reason=source.gone_reason if source else "",
        target_id=link.target_id if link else "",
    )
