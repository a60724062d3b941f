"""Memberships of the cloud directory, in both directions, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Model, QuerySet
from django.db.models.functions import Lower

from directory.models import Contact, DirectoryObject, Group, MemberSet, Membership, User
from directory.models.membership import MemberKind
from portal.console import links
from provisioning.models import ForeignPrincipal
from provisioning.services import principals

_MODELS: Mapping[int, type[Model]] = {
    MemberKind.USER: User,
    MemberKind.GROUP: Group,
    MemberKind.CONTACT: Contact,
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a group; ``name`` is empty when the object is no longer there."""

    id: UUID
    kind: str
    view: str
    name: str
    address: str


def memberships_of(group: Group) -> QuerySet[Membership]:
    """The group's members in the order of their ids, read as a whole: some tens of milliseconds for 150 000."""
    return Membership.objects.filter(group=group).order_by("member_id")


def foreign_of(group: Group) -> QuerySet[ForeignPrincipal]:
    """Foreign security principals that are members of the group in Active Directory."""
    return principals.of_groups(links.source_ids(group.pk))


def groups_of(obj: DirectoryObject) -> QuerySet[Group]:
    """The groups that an object is a direct member of."""
    ids = MemberSet.objects.filter(members__contains=[obj.pk]).values("group_id")
    return (
        Group.objects.filter(pk__in=ids, deleted_at__isnull=True)
        .defer("attributes")
        .order_by(Lower("display_name"), "id")
    )


def manager_of(obj: DirectoryObject) -> User | None:
    """The manager of a user or contact."""
    manager_id = getattr(obj, "manager_id", None)
    return User.objects.filter(pk=manager_id).defer("attributes").first() if manager_id else None


def described(memberships: Iterable[Membership]) -> list[Member]:
    """Members with their names, in one query for each kind on the page."""
    listed = list(memberships)
    found = {kind: _objects(kind, listed) for kind in {row.member_kind for row in listed}}
    return [_member(row, found[row.member_kind].get(row.member_id)) for row in listed]


def _objects(kind: int, memberships: list[Membership]) -> Mapping[UUID, Model]:
    ids = [row.member_id for row in memberships if row.member_kind == kind]
    return _MODELS[kind]._default_manager.defer("attributes").in_bulk(ids)


def _member(row: Membership, obj: Model | None) -> Member:
    kind = MemberKind(row.member_kind)
    return Member(
        id=row.member_id,
        kind=str(kind.label).lower(),
        view=f"admin:directory_{kind.name.lower()}_change",
        name=str(getattr(obj, "display_name", None) or obj or ""),
        address=str(getattr(obj, "user_principal_name", None) or getattr(obj, "mail", None) or ""),
    )
