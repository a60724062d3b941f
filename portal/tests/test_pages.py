"""Every page of the console opens, costs a fixed number of queries, and shows only what one may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from agents.models import AgentState
from directory.models import Contact, Group
from portal.console import links
from portal.console.navigation import _GROUPS
from portal.tests import factories
from portal.tests.estate import Estate
from provisioning.models import Cycle, Notification, ProvisioningLogEntry, SourceObject

ITEMS = [item for _, items in _GROUPS for item in items]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.title)
def test_every_item_of_the_sidebar_opens(item: Any, console: Client, built: Estate) -> None:
    assert console.get(reverse(item.view)).status_code == 200


@pytest.mark.parametrize("item", [item for item in ITEMS if item.permission], ids=lambda item: item.title)
def test_an_item_is_refused_to_staff_without_its_right(item: Any, rightless_console: Client) -> None:
    assert rightless_console.get(reverse(item.view)).status_code == 403


@pytest.mark.parametrize("item", ITEMS[:-1], ids=lambda item: item.title)
def test_an_outsider_is_sent_to_the_login(item: Any, outsider_console: Client) -> None:
    answer = outsider_console.get(reverse(item.view))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_the_sidebar_of_staff_without_rights_has_no_more_than_the_dashboard(
    rightless_console: Client,
) -> None:
    page = rightless_console.get("/admin/").content.decode()
    assert "Enrolment tokens" not in page
    assert "Your account has no rights yet" in page


def test_every_detail_page_opens(console: Client, built: Estate) -> None:
    failed = ProvisioningLogEntry.objects.filter(status="Failure")[0]
    pages = [
        reverse("admin:agents_agent_change", args=[built.agent.pk]),
        reverse("admin:agents_domain_change", args=[built.domain.pk]),
        reverse("admin:provisioning_configuration_change", args=[built.job.configuration_id]),
        reverse("admin:configuration_scope", args=[built.job.configuration_id]),
        reverse("admin:configuration_mapping", args=[built.job.configuration_id]),
        reverse("admin:configuration_reconcile", args=[built.job.configuration_id]),
        reverse("admin:configuration_properties", args=[built.job.configuration_id]),
        reverse("admin:provisioning_configuration_delete", args=[built.job.configuration_id]),
        reverse("admin:provisioning_configuration_add"),
        reverse("admin:provisioning_cycle_change", args=[Cycle.objects.filter(step="failed")[0].pk]),
        reverse("admin:provisioning_cycle_change", args=[built.held_cycle.pk]),
        reverse("admin:provisioning_provisioninglogentry_change", args=[failed.pk]),
        reverse("admin:directory_user_change", args=[built.users[0].pk]),
        reverse(
            "admin:provisioning_sourceobject_change", args=[SourceObject.objects.filter(is_gone=True)[0].pk]
        ),
        reverse(
            "admin:provisioning_sourceobject_change", args=[SourceObject.objects.filter(is_gone=False)[0].pk]
        ),
        reverse("admin:provisioning_configuration_history", args=[built.job.configuration_id]),
        reverse("admin:directory_group_change", args=[Group.objects.all()[0].pk]),
        reverse("admin:directory_contact_change", args=[Contact.objects.all()[0].pk]),
        reverse("admin:job_held", args=[built.held_job.pk]),
        reverse("admin:job_restart", args=[built.job.pk]),
        reverse("admin:revoke_agent", args=[built.agent.pk]),
        reverse("admin:auth_user_add"),
    ]
    assert {page: console.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


def test_a_notification_shows_the_mail_as_it_is_sent(console: Client, built: Estate) -> None:
    context = {
        "configuration": "Contoso branches",
        "configuration_id": str(built.held_job.configuration_id),
        "job": built.held_job.pk,
        "cycle": built.held_cycle.pk,
        "deletions": 33,
        "disables": 4,
        "threshold": 20,
        "at": factories.moment(5).isoformat(),
    }
    mail = Notification.objects.create(
        event_key="job-held/1",
        template="job_held",
        configuration=built.held_job.configuration,
        subject="Held",
        context=context,
        recipients=["it@contoso.example"],
        created_at=factories.moment(5),
    )
    page = console.get(reverse("admin:provisioning_notification_change", args=[mail.pk])).content.decode()
    assert "would take away more than you allow" in page


def test_an_address_that_is_no_objects_answers_as_django_does(console: Client) -> None:
    assert console.get(reverse("admin:agents_agent_change", args=["nonsense"])).status_code == 404


def test_the_dashboard_costs_the_same_however_many_rows_there_are(
    console: Client, built: Estate, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    console.get("/admin/")
    with django_assert_max_num_queries(16) as first:
        console.get("/admin/")
    for number in range(5):
        extra = factories.configuration(f"More {number}", built.domain)
        factories.cycle(extra)
        factories.agent(f"more-{number}", built.domain, state=AgentState.LATE)
    with django_assert_num_queries(len(first.captured_queries)):
        console.get("/admin/")


@pytest.mark.parametrize(
    "view",
    [
        "admin:heartbeat",
        "admin:agents_agent_changelist",
        "admin:agents_domain_changelist",
        "admin:provisioning_configuration_changelist",
        "admin:provisioning_job_changelist",
        "admin:provisioning_cycle_changelist",
        "admin:provisioning_provisioninglogentry_changelist",
        "admin:provisioning_sourceobject_changelist",
        "admin:directory_user_changelist",
        "admin:directory_group_changelist",
    ],
)
def test_a_list_asks_no_more_for_more_rows(
    view: str,
    console: Client,
    built: Estate,
    django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:
    console.get(reverse(view))
    with django_assert_max_num_queries(14) as first:
        console.get(reverse(view))
    for number in range(4):
        job = factories.configuration(f"More {number}", factories.domain(f"more{number}.example"))
        factories.log_entry(factories.cycle(job), "someone")
        member = factories.source(job.configuration, f"CN=More {number},DC=contoso,DC=example")
        factories.filled_group(factories.cycle(job), "some group", member)
        factories.flip(
            factories.agent(f"more-{number}", built.domain), AgentState.LATE, AgentState.ACTIVE, hours_ago=2
        )
        factories.group(f"More {number}", factories.user(500 + number))
    with django_assert_num_queries(len(first.captured_queries)):
        console.get(reverse(view))


def test_no_list_counts_beyond_its_limit(
    console: Client, built: Estate, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14) as asked:
        console.get(reverse("admin:directory_user_changelist"))
    counts = [query["sql"] for query in asked.captured_queries if "COUNT(" in query["sql"].upper()]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


def test_the_log_is_found_by_object_guid_and_by_name(console: Client, built: Estate) -> None:
    entry = ProvisioningLogEntry.objects.all()[0]
    address = reverse("admin:provisioning_provisioninglogentry_changelist")
    for wanted in (str(entry.source_guid), "{" + str(entry.source_guid).upper() + "}", entry.source_name[:7]):
        found = console.get(address, {"q": wanted}).context["cl"].result_list
        assert entry.pk in {row.pk for row in found}


@pytest.mark.parametrize("wanted", ["ada@CONTOSO.example", "cn=ADA,dc=contoso,dc=example"])
def test_log_and_objects_are_found_by_a_whole_name(console: Client, built: Estate, wanted: str) -> None:
    name = "CN=Ada,DC=contoso,DC=example"
    ada = factories.source(built.job.configuration, name, user_principal_name="ada@contoso.example")
    before = factories.log_entry(built.held_cycle, "CN=Ada Byron,DC=contoso,DC=example", source_guid=ada.guid)
    after = factories.log_entry(built.held_cycle, name, source_guid=ada.guid)
    lists = {
        "admin:provisioning_provisioninglogentry_changelist": {before.pk, after.pk},
        "admin:provisioning_sourceobject_changelist": {ada.pk},
    }
    for view, found in lists.items():
        rows = console.get(reverse(view), {"q": wanted}).context["cl"].result_list
        assert {row.pk for row in rows} == found


def test_an_object_without_a_name_does_not_hide_the_others(console: Client, built: Estate) -> None:
    nameless, ada = (factories.source(built.job.configuration, dn) for dn in ("", "CN=Ada"))
    rows = console.get(reverse("admin:provisioning_sourceobject_changelist")).context["cl"].result_list
    assert {nameless.pk, ada.pk} <= {row.pk for row in rows}


def test_a_whole_name_is_looked_up_by_indexes(built: Estate) -> None:
    configuration = built.job.configuration
    for number in range(2_000):
        factories.source(configuration, f"CN={number}", user_principal_name=f"{number}@contoso.example")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE provisioning_sourceobject")
    plan = links.named("7@contoso.example").explain()
    assert "provisioning_source_dn" in plan
    assert "provisioning_source_upn" in plan


def test_members_of_a_new_group_are_named_and_the_others_counted(console: Client, built: Estate) -> None:
    member = factories.source(built.job.configuration, "CN=Ada Lovelace,DC=contoso,DC=example")
    for members, shown in (((member,), "and 2 more"), ((), "2 no longer known")):
        entry = factories.filled_group(built.held_cycle, "CN=Team", *members, unnamed=2)
        address = reverse("admin:provisioning_provisioninglogentry_change", args=[entry.pk])
        page = console.get(address).content.decode()
        assert shown in page
        assert ("CN=Ada Lovelace" in page) == bool(members)


def test_the_log_filters_by_configuration_status_and_type(console: Client, built: Estate) -> None:
    address = reverse("admin:provisioning_provisioninglogentry_changelist")
    chosen = {"configuration": str(built.job.configuration_id), "status__exact": "Failure", "type": "user"}
    rows = list(console.get(address, chosen).context["cl"].result_list)
    assert len(rows) == 4
    assert not list(console.get(address, {**chosen, "type": "group"}).context["cl"].result_list)


def test_soft_deleted_users_are_shown_only_when_asked_for(console: Client, built: Estate) -> None:
    address = reverse("admin:directory_user_changelist")
    assert console.get(address).context["cl"].result_count == len(built.users)
    assert console.get(address, {"deleted": "only"}).context["cl"].result_count == 1


def test_the_dashboard_names_the_domain_that_lost_its_agents(console: Client, built: Estate) -> None:
    page = console.get("/admin/").content.decode()
    assert "1 domain without an active agent" in page
    assert "lab.fabrikam.example" in page


def test_the_live_parts_are_parts_and_not_pages(console: Client, built: Estate) -> None:
    parts = [
        reverse("admin:dashboard_live"),
        reverse("admin:heartbeat_live"),
        reverse("admin:configuration_live", args=[built.job.configuration_id]),
    ]
    for part in parts:
        answer = console.get(part, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert b"<html" not in answer.content


def test_login_leads_to_the_dashboard(client: Client, administrator: User) -> None:
    answer = client.post("/admin/login/", {"username": "admin", "password": "correct horse battery"})
    assert answer.status_code == 302
    assert answer["Location"] == "/admin/"


def test_the_login_page_says_what_the_product_is(client: Client, db: None) -> None:
    assert "Cloud sync for Active Directory" in client.get("/admin/login/").content.decode()


@pytest.mark.parametrize(("standing", "count"), [("in", 1), ("gone", 37), ("failing", 1), ("out", 1)])
def test_source_objects_are_told_by_their_standing(
    standing: str, count: int, console: Client, built: Estate
) -> None:
    factories.source(built.job.configuration, "CN=Out,DC=x", in_scope=False)
    factories.source(built.job.configuration, "CN=Failing,DC=x", error_code="SchemaAttributeNotFound")
    address = reverse("admin:provisioning_sourceobject_changelist")
    assert console.get(address, {"standing": standing}).context["cl"].result_count == count


def test_a_source_object_is_found_by_its_guid(console: Client, built: Estate) -> None:
    source = SourceObject.objects.filter(is_gone=False)[0]
    found = console.get(reverse("admin:provisioning_sourceobject_changelist"), {"q": str(source.guid)})
    assert [row.pk for row in found.context["cl"].result_list] == [source.pk]
