"""Read requests and errors as they travel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning_agent.channel.retryable import Verdict, verdict
from provisioning_agent.wire.errors import CODES, ERROR_EXTENSION, WireError
from provisioning_agent.wire.requests import READ_SCHEMA, ObjectTypeRequest, ReadRequest

GUID = "b3d4bfbd-3c45-4ee4-83e0-5db0a9f0b8f2"
REQUEST = ReadRequest(
    domain="corp.example",
    object_types=(ObjectTypeRequest("user", ("mail", "sn")), ObjectTypeRequest("group", ("description",))),
    correlation_id="c-1",
    deadline=datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    containers=(GUID,),
    groups=(GUID,),
    watermark="abc",
    page_size=10,
)


def test_a_request_survives_the_journey() -> None:
    assert ReadRequest.from_json(REQUEST.to_json()) == REQUEST


def test_the_deadline_travels_in_utc() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    there = orjson.loads(REQUEST.to_json())
    there[READ_SCHEMA]["deadline"] = datetime(2026, 1, 2, 8, 34, 5, tzinfo=east).isoformat()
    assert ReadRequest.from_dict(there).deadline == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_watermark_does_not_show_in_a_log() -> None:
    assert "abc" not in repr(REQUEST)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("domain", ""),
        ("domain", None),
        ("objectTypes", []),
        ("objectTypes", [{"name": "computer", "attributes": []}]),
        ("objectTypes", [{"name": "user", "attributes": ["no space allowed"]}]),
        ("objectTypes", [{"name": "user", "attributes": ["a)(b=*"]}]),
        ("objectTypes", [{"name": "user", "attributes": []}, {"name": "user", "attributes": []}]),
        ("containers", ["OU=Sales"]),
        ("containers", [GUID.upper()]),
        ("groups", "all"),
        ("watermark", ""),
        ("watermark", 5),
        ("correlationId", 5),
        ("deadline", "tomorrow"),
        ("deadline", "2026-01-02T03:04:05"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    body = REQUEST.to_dict()
    body[READ_SCHEMA][field] = value
    with pytest.raises(WireError, match=field) as caught:
        ReadRequest.from_dict(body)
    assert caught.value.code == "MalformedRequest"


@pytest.mark.parametrize("count", [0, 1001, "10", True, None])
def test_a_wrong_page_size_is_named(count: Any) -> None:
    with pytest.raises(WireError, match="count"):
        ReadRequest.from_dict(REQUEST.to_dict() | {"count": count})


@given(st.binary(max_size=40))
def test_no_bytes_are_more_than_a_malformed_request(body: bytes) -> None:
    with pytest.raises(WireError) as caught:
        ReadRequest.from_json(body)
    assert caught.value.code == "MalformedRequest"


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_error_survives_the_journey(code: str) -> None:
    sent = WireError(code, "What happened; what to do.", scim_type="invalidValue", correlation_id="c-1")
    got = WireError.from_response(sent.status, orjson.dumps(sent.to_body()))
    assert (got.code, got.detail, got.status, got.retry) == (sent.code, sent.detail, sent.status, sent.retry)
    assert (got.scim_type, got.correlation_id) == ("invalidValue", "c-1")


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_sentence_with_a_remedy(code: str) -> None:
    sentence = CODES[code].sentence
    assert sentence.endswith(".")
    assert ";" in sentence


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"detail":"x"}', orjson.dumps({ERROR_EXTENSION: []}), b"\xff"],
)
@pytest.mark.parametrize("status", [200, 400, 403, 502])
def test_an_answer_from_something_in_between_is_unreadable_and_may_be_tried_again(
    body: bytes, status: int
) -> None:
    error = WireError.from_response(status, body)
    assert (error.code, error.status) == ("UnreadableAnswer", status)
    assert verdict(error) is Verdict.RETRY


def test_a_code_from_a_newer_service_is_kept() -> None:
    body = orjson.dumps({"detail": "Later.", ERROR_EXTENSION: {"code": "BrandNew", "retry": True}})
    error = WireError.from_response(400, body)
    assert (error.code, error.detail, verdict(error)) == ("BrandNew", "Later.", Verdict.RETRY)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("AgentRevoked", Verdict.STOP),
        ("AgentUnknown", Verdict.STOP),
        ("BusTokenExpired", Verdict.NEW_TOKEN),
        ("RequestNotYours", Verdict.DROP),
        ("RequestClosed", Verdict.DROP),
        ("TooManyRequests", Verdict.RETRY),
        ("ServiceUnavailable", Verdict.RETRY),
        ("ClockSkew", Verdict.RETRY),
        ("MalformedPage", Verdict.GIVE_UP),
        ("PageOutOfOrder", Verdict.GIVE_UP),
    ],
)
def test_what_a_refusal_means(code: str, expected: Verdict) -> None:
    assert verdict(WireError(code)) is expected
