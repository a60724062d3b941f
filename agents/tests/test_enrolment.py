from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.utils import timezone

from agents import enrolment, revocation
from agents.facts import HostFacts
from agents.models import Agent, EnrolmentToken
from agents.tests.cast import make_csr, new_key
from provisioning_agent.wire.errors import WireError

FACTS = HostFacts("srv1", "0.1.0", "Debian", "192.0.2.7")
pytestmark = pytest.mark.django_db


def new_token(lifetime: timedelta = timedelta(hours=1)) -> str:
    return enrolment.create_token("for srv1", lifetime, None)[1]


def refused(token: str, csr: str, now: datetime) -> str:
    with pytest.raises(WireError) as caught:
        enrolment.register(token, csr, FACTS, now)
    return caught.value.code


def test_a_token_lets_one_agent_in() -> None:
    done = enrolment.register(new_token(), make_csr(new_key()), FACTS, timezone.now())
    agent = Agent.objects.get()
    assert done.agent_id == str(agent.pk)
    assert (agent.name, agent.external_ip, agent.state) == ("srv1", "192.0.2.7", "inactive")
    assert EnrolmentToken.objects.get().used_by == agent


def test_only_a_digest_of_the_token_is_kept() -> None:
    text = new_token()
    row = EnrolmentToken.objects.values().get()
    secret = text.removeprefix(f"isthmus-{row['hint']}-")
    assert len(secret) == 43
    assert not any(secret in str(value) for value in row.values())


def test_a_token_that_was_never_made_is_unknown() -> None:
    made = new_token()
    for text in (
        "",
        "nonsense",
        "isthmus-abcdefgh-" + "x" * 43,
        made[:-1],
        made + "x",
        made[:-3] + "...",
        made[:-1] + "\n",
    ):
        assert refused(text, make_csr(new_key()), timezone.now()) == "EnrolmentTokenUnknown"
    assert not Agent.objects.exists()


def test_a_token_expires() -> None:
    text = new_token(timedelta(hours=1))
    late = timezone.now() + timedelta(hours=1, seconds=1)
    assert refused(text, make_csr(new_key()), late) == "EnrolmentTokenExpired"


def test_a_used_token_is_refused_to_another_key() -> None:
    text = new_token()
    enrolment.register(text, make_csr(new_key()), FACTS, timezone.now())
    assert refused(text, make_csr(new_key()), timezone.now()) == "EnrolmentTokenUsed"
    assert Agent.objects.count() == 1


def test_a_registration_whose_answer_was_lost_can_be_repeated_with_the_same_key() -> None:
    text, key, now = new_token(timedelta(minutes=1)), new_key(), timezone.now()
    first = enrolment.register(text, make_csr(key), FACTS, now)
    # The token itself has expired by then; what counts is when it was used.
    again = enrolment.register(text, make_csr(key), FACTS, now + timedelta(minutes=9))
    assert again == first
    assert Agent.objects.count() == 1


def test_a_repeat_is_refused_after_ten_minutes() -> None:
    text, key, now = new_token(), new_key(), timezone.now()
    enrolment.register(text, make_csr(key), FACTS, now)
    late = now + timedelta(minutes=10, seconds=1)
    assert refused(text, make_csr(key), late) == "EnrolmentTokenUsed"


def test_a_repeat_does_not_bring_a_revoked_agent_back() -> None:
    text, key, now = new_token(), new_key(), timezone.now()
    enrolment.register(text, make_csr(key), FACTS, now)
    revocation.revoke(Agent.objects.get(), now)
    assert refused(text, make_csr(key), now) == "EnrolmentTokenUsed"


@pytest.mark.parametrize(
    "csr",
    [
        "",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        make_csr(rsa.generate_private_key(65537, 2048)),
        make_csr(ec.generate_private_key(ec.SECP384R1())),
    ],
    ids=["empty", "garbage", "rsa", "other curve"],
)
def test_a_bad_certificate_request_is_refused_and_does_not_use_up_the_token(csr: str) -> None:
    text = new_token()
    assert refused(text, csr, timezone.now()) == "CsrInvalid"
    enrolment.register(text, make_csr(new_key()), FACTS, timezone.now())


def test_a_request_not_signed_by_its_own_key_is_refused() -> None:
    lines = make_csr(new_key()).splitlines()
    # The last full line holds the signature.
    lines[-2] = lines[-2][:-8] + ("AAAAAAA=" if lines[-2].endswith("=") else "AAAAAAAA")
    assert refused(new_token(), "\n".join(lines) + "\n", timezone.now()) == "CsrInvalid"
