"""Deletions found by comparing: what a delta that names everybody does not name is gone."""

from __future__ import annotations

import pytest

from provisioning.models import SourceObject
from provisioning.tests.answering import Bench, Resource, changed, user

pytestmark = pytest.mark.django_db(transaction=True)

COMPARED = ["DeletionsCompared", "TombstonesInvisible"]


def named(resource: Resource) -> Resource:
    """The object is there, and nothing else is said of it."""
    meta = {"resourceType": resource["meta"]["resourceType"], "present": True}
    return {"schemas": resource["schemas"], "id": resource["id"], "meta": meta}


def gone() -> set[str]:
    return {str(one.guid) for one in SourceObject.objects.filter(is_gone=True, gone_reason="unseen")}


def test_what_is_not_named_is_gone_and_leaves_the_target() -> None:
    bench = Bench.set_up()
    ada, ben, eve = user("ada"), user("ben"), user("eve")
    bench.cycle([ada, ben, eve])
    cycle = bench.cycle([changed(ada, title="Head")], [named(ada), named(ben)], notes=COMPARED)
    assert (cycle.kind, cycle.notes) == ("delta", COMPARED)
    assert gone() == {eve["id"]}
    assert cycle.count_exported == 2


def test_a_named_object_is_not_an_imported_one() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    cycle = bench.cycle([named(ada)], notes=COMPARED)
    assert (gone(), cycle.count_imported, cycle.count_planned) == (set(), 0, 0)


def test_a_delta_that_compares_nothing_takes_nobody_away() -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada"), user("ben")])
    bench.cycle([], notes=["TombstonesInvisible"])
    assert gone() == set()
