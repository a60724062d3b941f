"""Who appears in the target joins the groups that he was a member of all along: one by one, or with many at once."""

from __future__ import annotations

import pytest

from directory.models import Group, User
from provisioning.models import LinkMember
from provisioning.store import member_plan
from provisioning.tests.answering import Bench, changed, group, guid_of, user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("many", [0, 1, 2, 500])
def test_those_who_come_later_join_their_groups(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two join the team and one the crew, so that with a bound of 1 the team alone is compared whole."""
    monkeypatch.setattr(member_plan, "_MANY_JOIN", many)
    bench = Bench.set_up()
    ada, bob, eve = user("ada"), user("bob"), user("eve")
    team = group("team", [guid_of(ada), guid_of(bob), guid_of(eve)])
    crew = group("crew", [guid_of(eve)])
    bench.cycle([ada, team, crew])
    assert members() == {"team": {"ada"}, "crew": set()}
    cycle = bench.cycle([bob, eve])
    assert members() == {"team": {"ada", "bob", "eve"}, "crew": {"eve"}}
    assert LinkMember.objects.count() == 4
    assert cycle.count_planned == 2 + 3
    # Nothing is written twice.
    assert bench.cycle([changed(ada, title="Dr")]).count_planned == 1


def members() -> dict[str, set[str]]:
    """The names of the members of each group in the directory."""
    names = dict(User.objects.values_list("id", "display_name"))
    return {
        one.display_name: {str(names[member.member_id]) for member in one.memberships.all()}
        for one in Group.objects.all()
    }
