"""Answer pages: what is written can be read, and nothing else is accepted."""

from __future__ import annotations

import copy
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.guids import are_guids
from provisioning_agent.wire.limits import MAX_INFLATION_RATIO, MAX_PAGE_COMPRESSED, MAX_PAGE_INFLATED
from provisioning_agent.wire.pages import (
    AD_SCHEMA,
    PAGE_SCHEMA,
    RESOURCE_SCHEMAS,
    Page,
    check_page,
    decode_page,
    encode_page,
    inflate,
)
from provisioning_agent.wire.requests import GUID_PATTERN

GUID = "b3d4bfbd-3c45-4ee4-83e0-5db0a9f0b8f2"


def user(**attributes: Any) -> dict[str, Any]:
    return {
        "schemas": RESOURCE_SCHEMAS,
        "id": GUID,
        "meta": {"resourceType": "user"},
        AD_SCHEMA: attributes,
    }


def group(**members: Any) -> dict[str, Any]:
    found = {"whole": True, "added": [GUID], "removed": []} | members
    return {**user(), "meta": {"resourceType": "group"}, "members": found}


def last_page(*resources: dict[str, Any]) -> Page:
    return Page(
        resources=list(resources),
        mode="initial",
        complete=True,
        watermark="w",
        replica={"invocationId": GUID, "name": "dc1"},
        counts={"user": len(resources)},
    )


def code_of(body: bytes) -> str:
    with pytest.raises(WireError) as caught:
        decode_page(body)
    return caught.value.code


def pack(page: dict[str, Any]) -> bytes:
    return gzip.compress(orjson.dumps(page))


def test_what_is_encoded_can_be_decoded() -> None:
    found = decode_page(encode_page(last_page(user(mail="a@b.test"), group(foreign={GUID: "S-1-5-11"}))))
    assert [item["id"] for item in found["Resources"]] == [GUID, GUID]
    assert found[PAGE_SCHEMA]["watermark"] == "w"
    assert "nextCursor" not in found


def test_only_a_last_page_carries_the_watermark() -> None:
    found = decode_page(encode_page(Page(resources=[], mode="delta", next_cursor="2")))
    assert found["nextCursor"] == "2"
    assert "watermark" not in found[PAGE_SCHEMA]


def test_a_page_that_inflates_beyond_the_limit_is_refused_without_holding_it() -> None:
    bomb = gzip.compress(b" " * (MAX_PAGE_INFLATED + 1))
    assert code_of(bomb) == "OversizedPage"


def test_a_page_that_inflates_out_of_proportion_is_refused() -> None:
    bomb = gzip.compress(b" " * (4 << 20))
    assert len(bomb) * MAX_INFLATION_RATIO < (4 << 20)
    assert code_of(bomb) == "OversizedPage"


def test_a_small_page_may_be_as_repetitive_as_it_likes() -> None:
    assert inflate(gzip.compress(b" " * 500_000)) == b" " * 500_000


def test_a_page_too_large_as_it_arrives_is_refused() -> None:
    assert code_of(bytes(MAX_PAGE_COMPRESSED + 1)) == "OversizedPage"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain",
        gzip.compress(b"{}")[:-9],
        gzip.compress(b"{}") + b"more",
        zlib.compress(b"{}"),
        gzip.compress(b"{]"),
        gzip.compress(b"[]"),
        gzip.compress(b'"text"'),
        gzip.compress(b"\xff\xfe"),
    ],
)
def test_a_broken_body_is_malformed(body: bytes) -> None:
    assert code_of(body) == "MalformedPage"


Change = Any


def _set(*path: Any, value: Any) -> Change:
    def change(page: dict[str, Any]) -> None:
        target: Any = page
        for step in path[:-1]:
            target = target[step]
        if value is ...:
            del target[path[-1]]
        else:
            target[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (_set("schemas", value=[]), "schemas"),
        (_set("Resources", value={}), "Resources"),
        (_set("itemsPerPage", value=7), "itemsPerPage"),
        (_set(PAGE_SCHEMA, value=...), PAGE_SCHEMA),
        (_set(PAGE_SCHEMA, "mode", value="full"), "mode"),
        (_set(PAGE_SCHEMA, "complete", value=1), "complete"),
        (_set(PAGE_SCHEMA, "watermark", value=...), "complete"),
        (_set(PAGE_SCHEMA, "counts", value={"user": -1}), "counts"),
        (_set(PAGE_SCHEMA, "counts", value={"user": True}), "counts"),
        (_set(PAGE_SCHEMA, "replica", value={"name": 1}), "replica"),
        (_set(PAGE_SCHEMA, "notes", value=[1]), "notes"),
        (_set("nextCursor", value="2"), "complete"),
        (_set("nextCursor", value="two"), "nextCursor"),
        (_set("Resources", 0, value="x"), r"Resources\[0\]"),
        (_set("Resources", 0, "id", value=GUID.upper()), r"Resources\[0\].id"),
        (_set("Resources", 0, "id", value=GUID + "\n"), r"Resources\[0\].id"),
        (_set("Resources", 0, "meta", value=...), "resourceType"),
        (_set("Resources", 0, "meta", "resourceType", value="computer"), "resourceType"),
        (_set("Resources", 0, "meta", "tombstone", value="gone"), "tombstone"),
        (_set("Resources", 0, AD_SCHEMA, value=...), "urn:isthmus"),
        (_set("Resources", 0, AD_SCHEMA, "deep", value=[[[[[[1]]]]]]), "deep"),
        (_set("Resources", 0, "members", value={"whole": True, "added": [], "removed": []}), "members"),
        (_set("Resources", 0, AD_SCHEMA, "deep", value={"a": {"b": {"c": {"d": {"e": {}}}}}}), "deep"),
        (_set("Resources", 1, "id", value=1), r"Resources\[1\].id"),
        (_set("Resources", 1, "members", "whole", value=None), "members.whole"),
        (_set("Resources", 1, "members", "added", value=[1]), "members.added"),
        (_set("Resources", 1, "members", "added", value=[GUID, GUID.upper()]), "members.added"),
        (_set("Resources", 1, "members", "removed", value=["x"]), "members.removed"),
        (_set("Resources", 1, "members", "foreign", value={GUID: "S-1-5"}), "members.foreign"),
        (_set("Resources", 1, "members", "foreign", value={"x": "S-1-5-11"}), "members.foreign"),
        (_set("Resources", 1, "members", "foreign", value=["S-1-5-11"]), "members.foreign"),
        (_set("Resources", 1, "meta", "continues", value=True), "continues"),
        (_set("Resources", 1, "meta", "continues", value="yes"), "continues"),
    ],
)
def test_a_page_of_the_wrong_shape_is_refused_naming_the_place(change: Change, where: str) -> None:
    page = copy.deepcopy(last_page(user(mail="a@b.test"), group()).to_dict())
    check_page(page)
    change(page)
    with pytest.raises(WireError, match=where) as caught:
        decode_page(pack(page))
    assert caught.value.code == "MalformedPage"


def test_values_may_be_nested_as_deep_as_the_limit_says() -> None:
    page = last_page(user(deep=[[[[1]]]], reference={"value": GUID, "display": "x"})).to_dict()
    assert decode_page(pack(page)) == page


# Texts that are nearly a GUID: one that two others make good would be the worst.
NEARLY: st.SearchStrategy[Any] = st.one_of(
    st.just(GUID),
    st.sampled_from(
        [GUID[:-1], GUID + "0", GUID + "\n", GUID.upper(), GUID.replace("-", "0"), "-" * 36, "", "é" * 36]
    ),
    st.text("0-af", min_size=35, max_size=37),
    st.tuples(st.integers(0, 35), st.sampled_from("0-gA é\n")).map(
        lambda at: GUID[: at[0]] + at[1] + GUID[at[0] + 1 :]
    ),
    st.sampled_from([None, 1, ["a"], {}]),
)


@given(st.lists(NEARLY, max_size=4))
def test_guids_are_told_together_as_one_by_one(values: list[Any]) -> None:
    assert are_guids(values) == all(type(one) is str and GUID_PATTERN.match(one) for one in values)


def test_more_resources_than_allowed_are_refused() -> None:
    page = last_page(*[user()] * 1001).to_dict()
    with pytest.raises(WireError, match="Resources"):
        check_page(page)


def test_a_continuation_carries_members_only() -> None:
    more = group(whole=False)
    del more[AD_SCHEMA]
    more["meta"] = {"resourceType": "group", "continues": True}
    check_page(last_page(more).to_dict())
    del more["members"]
    with pytest.raises(WireError, match="continues"):
        check_page(last_page(more).to_dict())


@contextmanager
def refused_only_as(code: str) -> Iterator[None]:
    """The block may succeed or be refused with this code, nothing else."""
    try:
        yield
    except WireError as error:
        if error.code != code:
            raise


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["schemas", "Resources", "itemsPerPage", PAGE_SCHEMA]), JSON))
def test_no_json_whatever_is_more_than_a_malformed_page(page: dict[str, Any]) -> None:
    assert code_of(pack(page)) == "MalformedPage"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from places(part, (*path, key))


WHOLE = last_page(user(mail="x"), group()).to_dict()


@given(st.sampled_from(list(places(WHOLE))), JSON)
def test_no_change_of_one_part_is_more_than_a_malformed_page(path: tuple[Any, ...], value: Any) -> None:
    page = copy.deepcopy(WHOLE)
    _set(*path, value=value)(page)
    with refused_only_as("MalformedPage"):
        decode_page(pack(page))
