"""The groups of a schema document reach the agent, and a leave of them is explained."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from provisioning.models import Configuration
from provisioning.services import configurations, reading
from provisioning.services.clock import now
from provisioning.tests.answering import Bench, tombstone, user
from provisioning_agent.wire.requests import ReadRequest

pytestmark = pytest.mark.django_db(transaction=True)


def limited_to(bench: Bench, group: str) -> dict[str, Any]:
    """The bench's document with a scoping group."""
    document: dict[str, Any] = deepcopy(bench.configuration.schema)
    document["synchronizationRules"][0]["groupFilter"] = {"includedGroups": [group]}
    return document


def test_the_agent_is_asked_with_the_groups_of_the_document() -> None:
    bench = Bench.set_up()
    group = str(uuid4())
    configurations.change_schema(bench.configuration, limited_to(bench, group), now())
    job = Configuration.objects.get(pk=bench.configuration.pk).jobs.get()
    request = ReadRequest.from_dict(reading.request_body(job, uuid4(), now(), is_covered=False))
    assert request.groups == (group,)


def test_who_left_the_group_is_told_so(api: APIClient) -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    configurations.change_schema(bench.configuration, limited_to(bench, str(uuid4())), now())
    bench.cycle([tombstone(ada, "outOfScope")])
    answer = api.get(f"/api/v1/configurations/{bench.configuration.pk}/explain", {"object": ada["id"]})
    assert "in none of its groups" in answer.json()["verdict"]["sentence"]
