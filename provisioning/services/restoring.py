"""Restoring one object of the built-in directory by hand, with the memberships that its deletion took along.

The link stays as it is: whether cycles take the object up again is for its source to say. What was taken along is put
back in the directory alone, so that no later plan takes it for its own and ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from directory.models.membership import MemberKind
from directory.services import relations
from directory.services import restoring as directory_restoring
from directory.services.rows import MANAGED, MODEL_OF, MembershipWrite
from provisioning.engine.aftermath import Aftermath, after_restore
from provisioning.engine.plan import DELETE, LinkStanding, allowed_flows
from provisioning.errors import ERRORS
from provisioning.models import Configuration, Link, ObjectType
from provisioning.services import reading
from provisioning.store import traces

_KIND_OF: Final = {one: MemberKind(int(one)) for one in ObjectType}


class RestoreRefused(Exception):
    """The object can not be restored; carries a stable code."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail or ERRORS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it."""

    aftermath: Aftermath
    memberships: int


def restore(object_type: ObjectType, object_id: UUID, now: datetime) -> Restored:
    """Bring the object back from the bin; raises :class:`RestoreRefused`."""
    with transaction.atomic():
        result = directory_restoring.restore(_KIND_OF[object_type], object_id, now)
        if result.error_code:
            raise RestoreRefused(result.error_code, result.detail)
        link = _link_of(object_id)
        brought = _bring_along(link, now) if link is not None else 0
    return Restored(outlook(object_id), brought)


def outlook(object_id: UUID) -> Aftermath:
    """What cycles would do with the object once it is restored."""
    link = _link_of(object_id)
    if link is None:
        return after_restore(LinkStanding.NONE, is_wanted=False, may_be_deleted=False)
    source = link.source
    flows = allowed_flows(
        reading.of(link.configuration).flows(source.object_type),
        gone_reason=source.gone_reason,
        skips_out_of_scope_deletions=link.configuration.skip_out_of_scope_deletions,
    )
    return after_restore(
        LinkStanding(link.state),
        is_wanted=source.in_scope and not source.is_gone,
        may_be_deleted=DELETE in flows,
    )


def _link_of(object_id: UUID) -> Link | None:
    # The index begins with the configuration, so the query names them all. One that is in use goes first.
    linked = Link.objects.filter(
        configuration__in=list(Configuration.objects.values_list("pk", flat=True)), target_id=str(object_id)
    )
    return linked.select_related("source", "configuration").order_by("state").first()


def _bring_along(link: Link, now: datetime) -> int:
    """Memberships and reports that ended with the object, where the other end is there."""
    cycle = traces.last_deletion(link.source_id)
    if cycle is None:
        return 0
    memberships = [
        MembershipWrite(key, True, UUID(group), UUID(member), _KIND_OF[ObjectType(kind)])
        for key, (group, member, kind) in enumerate(traces.memberships(cycle, link.source_id))
    ]
    relations.change_members(memberships)
    reports = traces.reports(cycle, link.source_id, "Manager")
    for kind in MANAGED:
        ids = [UUID(target) for target, object_type in reports if object_type == kind]
        # Who was given another manager in the cloud keeps that one.
        free = MODEL_OF[kind]._default_manager.filter(pk__in=ids, manager_id__isnull=True)
        relations.set_managers(kind, [(one.pk, UUID(link.target_id)) for one in free.only("pk")], now)
    return len(memberships)
