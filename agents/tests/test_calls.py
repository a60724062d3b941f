"""Every call over real HTTPS, the wrong ones included."""

from __future__ import annotations

import uuid
from datetime import timedelta

import orjson
import pytest
import requests
from cryptography import x509
from django.utils import timezone

from agents import enrolment
from agents.models import Agent, BusRequest, Domain, RequestState
from agents.tests.cast import make_agent, make_csr, make_domain, new_key, page, queue
from agents.tests.portal_process import Portal
from agents.tests.wire_client import PAGE_HEADERS, Wire, code_of

pytestmark = pytest.mark.django_db(transaction=True)
HOST = {"name": "srv1", "version": "0.1.0", "os": "Debian 12"}
DOMAIN = {"fqdn": "Corp.Example", "netbios": "CORP", "forest": "corp.example", "sid": "S-1-5-21-1-2-3"}


@pytest.fixture
def enrolled(portal: Portal) -> Wire:
    """An active agent of corp.example."""
    return Wire(portal, make_agent(make_domain(), bootstrapped_at=timezone.now(), issued_at=timezone.now()))


def test_an_agent_enrols_with_a_token(portal: Portal) -> None:
    text = enrolment.create_token("", timedelta(hours=1), None)[1]
    body = orjson.dumps({**HOST, "csr": make_csr(new_key())})
    answer = Wire(portal).call("POST", "registrations", text, data=body)
    assert answer.status_code == 201
    issued = x509.load_pem_x509_certificate(answer.json()["certificate"].encode())
    issuer = x509.load_pem_x509_certificate(answer.json()["caCertificate"].encode())
    issued.verify_directly_issued_by(issuer)
    assert answer.json()["notAfter"].endswith("Z")
    assert Agent.objects.get().external_ip == "127.0.0.1"
    again = Wire(portal).call(
        "POST", "registrations", text, data=orjson.dumps({**HOST, "csr": make_csr(new_key())})
    )
    assert code_of(again) == "EnrolmentTokenUsed"


def test_bootstrap_makes_the_agent_active_and_opens_the_bus(portal: Portal) -> None:
    member = make_agent(make_domain(), bootstrapped_at=None, issued_at=timezone.now())
    wire = Wire(portal, member)
    found = wire.bootstrap()
    assert found["bus"] == [{"url": f"{portal.url}/hybrid/v1/bus"}]
    assert (found["bootstrapIntervalSeconds"], found["domains"]) == (600, ["corp.example"])
    assert not found["renewCertificate"]
    assert Agent.objects.get().state == "active"
    assert wire.poll(0).status_code == 204


def test_what_an_agent_reports_is_kept(enrolled: Wire) -> None:
    report = {"counters": {"pages": 3}, "lastErrors": [{"code": "DirectoryDown"}], "consecutiveFailures": 2}
    assert enrolled.signed("POST", "bootstrap", {**HOST, **report}).status_code == 200
    agent = Agent.objects.get()
    assert agent.report == report
    assert (agent.version, agent.operating_system) == ("0.1.0", "Debian 12")


def test_a_replayed_bootstrap_is_refused(portal: Portal) -> None:
    member = make_agent(bootstrapped_at=None, issued_at=timezone.now())
    wire = Wire(portal, member)
    token = member.assertion(wire.url("bootstrap"), timezone.now())
    assert wire.call("POST", "bootstrap", token, data=orjson.dumps(HOST)).status_code == 200
    again = wire.call("POST", "bootstrap", token, data=orjson.dumps(HOST))
    assert code_of(again) == "AssertionReplayed"
    assert again.headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_clock_is_named_with_its_size(enrolled: Wire) -> None:
    answer = enrolled.signed("POST", "bootstrap", HOST, hours=-2)
    assert code_of(answer) == "ClockSkew"
    assert "720" in answer.json()["detail"]


def test_resource_groupings_create_domains(portal: Portal) -> None:
    member = make_agent(issued_at=timezone.now())
    wire = Wire(portal, member)
    answer = wire.signed("PUT", f"agents/{member.id}/resource-groupings", {"domains": [DOMAIN]})
    domain = Domain.objects.get()
    assert answer.json() == {"domains": [{**DOMAIN, "fqdn": "corp.example", "id": str(domain.pk)}]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fqdn", "not a name"),
        ("netbios", "A" * 16),
        ("sid", "S-1-5-32-544"),
        ("forest", 7),
        ("fqdn", "a\u0000b"),
    ],
)
def test_a_domain_that_can_not_be_one_is_refused_by_its_field(
    portal: Portal, field: str, value: object
) -> None:
    member = make_agent(issued_at=timezone.now())
    answer = Wire(portal, member).signed(
        "PUT", f"agents/{member.id}/resource-groupings", {"domains": [{**DOMAIN, field: value}]}
    )
    assert code_of(answer) == "MalformedRequest"
    assert not Domain.objects.exists()


def test_an_agent_can_not_change_the_groupings_of_another(portal: Portal, enrolled: Wire) -> None:
    other = make_agent(name="srv2")
    answer = enrolled.signed("PUT", f"agents/{other.id}/resource-groupings", {"domains": []})
    assert code_of(answer) == "AssertionInvalid"


def test_a_renewal_too_early_is_refused(enrolled: Wire) -> None:
    answer = enrolled.signed("POST", "certificates", {"csr": make_csr(new_key())})
    assert (answer.status_code, code_of(answer)) == (409, "RenewalTooEarly")


def test_a_request_travels_to_the_agent_and_its_answer_back(enrolled: Wire) -> None:
    request = queue(Domain.objects.get(), timezone.now(), {"count": 5})
    enrolled.bootstrap()
    leased = enrolled.poll(0).json()
    assert leased == {
        "requestId": str(request.pk),
        "attempt": 1,
        "leaseSeconds": 60,
        "request": {"count": 5},
    }
    assert enrolled.bus("POST", f"bus/{request.pk}/lease?attempt=1").json() == {"leaseSeconds": 60}
    assert enrolled.post_page(request.pk, 1, page()).status_code == 202
    assert enrolled.post_page(request.pk, 1, page()).status_code == 202
    assert enrolled.post_page(request.pk, 2, page(2, last=True)).status_code == 202
    assert BusRequest.objects.get().state == RequestState.ANSWERED
    assert code_of(enrolled.bus("POST", f"bus/{request.pk}/lease?attempt=1")) == "RequestClosed"


def test_a_lease_is_handed_back(enrolled: Wire) -> None:
    request = queue(Domain.objects.get(), timezone.now())
    enrolled.bootstrap()
    enrolled.poll(0)
    assert enrolled.bus("DELETE", f"bus/{request.pk}/lease?attempt=1").status_code == 204
    assert enrolled.poll(0).json()["attempt"] == 2


def test_a_failure_is_reported(enrolled: Wire) -> None:
    request = queue(Domain.objects.get(), timezone.now())
    enrolled.bootstrap()
    enrolled.poll(0)
    path = f"bus/{request.pk}/failure?attempt=1"
    assert code_of(enrolled.bus("POST", path, json={"status": "500"})) == "MalformedRequest"
    error = {
        "detail": "Down.",
        "urn:isthmus:scim:api:messages:1.0:Error": {"code": "DirectoryDown", "retry": False},
    }
    assert enrolled.bus("POST", path, json=error).status_code == 202
    assert BusRequest.objects.get().error_code == "DirectoryDown"


def test_wrong_pages_are_refused_with_their_reason(enrolled: Wire) -> None:
    request = queue(Domain.objects.get(), timezone.now())
    enrolled.bootstrap()
    enrolled.poll(0)
    assert code_of(enrolled.post_page(request.pk, 1, b"garbage")) == "MalformedPage"
    assert code_of(enrolled.post_page(request.pk, 2, page(2))) == "PageOutOfOrder"
    assert code_of(enrolled.post_page(request.pk, 1, page(), attempt=2)) == "RequestNotYours"
    assert code_of(enrolled.post_page(uuid.uuid4(), 1, page())) == "RequestUnknown"
    plain = enrolled.bus("POST", f"bus/{request.pk}/pages/1?attempt=1", data=page())
    assert code_of(plain) == "MalformedPage"
    assert enrolled.post_page(request.pk, 1, page(last=True)).status_code == 202


@pytest.mark.parametrize("is_announced", [True, False], ids=["by its length", "while it is read"])
def test_an_oversized_page_is_refused(enrolled: Wire, is_announced: bool) -> None:
    request = queue(Domain.objects.get(), timezone.now())
    enrolled.bootstrap()
    enrolled.poll(0)
    chunk = b"x" * 65_536
    body = chunk * 129 if is_announced else (chunk for _ in range(129))
    answer = enrolled.bus("POST", f"bus/{request.pk}/pages/1?attempt=1", data=body, headers=PAGE_HEADERS)
    assert (answer.status_code, code_of(answer)) == (413, "OversizedPage")
    assert enrolled.post_page(request.pk, 1, page(last=True)).status_code == 202


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MalformedRequest"),
        (b"[]", "MalformedRequest"),
        (b'{"name": "srv1"}', "MalformedRequest"),
        (b'{"name": "a\\u0000", "version": "1"}', "MalformedRequest"),
        (b'{"name": "' + b"x" * 70_000 + b'"}', "BodyTooLarge"),
    ],
    ids=["empty", "a list", "a field missing", "a zero character", "too large"],
)
def test_a_bad_body_is_refused(portal: Portal, body: bytes, code: str) -> None:
    member = make_agent(issued_at=timezone.now())
    wire = Wire(portal, member)
    token = member.assertion(wire.url("bootstrap"), timezone.now())
    assert code_of(wire.call("POST", "bootstrap", token, data=body)) == code


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("GET", "bus", "BusTokenInvalid", 401),
        ("GET", "bus?wait=soon", "MalformedRequest", 400),
        ("POST", "bus", "MethodNotAllowed", 405),
        ("GET", "nothing/here", "CallUnknown", 404),
        ("POST", "bus/not-a-guid/pages/1?attempt=1", "CallUnknown", 404),
        ("POST", f"bus/{uuid.uuid4()}/pages/1", "MalformedRequest", 400),
        ("POST", "registrations", "MalformedRequest", 400),
        ("POST", "bootstrap", "AssertionInvalid", 401),
    ],
)
def test_a_call_that_can_not_be_served_says_why(
    portal: Portal, method: str, path: str, code: str, status: int
) -> None:
    answer = Wire(portal).call(method, path, "no-token")
    assert (code_of(answer), answer.status_code) == (code, status)


def test_the_console_still_answers_beside_the_service(portal: Portal) -> None:
    answer = requests.get(f"{portal.url}/healthz", verify=str(portal.authority), timeout=10)
    assert answer.json() == {"status": "ok"}


def test_an_agent_that_is_uninstalled_takes_itself_off(portal: Portal) -> None:
    member = make_agent(make_domain(), bootstrapped_at=timezone.now(), issued_at=timezone.now())
    wire = Wire(portal, member)
    assert wire.signed("DELETE", f"agents/{member.id}", {}).status_code == 204
    assert Agent.objects.get().state == "revoked"
    assert code_of(wire.signed("DELETE", f"agents/{member.id}", {})) == "AgentRevoked"
    assert code_of(wire.signed("POST", "bootstrap", HOST)) == "AgentRevoked"


def test_an_agent_can_not_take_off_another(enrolled: Wire) -> None:
    other = make_agent()
    assert code_of(enrolled.signed("DELETE", f"agents/{other.id}", {})) == "AssertionInvalid"
    assert not Agent.objects.filter(state="revoked").exists()
