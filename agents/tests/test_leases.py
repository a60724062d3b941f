from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from pytest_django import DjangoCaptureOnCommitCallbacks

from agents.bus import giving_back, leases, pages
from agents.bus.requests import discard, forget_ended
from agents.models import BusPage, BusRequest, RequestState
from agents.revocation import revoke
from agents.tests.cast import NOW, later, make_agent, make_domain, page, queue
from agents.tests.events import Heard
from provisioning_agent.wire.errors import WireError

pytestmark = pytest.mark.django_db


def request_now() -> BusRequest:
    return BusRequest.objects.get()


def agent_error(*, retry: bool) -> WireError:
    return WireError("DirectoryDown", "AD does not answer; start it.", status=500, retry=retry)


def test_the_oldest_request_of_an_own_domain_is_leased() -> None:
    mine, other = make_domain(), make_domain("other.example", 2)
    member = make_agent(mine)
    queue(other, NOW)
    second, first = queue(mine, later(seconds=2)), queue(mine, later(seconds=1))
    found = [leases.claim(member.id, later(seconds=3)) for _ in range(3)]
    assert [lease and lease.request_id for lease in found] == [first.pk, second.pk, None]


def test_a_lease_carries_the_request_as_it_was_queued() -> None:
    domain = make_domain()
    queue(domain, body={"count": 7})
    lease = leases.claim(make_agent(domain).id, NOW)
    assert lease is not None
    assert (lease.attempt, lease.seconds, lease.body) == (1, 60, '{"count": 7}')


def test_a_revoked_agent_leases_nothing() -> None:
    domain = make_domain()
    member = make_agent(domain)
    queue(domain)
    revoke(member.agent, NOW)
    assert leases.claim(member.id, NOW) is None


@pytest.mark.django_db(transaction=True)
def test_of_agents_that_race_for_a_request_one_gets_it() -> None:
    domain = make_domain()
    members = [make_agent(domain, name=f"srv{number}") for number in range(6)]
    for _ in range(3):
        queue(domain)
    together = threading.Barrier(len(members))

    def race(index: int) -> leases.Lease | None:
        try:
            together.wait(timeout=20)
            return leases.claim(members[index].id, NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(members)) as pool:
        won = [lease for lease in pool.map(race, range(len(members))) if lease is not None]
    assert len({lease.request_id for lease in won}) == len(won) == 3
    assert set(BusRequest.objects.values_list("attempt", flat=True)) == {1}


def test_renewing_keeps_the_lease_from_expiring() -> None:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    leases.claim(member.id, NOW)
    assert leases.renew(request.pk, member.id, 1, later(seconds=50)) == 60
    assert giving_back.expire_leases(later(seconds=100)) == 0
    assert giving_back.expire_leases(later(seconds=110)) == 1


def test_an_expired_lease_goes_to_another_agent_which_starts_afresh() -> None:
    domain = make_domain()
    first, second = make_agent(domain), make_agent(domain, name="srv2")
    request = queue(domain)
    leases.claim(first.id, NOW)
    pages.store_page(request.pk, first.id, 1, 1, page(), NOW)
    giving_back.expire_leases(later(seconds=60))
    lease = leases.claim(second.id, later(seconds=61))
    assert lease is not None
    assert lease.attempt == 2
    assert not BusPage.objects.exists()
    with pytest.raises(WireError, match="RequestNotYours"):
        pages.store_page(request.pk, first.id, 1, 2, page(2), later(seconds=62))
    with pytest.raises(WireError, match="RequestNotYours"):
        leases.renew(request.pk, first.id, 1, later(seconds=62))


def test_after_three_agents_fell_silent_the_request_times_out(
    heard: Heard, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    for attempt in range(3):
        start = later(seconds=61 * attempt)
        assert leases.claim(member.id, start) is not None
        with django_capture_on_commit_callbacks(execute=True):
            giving_back.expire_leases(later(seconds=61 * attempt + 60))
    ended = request_now()
    assert (ended.state, ended.error_code, ended.tries) == (RequestState.FAILED, "TimeOut", 3)
    assert leases.claim(member.id, later(seconds=200)) is None
    assert heard.failures == [request.pk]


@pytest.mark.parametrize(
    ("is_leased", "said"),
    [(False, "No agent of the domain took"), (True, "not complete")],
    ids=["queued", "leased"],
)
def test_a_request_out_of_time_fails_and_says_why(is_leased: bool, said: str) -> None:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    if is_leased:
        leases.claim(member.id, later(seconds=599))
    assert leases.claim(member.id, later(seconds=600)) is None
    giving_back.expire_leases(later(seconds=600))
    ended = request_now()
    assert (ended.pk, ended.state, ended.error_code) == (request.pk, RequestState.FAILED, "TimeOut")
    assert said in ended.error_detail


def test_a_lease_handed_back_costs_no_try() -> None:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    for attempt in range(1, 6):
        lease = leases.claim(member.id, NOW)
        assert lease is not None
        assert lease.attempt == attempt
        giving_back.hand_back(request.pk, member.id, attempt, NOW)
    assert request_now().tries == 0


def test_a_failure_for_good_ends_the_request_with_the_agents_words(
    heard: Heard, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    leases.claim(member.id, NOW)
    with django_capture_on_commit_callbacks(execute=True):
        giving_back.refuse(request.pk, member.id, 1, agent_error(retry=False), NOW)
    ended = request_now()
    assert (ended.state, ended.error_code) == (RequestState.FAILED, "DirectoryDown")
    assert ended.error_detail == "AD does not answer; start it."
    assert heard.failures == [request.pk]


def test_a_failure_that_may_be_retried_goes_to_another_agent_first() -> None:
    domain = make_domain()
    first, second = make_agent(domain), make_agent(domain, name="srv2")
    request = queue(domain)
    leases.claim(first.id, NOW)
    giving_back.refuse(request.pk, first.id, 1, agent_error(retry=True), NOW)
    assert leases.claim(first.id, later(seconds=4)) is None
    assert leases.claim(second.id, later(seconds=4)) is not None


def test_a_lone_agent_is_offered_the_request_again_after_a_pause_and_fails_it_with_its_own_reason() -> None:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    moment = NOW
    for attempt in (1, 2, 3):
        assert leases.claim(member.id, moment) is not None
        giving_back.refuse(request.pk, member.id, attempt, agent_error(retry=True), moment)
        moment = later(seconds=20 * attempt)
    assert (request_now().state, request_now().error_code) == (RequestState.FAILED, "DirectoryDown")


def test_revoking_an_agent_passes_its_requests_on_at_once() -> None:
    domain = make_domain()
    first, second = make_agent(domain), make_agent(domain, name="srv2")
    request = queue(domain)
    leases.claim(first.id, NOW)
    revoke(first.agent, NOW)
    lease = leases.claim(second.id, NOW)
    assert lease is not None
    assert (lease.request_id, lease.attempt, request_now().tries) == (request.pk, 2, 0)


def test_a_discarded_request_is_closed_to_its_agent_and_keeps_no_data() -> None:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    leases.claim(member.id, NOW)
    pages.store_page(request.pk, member.id, 1, 1, page(), NOW)
    discard(request.pk)
    assert not BusPage.objects.exists()
    assert (request_now().body, request_now().error_code) == ({}, "RequestDropped")
    with pytest.raises(WireError, match="RequestClosed"):
        pages.store_page(request.pk, member.id, 1, 2, page(2), NOW)


def test_ended_requests_are_forgotten_after_a_day() -> None:
    domain = make_domain()
    member = make_agent(domain)
    request = queue(domain)
    leases.claim(member.id, NOW)
    giving_back.refuse(request.pk, member.id, 1, agent_error(retry=False), NOW)
    queue(domain)
    forget_ended(later(hours=23))
    assert BusRequest.objects.count() == 2
    forget_ended(later(hours=25))
    assert request_now().state == RequestState.QUEUED
    with pytest.raises(WireError, match="RequestUnknown"):
        leases.renew(request.pk, member.id, 1, NOW)
