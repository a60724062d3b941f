"""Two real forests to one target: who is a member of the one's groups by a foreign security principal is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.bus import leases, pages
from directory.models import Contact, Group, Membership, User
from lab import changes
from lab.agent.reading import answer_to, login_to
from lab.pytest_forest import small_company
from lab.samba import SambaForest
from provisioning.models import Cycle, Job, NestedGroups
from provisioning.services.hints import Hint, Step
from provisioning.tests.answering import Bench, run_to_end
from provisioning.tests.test_neighbours import another

pytestmark = [pytest.mark.forest, pytest.mark.django_db(transaction=True)]

AUTHENTICATED_USERS = "S-1-5-11"


def cycle(bench: Bench, forest: SambaForest) -> None:
    """One cycle that the agent's own reader answers, from the forest's domain controller."""
    Job.objects.exclude(pk=bench.job.pk).update(next_run_at=timezone.now() + timedelta(hours=1))
    begun = bench.begin()
    lease = leases.claim(bench.agent.pk, timezone.now())
    assert lease is not None
    for number, page in enumerate(answer_to(login_to(forest), lease.body.encode()), start=1):
        pages.store_page(lease.request_id, bench.agent.pk, lease.attempt, number, page, timezone.now())
    run_to_end([Hint(Step.INGEST, begun.pk)])
    done = Cycle.objects.get(pk=begun.pk)
    assert (done.step, done.count_failed) == ("done", 0)


def members_of(name: str) -> set[str]:
    """Names of a group's members in the directory."""
    ids = list(Membership.objects.filter(group__display_name=name).values_list("member_id", flat=True))
    found = [model.objects.filter(pk__in=ids) for model in (User, Group, Contact)]
    return {str(one.display_name) for rows in found for one in rows}


def test_members_of_another_forest_are_found_by_sid(
    forest: SambaForest, second_forest: SambaForest, playground: str
) -> None:
    company = small_company(second_forest.base_dn)
    with second_forest.connect() as north:
        sids = [
            changes.sid_of(north, dn)
            for dn in (company.user_dns[0], company.user_dns[1], company.group_dns[0])
        ]
        [user] = changes.read(north, company.user_dns[0], "displayName")["displayName"]
        [crew] = changes.read(north, company.group_dns[0], "displayName")["displayName"]
    with forest.connect() as corp:
        guests = changes.add_domain_local_group(corp, playground, "Guests", "guests-of-north")
        changes.add_foreign_members(corp, guests, sids[0], sids[2], AUTHENTICATED_USERS)

    main = Bench.set_up(delete_threshold_enabled=False)
    cycle(main, forest)
    assert members_of("Guests") == set()
    far = another("north", forest="north.example")
    cycle(far, second_forest)
    cycle(main, forest)
    assert members_of("Guests") == {user, crew}

    main.configuration.nested_groups = NestedGroups.FLATTEN
    main.configuration.save()
    cycle(main, forest)
    everybody = members_of("Guests")
    assert everybody == {user} | members_of(crew)
    assert len(everybody) > 1

    with forest.connect() as corp:
        changes.remove_foreign_members(corp, guests, sids[2])
        changes.add_foreign_members(corp, guests, sids[1])
    cycle(main, forest)
    with second_forest.connect() as north:
        [other] = changes.read(north, company.user_dns[1], "displayName")["displayName"]
    assert members_of("Guests") == {user, other}
