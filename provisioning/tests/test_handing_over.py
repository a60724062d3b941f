"""An account that moves from one configuration into another of the same target stays who it is there."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from directory.models import Group, Membership, User
from provisioning.models import Link, ProvisioningLogEntry
from provisioning.services import ingest, planning
from provisioning.services.hints import Hint, Step
from provisioning.services.phases import Phase
from provisioning.tests.answering import Bench, group, guid_of, run_to_end, tombstone, user
from provisioning.tests.test_neighbours import another, cycle
from provisioning.tests.test_primary_groups import beside

pytestmark = pytest.mark.django_db(transaction=True)


def child(_main: Bench) -> Bench:
    """Another domain of the forest: a move there keeps the objectGUID (MS-ADTS §3.1.1.5.4)."""
    return another("child")


@pytest.fixture
def main() -> Bench:
    """Where the account is at first."""
    return Bench.set_up()


def there() -> list[tuple[str, UUID]]:
    """Names and ids of the users in the target."""
    return [(str(one.display_name), one.pk) for one in User.objects.filter(deleted_at__isnull=True)]


def is_member() -> bool:
    """Whether the one group has the one member, in the target."""
    return Membership.objects.filter(group__display_name="team").exists()


@pytest.mark.parametrize("neighbour", [child, beside])
@pytest.mark.parametrize("left", ["deleted", "outOfScope"])
def test_one_who_moves_stays_and_may_come_back(
    main: Bench, neighbour: Callable[[Bench], Bench], left: str
) -> None:
    other = neighbour(main)
    ada = user("ada")
    cycle(main, ada, group("team", [guid_of(ada)]))
    before = there()
    cycle(other, ada)
    cycle(main, tombstone(ada, left))
    assert (there(), is_member()) == (before, True)
    assert Link.objects.filter(source__guid=ada["id"]).get().configuration_id == other.configuration.pk
    entry = ProvisioningLogEntry.objects.filter(source_guid=ada["id"]).latest("id")
    assert (entry.action, entry.status) == ("Other", "Skipped")
    assert "stays in the target" in entry.detail

    cycle(main, ada)
    cycle(other, tombstone(ada, left))
    assert (there(), is_member()) == (before, True)
    cycle(main, tombstone(ada))
    assert there() == []


def test_a_group_that_moves_keeps_its_members_and_loses_those_it_has_not(main: Bench) -> None:
    other = child(main)
    ada, bob = user("ada"), user("bob")
    team = group("team", [guid_of(ada), guid_of(bob)])
    cycle(main, ada, bob, team)
    cycle(other, group("team", [guid_of(ada)], guid_of(team)))
    cycle(main, tombstone(team))
    cycle(other)
    assert Group.objects.filter(deleted_at__isnull=True).count() == 1
    names = User.objects.filter(pk__in=Membership.objects.values("member_id")).values_list(
        "display_name", flat=True
    )
    assert list(names) == ["ada"]


def test_one_who_is_taken_between_plan_and_deletion_stays(main: Bench) -> None:
    other = child(main)
    ada = user("ada")
    cycle(main, ada)
    begun = main.begin()
    main.answer([tombstone(ada)], mode="delta")
    hints = planned(begun.pk)
    cycle(other, ada)
    run_to_end(hints)
    assert [name for name, _ in there()] == ["ada"]
    assert Link.objects.get().configuration_id == other.configuration.pk
    assert main.cycle([]).count_planned == 0


def planned(cycle_id: int) -> list[Hint]:
    """Run a cycle until its deletions are about to be written."""
    assert ingest.ingest(cycle_id) == [Hint(Step.PLAN, cycle_id)]
    hints = planning.plan(cycle_id)
    assert [(one.step, one.phase) for one in hints] == [(Step.EXPORT, Phase.DELETIONS)]
    return hints
