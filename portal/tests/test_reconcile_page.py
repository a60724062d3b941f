"""The console's page of reconciliations: its buttons, what it shows, and to whom."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.tests.factories import staff
from provisioning.models import Reconciliation
from provisioning.services import reconciliations
from provisioning.tests.answering import run_to_end
from provisioning.tests.drifting import Company, drift_of_every_kind, execute, id_of, reconcile

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_buttons_report_and_repair_and_the_page_tells_what_was_found(console: Client) -> None:
    company = Company()
    page = reverse("admin:configuration_reconcile", args=[company.bench.configuration.pk])
    assert "None yet." in console.get(page).content.decode()
    drift_of_every_kind(company)
    answer = console.post(page, {"mode": "report"}, follow=True).content.decode()
    assert "as soon as the job is free. Nothing is written." in answer
    assert "under way" in answer
    run_to_end(reconciliations.start_due(timezone.now()))
    shown = console.get(page).content.decode()
    assert "7 differences" in shown
    for words in ("Missing in the target", "Membership that we did not write", "written Sales", "held Other"):
        assert words in shown.replace('<span class="is-faint">', "").replace("</span>", "")
    run = Reconciliation.objects.get()
    of_one_kind = console.get(f"{page}?run={run.pk}&kind=missing").content.decode()
    assert "CN=bob" in of_one_kind
    assert "CN=ada" not in of_one_kind
    console.post(page, {"mode": "repair"})
    run_to_end(reconciliations.start_due(timezone.now()))
    assert reconcile(company.bench).total == 1
    history = reverse("admin:provisioning_configuration_history", args=[company.bench.configuration.pk])
    assert "Reconciliation asked for: repair" in console.get(history).content.decode()


def test_who_may_look_may_not_repair(transactional_db: None) -> None:
    company = Company()
    execute("UPDATE directory_user SET deleted_at = now() WHERE id = %s", id_of("dan"))
    reconcile(company.bench)
    page = reverse("admin:configuration_reconcile", args=[company.bench.configuration.pk])
    rights = (
        "provisioning.view_configuration",
        "provisioning.view_reconciliation",
        "provisioning.view_sourceobject",
    )
    shown = signed_in(staff("viewer", *rights)).get(page)
    assert "CN=dan" in shown.content.decode()
    assert 'value="repair"' not in shown.content.decode()
    assert signed_in(staff("other", *rights)).post(page, {"mode": "repair"}).status_code == 403
    assert signed_in(staff("stranger", rights[0])).get(page).status_code == 403


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client
