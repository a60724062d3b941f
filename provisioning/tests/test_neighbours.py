"""Members and managers from another domain of the forest."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from agents.models import Agent, AgentState, Domain, ResourceGrouping
from directory.models import Membership, User
from provisioning.models import Arrival, Job, Target
from provisioning.services import configurations, jobs
from provisioning.tests.answering import Bench, group, guid_of, membership_change, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)


def another(name: str, *, forest: str = "corp.example", target: str = "Cloud directory") -> Bench:
    """A further domain with an agent and a configuration of its own."""
    domain = Domain.objects.create(
        fqdn=f"{name}.example", netbios=name, forest=forest, sid=f"S-1-5-21-{name}"
    )
    agent = Agent.objects.create(
        name=name,
        state=AgentState.ACTIVE,
        certificate="",
        certificate_thumbprint=uuid4().hex,
        certificate_not_after=timezone.now() + timedelta(days=90),
    )
    ResourceGrouping.objects.create(agent=agent, domain=domain)
    kept, _ = Target.objects.get_or_create(name=target)
    bench = Bench(agent, configurations.create(name=name, domain=domain, target=kept))
    jobs.start(bench.job, timezone.now())
    return bench


@pytest.fixture
def main() -> Bench:
    """The domain whose groups hold people of others; its jobs run only when told."""
    return Bench.set_up()


def members_of(name: str) -> set[str]:
    """Names of a group's members in the directory."""
    ids = Membership.objects.filter(group__display_name=name).values_list("member_id", flat=True)
    return {str(one.display_name) for one in User.objects.filter(pk__in=ids)}


def manager_of(name: str) -> str | None:
    """The manager's name in the directory."""
    manager = User.objects.get(display_name=name).manager_id
    return str(User.objects.get(pk=manager).display_name) if manager else None


def cycle(bench: Bench, *resources: object) -> None:
    """One cycle of one domain, the others resting."""
    Job.objects.exclude(pk=bench.job.pk).update(next_run_at=timezone.now() + timedelta(hours=1))
    assert bench.cycle(list(resources)).count_failed == 0  # type: ignore[arg-type]


def test_members_and_managers_are_linked_whichever_domain_is_read_first(main: Bench) -> None:
    child = another("child")
    zoe, ada = user("zoe"), user("ada")
    bob = user("bob", manager={"value": zoe["id"], "display": "CN=zoe"})
    cycle(main, ada, bob, group("team", [guid_of(ada), guid_of(zoe)]))
    assert (members_of("team"), manager_of("bob")) == ({"ada"}, None)
    cycle(child, zoe)
    cycle(main)
    assert (members_of("team"), manager_of("bob")) == ({"ada", "zoe"}, "zoe")
    assert not Arrival.objects.exists()

    eve = user("eve")
    cycle(child, eve)
    cycle(main, group("later", [guid_of(eve)]))
    assert members_of("later") == {"eve"}


def test_one_who_goes_and_returns_elsewhere_is_a_member_again(main: Bench) -> None:
    child = another("child")
    zoe = user("zoe")
    team = group("team", [guid_of(zoe)])
    cycle(child, zoe)
    cycle(main, team)
    cycle(child, tombstone(zoe))
    assert members_of("team") == set()
    cycle(child, zoe)
    cycle(main)
    assert members_of("team") == {"zoe"}
    cycle(main, membership_change(team, removed=[guid_of(zoe)]))
    assert members_of("team") == set()


@pytest.mark.parametrize("where", [{"forest": "other.example"}, {"target": "Another directory"}])
def test_another_forest_or_target_is_no_neighbour(main: Bench, where: dict[str, str]) -> None:
    far = another("far", **where)
    zoe = user("zoe")
    cycle(far, zoe)
    cycle(main, group("team", [guid_of(zoe)]))
    cycle(main)
    assert members_of("team") == set()
