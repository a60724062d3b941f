"""The flow types of attribute mappings, through whole cycles."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from directory.models import User
from provisioning.services import configurations
from provisioning.services.clock import now
from provisioning.tests.answering import Bench, changed, user

pytestmark = pytest.mark.django_db(transaction=True)


def set_up(**flows: dict[str, str]) -> Bench:
    """A configuration of whose users' target attributes some flow otherwise."""
    bench = Bench.set_up()
    document = deepcopy(bench.configuration.schema)
    mappings = document["synchronizationRules"][0]["objectMappings"]
    users = next(one for one in mappings if one["sourceObjectName"] == "user")
    for row in users["attributeMappings"]:
        row.update(flows.get(row["targetAttributeName"], {}))
    configurations.change_schema(bench.configuration, document, now())
    return bench


def held() -> dict[str, Any]:
    """The attributes of the one user."""
    found: dict[str, Any] = User.objects.get().attributes
    return found


def test_attributes_that_are_filled_once_or_merged_keep_what_they_hold() -> None:
    bench = set_up(
        Department={"flowType": "AttributeAddOnly"}, ProxyAddresses={"flowType": "MultiValueAddOnly"}
    )
    ada = user("ada", proxyAddresses=["smtp:a@corp.example", "smtp:b@corp.example"])
    bench.cycle([ada])
    assert "Department" not in held()

    bench.cycle([changed(ada, department="Sales")])
    assert held()["Department"] == "Sales"

    cycle = bench.cycle([changed(ada, department="R&D", proxyAddresses=["smtp:c@corp.example"], title="Dr")])
    assert cycle.count_failed == 0
    assert (held()["Department"], held()["JobTitle"]) == ("Sales", "Dr")
    expected = {"smtp:a@corp.example", "smtp:b@corp.example", "smtp:c@corp.example"}
    assert set(held()["ProxyAddresses"]) == expected

    last = changed(ada, department=None, proxyAddresses=None)
    bench.cycle([last])
    assert held()["Department"] == "Sales"
    assert set(held()["ProxyAddresses"]) == expected
    assert bench.cycle([last], mode="initial").count_planned == 0


def test_what_flows_always_repairs_the_target_whenever_the_object_changes() -> None:
    bench = set_up(Department={"flowBehavior": "FlowAlways"})
    ada = user("ada", department="Sales")
    bench.cycle([ada])
    User.objects.update(attributes={**held(), "Department": "by hand"})
    assert bench.cycle([ada]).count_planned == 0
    bench.cycle([changed(ada, logonCount=7)])
    assert held()["Department"] == "Sales"
    assert bench.cycle([changed(ada, logonCount=7)], mode="initial").count_planned == 0
