"""Adding an agent by signing in with Entra: real wizard, real portal, real domain; Entra alone is a stand-in."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from pytest_django import DjangoDbBlocker

from agents.models import Agent, EnrolmentToken
from agents.tests.entra_tie import ROLE, tied_portal
from agents.tests.portal_process import Portal
from lab.agent.entra_server import EntraServer, Flow, Someone
from lab.agent.serving import serving
from lab.certificates import issue_server_certificate
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from tests.agent_process import COMMAND

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.forest]


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntraServer]:
    folder = tmp_path_factory.mktemp("entra")
    with serving(EntraServer(issue_server_certificate(folder, "localhost", "127.0.0.1"))) as running:
        yield running


@pytest.fixture
def entra(tenant: EntraServer) -> EntraServer:
    """The tenant, with nobody who is about to sign in."""
    tenant.flows.clear()
    return tenant


@pytest.fixture(scope="module")
def portal(
    tenant: EntraServer,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Portal]:
    with (
        django_db_blocker.unblock(),
        tied_portal(tmp_path_factory.mktemp("portal"), tenant) as running,
    ):
        yield running


Configure = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def configure(
    portal: Portal, entra: EntraServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Configure:
    """Starts the wizard; the domain is only reached once somebody has signed in."""
    monkeypatch.setenv("SSL_CERT_FILE", str(entra.tls.ca))
    return lambda: start(
        portal, tmp_path, {"domain": "nowhere.example", "servers": ["192.0.2.1"]}, "x@nowhere.example"
    )


def start(portal: Portal, directory: Path, domain: dict[str, object], user: str) -> subprocess.Popen[str]:
    answers = directory / "answers.yaml"
    account = {"kind": "existing", "user": user, "password_file": str(directory / "password")}
    document = {
        "portal": portal.url,
        "portal_ca_file": str(portal.authority),
        "sign_in": "device-code",
        "domains": [{**domain, "account": account}],
    }
    answers.write_text(yaml.safe_dump(document))
    return subprocess.Popen(
        [str(COMMAND), "configure", f"--answers={answers}", f"--state-dir={directory / 'state'}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str], flow: Flow) -> tuple[int, str]:
    said, _ = process.communicate(timeout=90)
    assert f"enter the code {flow.user_code}" in said
    return process.returncode, said


def test_somebody_signs_in_and_the_agent_is_enrolled(
    portal: Portal,
    entra: EntraServer,
    make_forest: ForestFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forest: SambaForest = make_forest("signin.example", "SIGNIN")
    account = forest.account("isthmus-agent")
    (tmp_path / "password").write_text(account.password)
    monkeypatch.setenv("SSL_CERT_FILE", str(entra.tls.ca))
    domain: dict[str, object] = {
        "domain": forest.dns_name,
        "servers": [forest.address],
        "ca_file": str(forest.ca_file),
    }
    process = start(portal, tmp_path, domain, account.user_principal_name)
    flow = entra.started_flow()
    flow.outcome = "slow_down"
    assert entra.wait_for_poll(flow)
    ada = Someone("ada", roles=[ROLE])
    entra.approve(flow, ada)
    code, said = ended(process, flow)
    assert code == 0, said
    token = EnrolmentToken.objects.get()
    assert token.used_by == Agent.objects.get()
    assert ada.object_id in token.issued_to
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert b"eyJ" not in kept.replace((tmp_path / "state/identity.pem").read_bytes(), b"")


def test_who_may_not_add_agents_is_told_so(configure: Configure, entra: EntraServer) -> None:
    process = configure()
    flow = entra.started_flow()
    entra.approve(flow, Someone("eve"))
    code, said = ended(process, flow)
    assert (code, "EntraPersonNotAllowed: eve@contoso.example" in said) == (5, True), said


def test_a_person_at_the_terminal_is_offered_to_sign_in(
    portal: Portal, entra: EntraServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(entra.tls.ca))
    process = subprocess.Popen(
        [str(COMMAND), "configure", f"--state-dir={tmp_path / 'state'}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None
    answers = [
        portal.url,
        str(portal.authority),
        "",
        "nowhere.example",
        "192.0.2.1",
        "",
        "",
        "x@nowhere.example",
        "n",
    ]
    # Go on; sign in with Entra rather than by a token.
    process.stdin.write("\n".join([*answers, "y", "y"]) + "\n")
    process.stdin.flush()
    flow = entra.started_flow()
    flow.outcome = "authorization_declined"
    code, said = ended(process, flow)
    assert (code, "Sign in with an Entra account?" in said, "was declined" in said) == (5, True, True), said


@pytest.mark.parametrize(
    ("outcome", "words"), [("authorization_declined", "was declined"), ("expired_token", "ran out")]
)
def test_a_sign_in_that_does_not_happen_ends_the_set_up(
    outcome: str, words: str, configure: Configure, entra: EntraServer
) -> None:
    process = configure()
    flow = entra.started_flow()
    flow.outcome = outcome
    code, said = ended(process, flow)
    assert (code, "SignInFailed" in said, words in said) == (5, True, True), said
    assert not EnrolmentToken.objects.exists()


def test_entra_that_can_not_be_trusted_is_named(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    said, _ = configure().communicate(timeout=60)
    assert "SignInUnreachable" in said
