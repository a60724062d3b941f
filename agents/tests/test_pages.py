from __future__ import annotations

import gzip
import uuid

import orjson
import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from agents.bus import giving_back, leases, pages
from agents.bus.requests import discard
from agents.models import BusPage, BusRequest, RequestState
from agents.tests.cast import NOW, Member, later, make_agent, make_domain, page, queue
from agents.tests.events import Heard
from provisioning_agent.wire.errors import WireError

pytestmark = pytest.mark.django_db


@pytest.fixture
def leased() -> tuple[uuid.UUID, Member]:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    leases.claim(member.id, NOW)
    return request.pk, member


def refusal(request_id: uuid.UUID, member: Member, number: int, body: bytes, attempt: int = 1) -> str:
    with pytest.raises(WireError) as caught:
        pages.store_page(request_id, member.id, attempt, number, body, NOW)
    return caught.value.code


def test_pages_are_stored_as_they_came_and_the_last_one_answers_the_request(
    leased: tuple[uuid.UUID, Member],
    heard: Heard,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    request_id, member = leased
    with django_capture_on_commit_callbacks(execute=True):
        pages.store_page(request_id, member.id, 1, 1, page(), NOW)
    assert BusRequest.objects.get().state == RequestState.LEASED
    with django_capture_on_commit_callbacks(execute=True):
        pages.store_page(request_id, member.id, 1, 2, page(2, last=True), NOW)
    request = BusRequest.objects.get()
    assert (request.state, request.last_page, request.ended_at) == (RequestState.ANSWERED, 2, NOW)
    assert pages.read_page(request_id, 1, 1) == page()
    assert pages.read_page(request_id, 1, 3) is None
    assert pages.has_page(request_id, 1, 2)
    assert not pages.has_page(request_id, 2, 2)
    assert heard.pages == [request_id, request_id]


def test_a_page_renews_the_lease(leased: tuple[uuid.UUID, Member]) -> None:
    request_id, member = leased
    pages.store_page(request_id, member.id, 1, 1, page(), later(seconds=50))
    assert giving_back.expire_leases(later(seconds=100)) == 0


def test_a_page_that_comes_twice_keeps_its_first_body(leased: tuple[uuid.UUID, Member], heard: Heard) -> None:
    request_id, member = leased
    pages.store_page(request_id, member.id, 1, 1, page(), NOW)
    pages.store_page(request_id, member.id, 1, 1, b"not even a page", NOW)
    assert pages.read_page(request_id, 1, 1) == page()


@pytest.mark.parametrize("is_discarded", [False, True], ids=["kept", "discarded"])
def test_the_last_page_may_come_again_after_the_request_ended(
    leased: tuple[uuid.UUID, Member], is_discarded: bool
) -> None:
    request_id, member = leased
    pages.store_page(request_id, member.id, 1, 1, page(last=True), NOW)
    if is_discarded:
        discard(request_id)
    pages.store_page(request_id, member.id, 1, 1, page(last=True), NOW)
    assert BusPage.objects.count() == (0 if is_discarded else 1)
    assert refusal(request_id, member, 2, page(2)) == "RequestClosed"


def test_pages_come_in_order(leased: tuple[uuid.UUID, Member]) -> None:
    request_id, member = leased
    assert refusal(request_id, member, 2, page(2)) == "PageOutOfOrder"
    pages.store_page(request_id, member.id, 1, 1, page(), NOW)
    assert refusal(request_id, member, 3, page(3)) == "PageOutOfOrder"


def test_a_page_for_another_agents_request_is_refused(leased: tuple[uuid.UUID, Member]) -> None:
    request_id, member = leased
    stranger = make_agent(name="srv2")
    assert refusal(request_id, stranger, 1, page()) == "RequestNotYours"
    assert refusal(request_id, member, 1, page(), attempt=2) == "RequestNotYours"
    assert refusal(uuid.uuid4(), member, 1, page()) == "RequestUnknown"
    assert not BusPage.objects.exists()


def _packed(change: dict[str, object]) -> bytes:
    return gzip.compress(orjson.dumps({**orjson.loads(gzip.decompress(page())), **change}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain",
        page()[:-6],
        page() + b"more",
        gzip.compress(b"[1, 2]"),
        gzip.compress(b'{"Resources": '),
        _packed({"Resources": [{"id": "no guid"}]}),
        _packed({"itemsPerPage": 5}),
        _packed({"nextCursor": None}),
    ],
    ids=[
        "empty",
        "not gzip",
        "cut",
        "longer",
        "a list",
        "not json",
        "bad id",
        "bad count",
        "ends unfinished",
    ],
)
def test_a_malformed_page_is_refused_and_loses_nothing(leased: tuple[uuid.UUID, Member], body: bytes) -> None:
    request_id, member = leased
    pages.store_page(request_id, member.id, 1, 1, page(), NOW)
    assert refusal(request_id, member, 2, body) == "MalformedPage"
    assert BusRequest.objects.get().state == RequestState.LEASED
    pages.store_page(request_id, member.id, 1, 2, page(2, last=True), NOW)
    assert BusRequest.objects.get().last_page == 2


def test_a_page_that_inflates_beyond_all_bounds_is_refused(leased: tuple[uuid.UUID, Member]) -> None:
    request_id, member = leased
    bomb = gzip.compress(b" " * 70_000_000)
    assert refusal(request_id, member, 1, bomb) == "OversizedPage"
