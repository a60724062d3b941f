"""Whatever the attributes of an object are, it becomes a row: a page that one of them stops would come for ever."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models import Domain
from provisioning.engine.schema import default_schema
from provisioning.models import Configuration
from provisioning.services import reading
from provisioning.services.page_reader import read_objects
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
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@settings(max_examples=500)
@given(
    kind=st.sampled_from(sorted(READING.types)), attributes=st.dictionaries(st.sampled_from(NAMES), values)
)
def test_an_object_with_any_attributes_becomes_a_row(kind: str, attributes: dict[str, Any]) -> None:
    identity = {
        "objectGUID": base64.b64encode(UUID(GUID).bytes_le).decode(),
        "distinguishedName": "CN=x",
    }
    resource = {"id": GUID, "meta": {"resourceType": kind}, AD_SCHEMA: {**attributes, **identity}}
    [row] = read_objects({"Resources": [resource]}, READING, NOW).objects
    assert row.guid == GUID
    assert bool(row.error_code) is (row.wanted == b"{}")
