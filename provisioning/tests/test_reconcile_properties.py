"""Whatever the target was brought to: one repair makes it what it was, and another one finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory.models import Group, User
from directory.tests import memberships
from provisioning.tests import states
from provisioning.tests.answering import Bench
from provisioning.tests.drifting import REPAIR, REPORT, execute, found, reconcile
from provisioning.tests.states import GROUPS, PEOPLE, STATES, State

pytestmark = pytest.mark.django_db(transaction=True)

Deed = Callable[[str, str], object]


def _says(statement: str, one: str, other: str) -> None:
    execute(statement, one=one, other=other)


def _is_deleted(table: str, one: str, other: str) -> None:
    """As the directory does it: with its memberships."""
    _ends_memberships(one, other)
    execute(f"UPDATE {table} SET deleted_at = now() WHERE display_name = %s", one)


def _vanishes(table: str, one: str, other: str) -> None:
    _ends_memberships(one, other)
    execute(f"DELETE FROM {table} WHERE display_name = %s", one)


def _joins_all(one: str, other: str) -> None:
    for user in User.objects.filter(display_name=one):
        for group in Group.objects.filter(deleted_at__isnull=True):
            memberships.join(group.pk, user.pk)


def _ends_memberships(one: str, other: str) -> None:
    people, groups = User.objects.filter(display_name=one), Group.objects.filter(display_name=one)
    memberships.end(*(found.pk for found in (*people, *groups)))


# What somebody may do to one object, or to one and another; each does nothing where these are not there.
_DESCRIBE = (
    "UPDATE {table} SET attributes = attributes - 'Description' || '{{\"Description\": \"x\"}}'"
    " WHERE display_name = %(one)s"
)
_TO_PEOPLE = (
    "UPDATE directory_user SET deleted_at = now() WHERE display_name = %(one)s",
    _DESCRIBE.format(table="directory_user"),
    'UPDATE directory_user SET attributes = attributes || \'{"Department": "Other"}\' WHERE display_name = %(one)s',
    "UPDATE directory_user SET attributes = attributes || jsonb_build_object('AccountEnabled', NOT account_enabled)"
    " WHERE display_name = %(one)s",
    "UPDATE directory_user SET manager_id = gen_random_uuid() WHERE manager_id IS NOT NULL AND display_name = %(one)s",
    "UPDATE directory_user u SET manager_id = o.id FROM directory_user o"
    " WHERE u.manager_id IS NOT NULL AND u.display_name = %(one)s AND o.display_name = %(other)s",
)
_OF_PEOPLE: tuple[Deed, ...] = (
    *(partial(_says, statement) for statement in _TO_PEOPLE),
    partial(_vanishes, "directory_user"),
    _joins_all,
    _ends_memberships,
)
_OF_GROUPS: tuple[Deed, ...] = (
    partial(_says, _DESCRIBE.format(table="directory_group")),
    partial(_is_deleted, "directory_group"),
    partial(_vanishes, "directory_group"),
    _ends_memberships,
)
_DEEDS = st.lists(
    st.tuples(st.sampled_from(_OF_PEOPLE), st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))
    | st.tuples(st.sampled_from(_OF_GROUPS), st.sampled_from(GROUPS), st.sampled_from(PEOPLE)),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(state=STATES, deeds=_DEEDS)
def test_one_repair_undoes_all_drift(state: State, deeds: list[tuple[Deed, str, str]]) -> None:
    states.empty_the_database()
    bench = Bench.set_up(delete_threshold=1_000)
    bench.cycle(states.told_whole(state), mode="initial")
    for deed, one, other in deeds:
        deed(one, other)
    assert reconcile(bench, REPAIR).state == "done"
    assert states.held() == states.wanted(state)
    assert found(reconcile(bench, REPORT)) == []
    assert bench.cycle(states.told_whole(state), mode="initial").count_planned == 0
