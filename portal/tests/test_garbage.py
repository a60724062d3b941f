from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from portal.celery import begin_with_little_garbage
from provisioning_agent.wire.limits import MAX_PAGE_RESOURCES
from provisioning_agent.wire.pages import AD_SCHEMA, Page, decode_page, encode_page

GUID = "b3d4bfbd-3c45-4ee4-83e0-5db0a9f0b8f2"
SOMEBODY = {
    "id": GUID,
    "meta": {"resourceType": "user"},
    AD_SCHEMA: {"proxyAddresses": ["a@b.test"], "manager": {"value": GUID}},
}
BODY = encode_page(Page(resources=[SOMEBODY] * MAX_PAGE_RESOURCES, mode="initial", next_cursor="2"))


@pytest.fixture
def thresholds() -> Iterator[None]:
    """Python's own ones, before and after."""
    usual = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*usual)
    gc.unfreeze()


def collections_of(pages: int) -> int:
    """How often Python looked for garbage while pages came and went."""
    gc.collect()
    before = counted()
    for _ in range(pages):
        decode_page(BODY)
    return counted() - before


def counted() -> int:
    """Collections so far."""
    return sum(int(generation["collections"]) for generation in gc.get_stats())


@pytest.mark.usefixtures("thresholds")
def test_a_worker_lets_pages_come_and_go_without_a_collection() -> None:
    assert collections_of(5) >= 5
    begin_with_little_garbage()
    assert collections_of(5) == 0
    assert gc.get_freeze_count() > 0
