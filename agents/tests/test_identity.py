from __future__ import annotations

from datetime import datetime, timedelta

import jwt
import pytest

from agents import bootstrap, bus_tokens, identity, renewal, revocation
from agents.facts import HostFacts
from agents.models import Agent, SeenAssertion
from agents.tests.cast import NOW, later, make_agent, make_csr, new_key
from provisioning_agent.wire.assertion import make_assertion
from provisioning_agent.wire.errors import WireError

URL = "https://portal.example/hybrid/v1/bootstrap"
FACTS = HostFacts("srv1", "0.1.0", "Debian", None)
pytestmark = pytest.mark.django_db


def refusal(token: str, now: datetime = NOW, audience: str = URL) -> WireError:
    with pytest.raises(WireError) as caught:
        identity.by_assertion(token, audience, now)
    return caught.value


def bus_refusal(token: str, now: datetime = NOW) -> str:
    with pytest.raises(WireError) as caught:
        identity.by_bus_token(token, now)
    return caught.value.code


def test_an_agent_is_recognised_by_its_signature() -> None:
    member = make_agent()
    assert identity.by_assertion(member.assertion(URL, NOW), URL, NOW).agent_id == member.id


def test_an_assertion_works_once() -> None:
    token = make_agent().assertion(URL, NOW)
    identity.by_assertion(token, URL, NOW)
    assert refusal(token, later(seconds=5)).code == "AssertionReplayed"


def test_seen_assertions_are_kept_as_long_as_they_could_be_replayed() -> None:
    token = make_agent().assertion(URL, NOW)
    identity.by_assertion(token, URL, NOW)
    identity.forget_seen(later(seconds=60))
    assert refusal(token, later(seconds=60)).code == "AssertionReplayed"
    identity.forget_seen(later(minutes=10))
    assert not SeenAssertion.objects.exists()


def test_one_agent_can_not_use_up_the_ids_of_another() -> None:
    first, second = make_agent(), make_agent()
    token = first.assertion(URL, NOW)
    claims = jwt.decode(token, options={"verify_signature": False})
    headers = {"x5t#S256": second.agent.certificate_thumbprint}
    stolen = {**claims, "iss": str(second.id), "sub": str(second.id)}
    identity.by_assertion(jwt.encode(stolen, second.key, "ES256", headers), URL, NOW)
    assert identity.by_assertion(token, URL, NOW).agent_id == first.id


@pytest.mark.parametrize(
    ("minutes", "said"), [(7, "420 seconds behind"), (-7, "420 seconds ahead of")], ids=["behind", "ahead"]
)
def test_a_wrong_clock_is_named_with_its_size(minutes: int, said: str) -> None:
    error = refusal(make_agent().assertion(URL, NOW), later(minutes=minutes))
    assert error.code == "ClockSkew"
    assert said in error.detail


def test_an_assertion_for_another_url_is_refused() -> None:
    token = make_agent().assertion("https://elsewhere.example/hybrid/v1/bootstrap", NOW)
    assert refusal(token).code == "AssertionInvalid"


def test_an_assertion_signed_with_another_key_is_refused() -> None:
    member = make_agent()
    token = make_assertion(new_key(), member.agent.certificate, str(member.id), URL, NOW)
    assert refusal(token).code == "AssertionInvalid"


def test_an_assertion_in_the_name_of_another_agent_is_refused() -> None:
    member, other = make_agent(), make_agent()
    token = make_assertion(member.key, member.agent.certificate, str(other.id), URL, NOW)
    assert refusal(token).code == "AssertionInvalid"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.ü.ö"])
def test_what_is_no_assertion_at_all_is_refused(token: str) -> None:
    assert refusal(token).code == "AssertionInvalid"


def test_an_unknown_certificate_means_an_unknown_agent() -> None:
    member = make_agent()
    token = member.assertion(URL, NOW)
    Agent.objects.all().delete()
    assert refusal(token).code == "AgentUnknown"


def test_a_revoked_agent_is_refused_everywhere() -> None:
    member = make_agent()
    bus_token = member.bus_token(NOW)
    revocation.revoke(member.agent, NOW)
    assert refusal(member.assertion(URL, NOW)).code == "AgentRevoked"
    assert bus_refusal(bus_token) == "AgentRevoked"


def test_an_expired_certificate_is_named_with_its_end() -> None:
    end = NOW + timedelta(days=180)
    member = make_agent()
    error = refusal(member.assertion(URL, end), end)
    assert error.code == "AssertionInvalid"
    assert f"{end:%Y-%m-%d}" in error.detail


def test_after_a_renewal_both_certificates_work_until_the_new_one_is_used() -> None:
    now = later(days=160)
    member, fresh = make_agent(), new_key()
    old = member.assertion(URL, now)
    old_bus_token = member.bus_token(now)
    agent = renewal.renew(member.identity(), make_csr(fresh), now)
    assert identity.by_assertion(old, URL, now).agent_id == member.id
    new = make_assertion(fresh, agent.certificate, str(member.id), URL, now)
    bootstrap.bootstrap(identity.by_assertion(new, URL, now), FACTS, {}, now)
    still_old = make_assertion(member.key, member.agent.certificate, str(member.id), URL, now)
    assert refusal(still_old, now).code == "AgentUnknown"
    assert bus_refusal(old_bus_token, now) == "BusTokenInvalid"


def test_a_bus_token_is_good_for_twenty_minutes() -> None:
    member = make_agent()
    token = member.bus_token(NOW)
    assert identity.by_bus_token(token, later(minutes=19)) == member.id
    assert bus_refusal(token, later(minutes=20)) == "BusTokenExpired"


@pytest.mark.parametrize("spoil", [lambda t: "", lambda t: t[1:], lambda t: t[:-1] + "~", lambda t: "x" + t])
def test_a_bus_token_that_was_touched_is_refused(spoil: object) -> None:
    assert callable(spoil)
    assert bus_refusal(spoil(make_agent().bus_token(NOW))) == "BusTokenInvalid"


def test_a_bus_token_of_one_agent_does_not_open_the_bus_as_another() -> None:
    member, other = make_agent(), make_agent()
    token, _ = bus_tokens.make(other.id, member.agent.certificate_thumbprint, NOW)
    assert bus_refusal(token) == "BusTokenInvalid"
