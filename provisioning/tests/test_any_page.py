"""Whatever the attributes of an object are, it becomes a row: a page that one of them stops would come for ever."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models import Domain
from directory.models import User
from provisioning.engine.schema import default_schema
from provisioning.models import Configuration, CycleStep, SourceObject
from provisioning.services import reading
from provisioning.services.page_reader import read_objects
from provisioning.store.encoding import encoded
from provisioning.tests.answering import Bench, user
from provisioning_agent.wire.guids import are_guids
from provisioning_agent.wire.pages import AD_SCHEMA

NOW = datetime(2026, 11, 25, tzinfo=UTC)
GUID = str(UUID(int=7))
CONFIGURATION = Configuration(domain=Domain(fqdn="corp.example"), expire_accounts=True, updated_at=NOW)
DOCUMENT = default_schema(target="directory", domain_fqdn="corp.example", domain_netbios="CORP")
READING = reading.of_document(DOCUMENT, CONFIGURATION)
NAMES = sorted({name for one in READING.types.values() for name in one.attributes})

scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
)
references = st.fixed_dictionaries({"value": st.text() | st.just(GUID)})
values = references | st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def texts(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from (name, *texts(part))
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


@settings(max_examples=500)
@given(
    kind=st.sampled_from(sorted(READING.types)), attributes=st.dictionaries(st.sampled_from(NAMES), values)
)
def test_an_object_with_any_attributes_becomes_a_row(kind: str, attributes: dict[str, Any]) -> None:
    identity = {"objectGUID": base64.b64encode(UUID(GUID).bytes_le).decode()}
    resource = {"id": GUID, "meta": {"resourceType": kind}, AD_SCHEMA: {**attributes, **identity}}
    page = read_objects({"Resources": [resource]}, READING, NOW)
    assert encoded(page).objects.keys() == {GUID}
    [row] = page.objects
    assert bool(row.error_code) is (row.wanted == b"{}")
    assert are_guids(list(orjson.loads(row.reference_guids).values()))
    for document in (row.attributes, row.wanted, row.create_only):
        assert not any("\0" in text for text in texts(orjson.loads(document)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"department": "R\0&D"}, ""),
        ({"department": "R\\u0000&D"}, ""),
        ({"distinguishedName": 5, "objectSid": ["x"]}, ""),
        ({"manager": {"value": "nobody"}}, "ReferenceExpected"),
        ({"accountExpires": 5, "userAccountControl": ["x"]}, ""),
        ({"displayName": 1.5}, "TextExpected"),
    ],
)
def test_the_others_of_its_page_are_synchronized(attributes: dict[str, Any], code: str) -> None:
    bench = Bench.set_up()
    cycle = bench.cycle([user("ada", **attributes), user("bob")])
    assert cycle.step == CycleStep.DONE
    assert User.objects.filter(user_principal_name="bob@corp.example").exists()
    assert SourceObject.objects.get(user_principal_name="ada@corp.example").error_code == code
    assert User.objects.filter(user_principal_name="ada@corp.example").exists() is not bool(code)
