"""What somebody changed in the built-in directory behind our back is reported, with both values."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from provisioning.tests.answering import Bench, group, guid_of, user

pytestmark = pytest.mark.django_db(transaction=True)


def report(api: APIClient, bench: Bench) -> dict[str, Any]:
    answer = api.get(f"/api/v1/configurations/{bench.configuration.pk}/drift")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_drift_is_reported_with_both_values(api: APIClient) -> None:
    bench = Bench.set_up()
    ada, bob, cid = user("ada", department="Sales"), user("bob"), user("cid")
    bench.cycle([ada, bob, cid, group("staff", [guid_of(ada), guid_of(bob)])])
    clean = report(api, bench)
    assert clean["objects"] == []
    assert clean["memberships"] == {"missing": 0, "extra": 0}
    change = 'UPDATE directory_user SET attributes = attributes || \'{"Department": "Other"}\''
    with connection.cursor() as cursor:
        cursor.execute(f"{change} WHERE display_name = 'ada'")
        cursor.execute("UPDATE directory_user SET deleted_at = now() WHERE display_name = 'bob'")
        cursor.execute(
            "UPDATE directory_membership SET member_id = (SELECT id FROM directory_user WHERE display_name = 'cid')"
            " WHERE member_id = (SELECT id FROM directory_user WHERE display_name = 'bob')"
        )
    found = report(api, bench)
    assert found["counts"]["user"] == {"missing": 1, "changed": 1}
    assert found["memberships"] == {"missing": 1, "extra": 1}
    [changed] = [one for one in found["objects"] if not one["isMissing"]]
    assert changed["attributes"] == [{"name": "Department", "written": "Sales", "held": "Other"}]
