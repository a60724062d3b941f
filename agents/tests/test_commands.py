from __future__ import annotations

import io
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from django.core.management import CommandError, call_command
from django.utils import timezone

from agents import enrolment, tasks
from agents.facts import HostFacts
from agents.models import Agent, BusRequest, EnrolmentToken, RequestState
from agents.tests.cast import NOW, make_agent, make_csr, make_domain, new_key, queue

pytestmark = pytest.mark.django_db


def test_create_enrolment_token_prints_a_token_that_works_and_nothing_else() -> None:
    output = io.StringIO()
    call_command("create_enrolment_token", label="srv1", hours=2, stdout=output)
    text = output.getvalue().removesuffix("\n")
    enrolment.register(text, make_csr(new_key()), HostFacts("srv1", "1", "", None), timezone.now())
    token = EnrolmentToken.objects.get()
    assert (token.label, token.used_by) == ("srv1", Agent.objects.get())
    assert timedelta(hours=1, minutes=59) < token.expires_at - timezone.now() <= timedelta(hours=2)


def test_create_enrolment_token_writes_a_file_only_its_owner_can_read(tmp_path: Path) -> None:
    output = io.StringIO()
    call_command("create_enrolment_token", out=tmp_path / "token", stdout=output)
    assert output.getvalue() == ""
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert (tmp_path / "token").read_text().startswith("isthmus-")


@pytest.mark.parametrize("options", [{"hours": 0}, {"hours": 721}, {"label": "x" * 121}])
def test_create_enrolment_token_refuses_what_can_not_be(options: dict[str, object]) -> None:
    with pytest.raises(CommandError):
        call_command("create_enrolment_token", **options)


def test_make_tls_certificate_writes_files_for_a_server(tmp_path: Path) -> None:
    call_command("make_tls_certificate", host=["portal.example"], out=tmp_path / "tls", stdout=io.StringIO())
    leaf, issuer = x509.load_pem_x509_certificates((tmp_path / "tls" / "server.pem").read_bytes())
    assert issuer == x509.load_pem_x509_certificate((tmp_path / "tls" / "ca.pem").read_bytes())
    leaf.verify_directly_issued_by(issuer)
    assert stat.S_IMODE((tmp_path / "tls" / "server.key").stat().st_mode) == 0o600


def test_beat_settles_what_ran_out_and_flips_who_is_overdue() -> None:
    domain = make_domain()
    make_agent(domain)
    queue(domain, NOW)
    tasks.expire_leases()
    tasks.flip_overdue_agents()
    assert BusRequest.objects.get().state == RequestState.FAILED
    assert Agent.objects.get().state == "inactive"
