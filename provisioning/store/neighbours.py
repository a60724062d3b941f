"""Members and managers from elsewhere: from other domains of the forest, from other forests, from another
configuration of the same domain, where these are synchronized to the same target.

References resolve by objectGUID over all configurations of the forest, foreign security principals by SID over those of
the target. Who arrives in one of them may be a member of a group of another: that group is put on a list, which the
other's next plan takes. A list and not the group's mark: a cycle under way there would clear the mark without having
looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from provisioning.models import Configuration, NestedGroups
from provisioning.store import foreign, member_sets, nested_groups
from provisioning.store.sorting_in import SOURCE_MEMBERS, sort_in

_TELL = f"""
INSERT INTO provisioning_arrival (configuration_id, group_id)
SELECT DISTINCT g.configuration_id, g.id
  FROM provisioning_change c
  JOIN provisioning_sourceobject o ON o.id = c.source_id
  {member_sets.holders("o.guid")}
  JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id = ANY(%(others)s)
 WHERE c.cycle_id = %(cycle)s AND c.kind IN ('create', 'restore') AND c.status = 'applied'
"""  # noqa: S608 — built from constants only
_TELL_ABROAD = f"""
INSERT INTO provisioning_arrival (configuration_id, group_id)
SELECT DISTINCT f.configuration_id, g.id
  FROM provisioning_foreignprincipal f
  JOIN provisioning_configuration other ON other.id = f.configuration_id AND other.target_id = %(target)s
  JOIN provisioning_sourceobject o ON o.sid = f.object_sid AND o.configuration_id = %(configuration)s
  JOIN provisioning_change c ON c.source_id = o.id AND c.cycle_id = %(cycle)s
   AND c.kind IN ('create', 'restore') AND c.status = 'applied'
  {member_sets.holders("f.guid")}
  JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id = f.configuration_id
"""  # noqa: S608 — built from constants only
# A derived membership (primary group) was written by who has listed the group.
_TAKE = """
WITH told AS (DELETE FROM provisioning_arrival WHERE configuration_id = %(configuration)s RETURNING group_id)
UPDATE provisioning_sourceobject g
   SET members_dirty = true,
       has_primary_members = g.has_primary_members OR EXISTS (
           SELECT 1 FROM provisioning_sourcememberset s WHERE s.group_id = g.id AND s.is_primary)
  FROM (SELECT DISTINCT group_id FROM told) t WHERE g.id = t.group_id
"""


@dataclass(frozen=True, slots=True)
class Homes:
    """Where members are found beside the configuration itself; ``foreign`` if some are so by principals."""

    others: list[UUID]
    foreign: bool


def of(configuration: Configuration) -> list[UUID]:
    """The other configurations of its forest that write to the same target."""
    same = Configuration.objects.filter(
        target_id=configuration.target_id, domain__forest__iexact=configuration.domain.forest
    )
    return list(same.exclude(pk=configuration.pk).values_list("pk", flat=True))


def of_domain(configuration: Configuration) -> list[UUID]:
    """Those of them that are of the same domain."""
    same = Configuration.objects.filter(target_id=configuration.target_id, domain_id=configuration.domain_id)
    return list(same.exclude(pk=configuration.pk).values_list("pk", flat=True))


def of_members(configuration: Configuration, others: list[UUID], *, flattens: bool) -> Homes:
    """Where the members of its groups may be, and where it flattens the members of these, in turn.

    ``others`` are those of its forest.
    """
    waiting = [configuration.pk, *others] if flattens else [configuration.pk]
    if not foreign.exist(waiting):
        return Homes(others, False)
    found = {configuration.pk, *others}
    while waiting:
        led = foreign.lead_to(waiting, configuration.target_id) - found
        if flattens:
            abroad = Configuration.objects.filter(pk__in=led).select_related("domain")
            led = led.union(*map(of, abroad)) - found
        found |= led
        waiting = list(led) if flattens else []
    return Homes([one for one in found if one != configuration.pk], True)


def tell_changes(configuration: Configuration, cycle: int, others: list[UUID]) -> None:
    """Once a cycle has read: list the groups of others that flatten one whose members have changed."""
    told, through = _flattening(configuration, others)
    if told:
        abroad = foreign.exist(through)
        nested_groups.tell_changed(configuration.pk, cycle, through, told, foreign=abroad)


def tell_arrivals(configuration: Configuration, cycle: int, others: list[UUID]) -> None:
    """Once the objects of a cycle are written: list the groups of others that hold what is new."""
    target = configuration.target_id
    abroad = foreign.exist_beside(configuration.pk, target)
    parameters: dict[str, Any] = {"cycle": cycle, "configuration": configuration.pk, "target": target}
    if others or abroad:
        sort_in(SOURCE_MEMBERS)
    with connection.cursor() as cursor:
        if others:
            cursor.execute(_TELL, {**parameters, "others": others})
        if abroad:
            cursor.execute(_TELL_ABROAD, parameters)
    told, through = _flattening(configuration, others)
    if told:
        nested_groups.tell_joined(configuration.pk, cycle, through, told, foreign=abroad)


def take_arrivals(configuration: UUID) -> None:
    """Mark the groups that others have listed."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"configuration": configuration})


def _flattening(configuration: Configuration, others: list[UUID]) -> tuple[list[UUID], list[UUID]]:
    """The configurations of its target that flatten, and all of them; none where nothing of its own can be in them."""
    if not others and not foreign.exist_beside(configuration.pk, configuration.target_id):
        return [], []
    beside = Configuration.objects.filter(target_id=configuration.target_id).exclude(pk=configuration.pk)
    ways = dict(beside.values_list("pk", "nested_groups"))
    return [key for key, way in ways.items() if way == NestedGroups.FLATTEN], list(ways)
