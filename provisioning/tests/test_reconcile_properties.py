"""Whatever the target was brought to: one repair makes it what it was, and another one finds nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.tests import states
from provisioning.tests.answering import Bench
from provisioning.tests.drifting import REPAIR, REPORT, execute, found, reconcile
from provisioning.tests.states import GROUPS, PEOPLE, STATES, State

pytestmark = pytest.mark.django_db(transaction=True)

# What somebody may do to one object, or to one and another; each does nothing where these are not there.
_OF_BOTH = (
    "UPDATE {table} SET deleted_at = now() WHERE display_name = %(one)s",
    "UPDATE {table} SET attributes = attributes - 'Description' || '{{\"Description\": \"x\"}}'"
    " WHERE display_name = %(one)s",
    "WITH gone AS (DELETE FROM {table} WHERE display_name = %(one)s RETURNING id)"
    " DELETE FROM directory_membership m USING gone g WHERE m.member_id = g.id OR m.group_id = g.id",
)
_OF_PEOPLE = (
    *(statement.format(table="directory_user") for statement in _OF_BOTH),
    'UPDATE directory_user SET attributes = attributes || \'{"Department": "Other"}\' WHERE display_name = %(one)s',
    "UPDATE directory_user SET attributes = attributes || jsonb_build_object('AccountEnabled', NOT account_enabled)"
    " WHERE display_name = %(one)s",
    "UPDATE directory_user SET manager_id = gen_random_uuid() WHERE manager_id IS NOT NULL AND display_name = %(one)s",
    "UPDATE directory_user u SET manager_id = o.id FROM directory_user o"
    " WHERE u.manager_id IS NOT NULL AND u.display_name = %(one)s AND o.display_name = %(other)s",
    "INSERT INTO directory_membership (group_id, member_id, member_kind)"
    " SELECT g.id, u.id, 1 FROM directory_group g, directory_user u"
    " WHERE u.display_name = %(one)s ON CONFLICT DO NOTHING",
    "DELETE FROM directory_membership m USING directory_user u"
    " WHERE u.display_name = %(one)s AND m.member_id = u.id",
)
_OF_GROUPS = (
    *(statement.format(table="directory_group") for statement in _OF_BOTH),
    "DELETE FROM directory_membership m USING directory_group g"
    " WHERE g.display_name = %(one)s AND m.group_id = g.id",
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
def test_one_repair_undoes_all_drift(state: State, deeds: list[tuple[str, str, str]]) -> None:
    states.empty_the_database()
    bench = Bench.set_up(delete_threshold=1_000)
    bench.cycle(states.told_whole(state), mode="initial")
    for statement, one, other in deeds:
        execute(statement, one=one, other=other)
    assert reconcile(bench, REPAIR).state == "done"
    assert states.held() == states.wanted(state)
    assert found(reconcile(bench, REPORT)) == []
    assert bench.cycle(states.told_whole(state), mode="initial").count_planned == 0
