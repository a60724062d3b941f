"""Client assertions: signed by the agent, verified by the service."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from provisioning_agent.wire.assertion import make_assertion, thumbprint, unverified_header, verify_assertion
from provisioning_agent.wire.errors import WireError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
URL = "https://portal.example/hybrid/v1/bootstrap"


class Agent:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "agent")])
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(NOW - timedelta(1)).not_valid_after(NOW + timedelta(1))
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(Encoding.PEM).decode()

    def sign(self, now: datetime = NOW) -> str:
        return make_assertion(self.key, self.pem, "agent-1", URL, now)

    def sign_claims(self, **changes: object) -> str:
        issued = int(NOW.timestamp())
        claims: dict[str, object] = {
            "iss": "agent-1",
            "sub": "agent-1",
            "aud": URL,
            "iat": issued,
            "exp": issued + 60,
            "jti": "once",
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        # One level below jwt.encode, which would refuse to write some of the wrong claims.
        headers = {"x5t#S256": thumbprint(self.certificate)}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.key, "ES256", headers)

    def code_of(self, token: str, *, audience: str = URL, now: datetime = NOW) -> str:
        with pytest.raises(WireError) as caught:
            verify_assertion(token, self.certificate, audience, now)
        return caught.value.code


@pytest.fixture(scope="module")
def agent() -> Agent:
    return Agent()


def test_what_was_signed_is_verified(agent: Agent) -> None:
    claims = verify_assertion(agent.sign(), agent.certificate, URL, NOW)
    assert (claims.agent_id, claims.audience) == ("agent-1", URL)
    assert claims.expires_at - claims.issued_at == 60
    assert unverified_header(agent.sign())["x5t#S256"] == thumbprint(agent.certificate)


def test_no_two_assertions_have_the_same_id(agent: Agent) -> None:
    ids = {verify_assertion(agent.sign(), agent.certificate, URL, NOW).jti for _ in range(20)}
    assert len(ids) == 20


def test_another_url_is_refused(agent: Agent) -> None:
    assert agent.code_of(agent.sign(), audience=URL + "/") == "AssertionInvalid"


def test_another_agents_key_is_refused(agent: Agent) -> None:
    other = Agent()
    assert agent.code_of(other.sign()) == "AssertionInvalid"
    forged = make_assertion(other.key, agent.pem, "agent-1", URL, NOW)
    assert agent.code_of(forged) == "AssertionInvalid"


def test_being_late_and_having_a_wrong_clock_are_told_apart(agent: Agent) -> None:
    token = agent.sign()
    assert agent.code_of(token, now=NOW + timedelta(seconds=90)) == "AssertionExpired"
    assert agent.code_of(token, now=NOW + timedelta(seconds=121)) == "ClockSkew"
    verify_assertion(token, agent.certificate, URL, NOW - timedelta(seconds=60))
    assert agent.code_of(token, now=NOW - timedelta(seconds=61)) == "ClockSkew"


@pytest.mark.parametrize(("seconds", "words"), [(600, "600 seconds behind"), (-600, "600 seconds ahead of")])
def test_a_wrong_clock_is_named_with_size_and_direction(agent: Agent, seconds: int, words: str) -> None:
    with pytest.raises(WireError, match=words):
        verify_assertion(agent.sign(), agent.certificate, URL, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(NOW.timestamp()) + 61},
        {"exp": int(NOW.timestamp())},
        {"jti": None},
        {"jti": "x" * 129},
        {"iat": "now"},
        {"sub": "agent-2"},
        {"iss": 5, "sub": 5},
        {"iss": ["agent-1"], "sub": ["agent-1"]},
        {"jti": 7},
        {"iat": True},
        {"aud": 5},
        {"aud": None},
        {"aud": [URL, "https://elsewhere.example/"]},
    ],
)
def test_claims_that_are_not_as_agreed_are_refused(agent: Agent, changes: dict[str, object]) -> None:
    assert agent.code_of(agent.sign_claims(**changes)) == "AssertionInvalid"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "é" * 9])
def test_rubbish_is_refused(agent: Agent, token: str) -> None:
    assert agent.code_of(token) == "AssertionInvalid"


def test_a_token_without_signature_is_refused(agent: Agent) -> None:
    headers = {"x5t#S256": thumbprint(agent.certificate)}
    unsigned = jwt.encode({"iss": "agent-1"}, "", "none", headers=headers)
    assert agent.code_of(unsigned) == "AssertionInvalid"
