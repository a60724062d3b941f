"""Signing in with Entra instead of an enrolment token: what is accepted, what is refused, and what is remembered."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from agents.entra import signing_keys
from agents.models import EnrolmentToken
from agents.tests.entra_tie import ROLE, tied_portal
from agents.tests.portal_process import Portal
from agents.tests.wire_client import Wire, code_of
from agents.throttle import Throttle
from lab.agent.entra_server import EntraServer, Someone
from lab.agent.serving import serving
from lab.certificates import issue_server_certificate
from provisioning_agent.wire.errors import WireError

GROUP = str(uuid.uuid4())


@pytest.fixture(scope="module")
def entra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntraServer]:
    tls = issue_server_certificate(tmp_path_factory.mktemp("entra"), "localhost", "127.0.0.1")
    with serving(EntraServer(tls)) as running:
        yield running


@pytest.fixture(scope="module")
def tied(
    entra: EntraServer,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Portal]:
    """A portal tied to that tenant."""
    folder: Path = tmp_path_factory.mktemp("tied")
    with django_db_blocker.unblock(), tied_portal(folder, entra, GROUP) as running:
        yield running


def exchange(portal: Portal, token: str) -> requests.Response:
    return Wire(portal).call("POST", "enrolment-tokens", token)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("someone", [Someone("ada", roles=[ROLE]), Someone("bob", groups=[GROUP])])
def test_who_may_add_agents_gets_a_token_once_and_it_is_noted(
    someone: Someone, entra: EntraServer, tied: Portal
) -> None:
    signed_in = entra.id_token(someone)
    answer = exchange(tied, signed_in)
    assert answer.status_code == 201, answer.text
    token = EnrolmentToken.objects.get()
    assert answer.json()["token"].startswith(f"isthmus-{token.hint}-")
    assert token.issued_to == f"{someone.name}@contoso.example ({someone.object_id})"
    assert timedelta(minutes=59) < token.expires_at - timezone.now() <= timedelta(hours=1)
    assert code_of(exchange(tied, signed_in)) == "EntraTokenUsed"
    assert EnrolmentToken.objects.count() == 1
    log = tied.log.read_text()
    assert f"event=enrolment-token-issued hint={token.hint}" in log
    assert signed_in not in log


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_a_sign_in_is_said_and_gives_no_token(entra: EntraServer, tied: Portal) -> None:
    now = int(timezone.now().timestamp())
    ada = Someone("ada", roles=[ROLE])
    overage = {"_claim_names": {"groups": "src1"}}
    refused = [
        ("EntraTokenInvalid", "another application", entra.id_token(ada, aud=str(uuid.uuid4()))),
        ("EntraTokenInvalid", "another tenant", entra.id_token(ada, iss=f"{entra.login}/x/v2.0")),
        ("EntraTokenInvalid", "another tenant", entra.id_token(ada, tid=str(uuid.uuid4()))),
        ("EntraTokenInvalid", "too long ago", entra.id_token(ada, iat=now - 3600, exp=now - 120)),
        ("EntraTokenInvalid", "too long ago", entra.id_token(ada, iat=now - 1200)),
        ("EntraTokenInvalid", "from the future", entra.id_token(ada, iat=now + 600)),
        ("EntraTokenInvalid", "lacks", entra.id_token(ada, oid=None)),
        ("EntraTokenInvalid", "sign in again", "not.a.token"),
        ("EntraTokenInvalid", "sign in again", jwt.encode({"aud": entra.client_id}, "x" * 32, "HS256")),
        ("EntraPersonNotAllowed", "may not add agents", entra.id_token(Someone("eve", roles=["Reader"]))),
        ("EntraPersonNotAllowed", "app role", entra.id_token(Someone("max"), **overage)),
    ]
    for code, words, token in refused:
        answer = exchange(tied, token)
        assert (code_of(answer), words in answer.json()["detail"]) == (code, True), answer.text
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode({"oid": "x"}, stranger, "RS256", headers={"kid": entra.key_id})
    assert code_of(exchange(tied, forged)) == "EntraTokenInvalid"
    assert not EnrolmentToken.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_portal_that_is_not_tied_says_so(portal: Portal, entra: EntraServer) -> None:
    assert Wire(portal).call("GET", "sign-in", "").json() == {"entra": None}
    answer = exchange(portal, entra.id_token(Someone("ada", roles=[ROLE])))
    assert (answer.status_code, code_of(answer)) == (404, "EntraNotTied")


def test_an_agent_is_told_where_to_sign_in(tied: Portal, entra: EntraServer) -> None:
    told = Wire(tied).call("GET", "sign-in", "").json()
    assert told == {"entra": {"authority": entra.authority, "clientId": entra.client_id}}


def test_new_keys_are_found_and_nonsense_does_not_make_us_ask(
    entra: EntraServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(entra.tls.ca))
    now = [0.0]
    keys = signing_keys.SigningKeys(
        f"{entra.authority}/v2.0/.well-known/openid-configuration", lambda: now[0]
    )
    assert keys.find(entra.key_id)
    asked = entra.key_requests
    assert [keys.find("nonsense") for _ in range(5)] == [None] * 5
    entra.new_key()
    assert keys.find(entra.key_id) is None
    assert entra.key_requests == asked
    now[0] = signing_keys.ASK_AGAIN_S
    assert keys.find(entra.key_id)
    assert entra.key_requests == asked + 1


def test_entra_that_does_not_answer_is_named(unused_tcp_port: int) -> None:
    keys = signing_keys.SigningKeys(f"https://localhost:{unused_tcp_port}/metadata")
    with pytest.raises(WireError) as refused:
        keys.find("any")
    assert (refused.value.code, refused.value.status, refused.value.retry) == ("EntraUnreachable", 503, True)


def test_one_address_is_slowed_down_and_told_how_long() -> None:
    now = [0.0]
    throttle = Throttle(2, 60.0, lambda: now[0])
    throttle.admit("a")
    now[0] = 10.0
    throttle.admit("a")
    throttle.admit("b")
    with pytest.raises(WireError, match="TooManyRequests") as refused:
        throttle.admit("a")
    assert refused.value.retry_after == 50.0
    now[0] = 60.0
    throttle.admit("a")


@pytest.mark.django_db(transaction=True)
def test_guessing_is_throttled(tied: Portal) -> None:
    answers = [exchange(tied, "not.a.token") for _ in range(31)]
    assert code_of(answers[-1]) == "TooManyRequests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
