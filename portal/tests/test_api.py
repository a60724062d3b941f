"""The contract of the REST API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from agents.models import Agent, AgentState, EnrolmentToken
from directory.models import Group
from portal.api.errors import ERRORS
from portal.tests import factories
from portal.tests.estate import Estate
from provisioning.models import Configuration, JobState, LogStatus, ProvisioningLogEntry

LISTS = (
    "agents",
    "domains",
    "enrolment-tokens",
    "targets",
    "configurations",
    "jobs",
    "cycles",
    "reconciliations",
    "log",
    "directory/users",
    "directory/groups",
    "directory/contacts",
)
DOCUMENTS = ("heartbeat", "directory/summary")


@pytest.fixture(autouse=True)
def _fresh_throttle() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def every(api: APIClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """All rows of a list, page after page."""
    rows: list[dict[str, Any]] = []
    answer = api.get(f"/api/v1/{path}/", query)
    while True:
        assert answer.status_code == 200, answer.content
        rows += answer.json()["results"]
        if not answer.json()["next"]:
            return rows
        answer = api.get(answer.json()["next"])


@pytest.mark.parametrize("path", LISTS + DOCUMENTS)
def test_everything_answers_with_and_without_a_closing_slash(
    path: str, api: APIClient, built: Estate
) -> None:
    assert api.get(f"/api/v1/{path}/").status_code == 200
    assert api.get(f"/api/v1/{path}").status_code == 200


@pytest.mark.parametrize("path", LISTS + DOCUMENTS)
def test_nothing_answers_without_signing_in(path: str, db: None) -> None:
    answer = APIClient().get(f"/api/v1/{path}/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "NotAuthenticated"
    assert answer["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("path", LISTS + DOCUMENTS)
def test_staff_without_rights_is_refused(path: str, db: None) -> None:
    api = APIClient()
    api.force_authenticate(factories.staff("newcomer"))
    answer = api.get(f"/api/v1/{path}/")
    assert answer.status_code == 403
    assert answer.json()["code"] == "PermissionDenied"


def test_rights_without_being_staff_are_not_enough(db: None) -> None:
    user = factories.staff("former", "agents.view_agent")
    User.objects.filter(pk=user.pk).update(is_staff=False)
    api = APIClient()
    api.force_authenticate(User.objects.get(pk=user.pk))
    assert api.get("/api/v1/agents/").status_code == 403


def test_name_and_password_become_a_token_that_works(administrator: User) -> None:
    api = APIClient()
    answer = api.post(
        "/api/v1/token", {"username": "admin", "password": "correct horse battery"}, format="json"
    )
    assert answer.status_code == 200
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert api.get("/api/v1/agents/").status_code == 200


def test_a_wrong_password_gets_no_token(administrator: User) -> None:
    answer = APIClient().post("/api/v1/token", {"username": "admin", "password": "wrong"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (401, "AuthenticationFailed")
    assert not Token.objects.exists()


def test_an_outsider_gets_no_token(db: None) -> None:
    User.objects.create_user("outsider", password="correct horse battery")
    answer = APIClient().post(
        "/api/v1/token", {"username": "outsider", "password": "correct horse battery"}, format="json"
    )
    assert answer.json()["code"] == "AuthenticationFailed"


def test_guessing_passwords_is_throttled(administrator: User) -> None:
    api = APIClient()
    for _ in range(60):
        api.post("/api/v1/token", {"username": "", "password": ""}, format="json")
    answer = api.post("/api/v1/token", {"username": "admin", "password": "wrong"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (429, "Throttled")
    assert int(answer["Retry-After"]) > 0


def test_an_unknown_token_is_refused(db: None) -> None:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION="Token nonsense")
    answer = api.get("/api/v1/agents/")
    assert (answer.status_code, answer.json()["code"]) == (401, "AuthenticationFailed")


def test_the_session_of_the_console_works_and_wants_its_csrf_token(
    administrator: User, built: Estate
) -> None:
    api = APIClient(enforce_csrf_checks=True)
    api.force_login(administrator)
    assert api.get("/api/v1/jobs/").status_code == 200
    answer = api.post(f"/api/v1/jobs/{built.job.pk}/pause/")
    assert (answer.status_code, answer.json()["code"]) == (403, "PermissionDenied")


def test_bodies_that_are_no_json_are_refused(api: APIClient, db: None) -> None:
    answer = api.generic("POST", "/api/v1/enrolment-tokens/", "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "MalformedBody")
    answer = api.generic("POST", "/api/v1/enrolment-tokens/", "<a/>", content_type="text/xml")
    assert (answer.status_code, answer.json()["code"]) == (415, "UnsupportedMediaType")


def test_unknown_objects_and_methods_are_told_apart(api: APIClient, built: Estate) -> None:
    missing, method = api.get("/api/v1/jobs/999999/"), api.put("/api/v1/cycles/1/")
    assert (missing.status_code, missing.json()["code"]) == (404, "NotFound")
    assert (method.status_code, method.json()["code"]) == (405, "MethodNotAllowed")


def test_every_code_has_a_status_and_a_sentence() -> None:
    for code, (status, sentence) in ERRORS.items():
        assert code[0].isupper()
        assert 400 <= status < 600
        assert sentence.endswith(".")


def test_an_agent_is_listed_with_its_domains_and_without_its_certificate(
    api: APIClient, built: Estate
) -> None:
    found = next(row for row in every(api, "agents") if row["id"] == str(built.agent.pk))
    assert {domain["fqdn"] for domain in found["domains"]} == {
        "corp.contoso.example",
        "branch.contoso.example",
    }
    assert "certificate" not in found


def test_an_agent_is_revoked_once(api: APIClient, built: Estate) -> None:
    address = f"/api/v1/agents/{built.agent.pk}/revoke/"
    assert api.post(address).json()["state"] == AgentState.REVOKED
    answer = api.post(address)
    assert (answer.status_code, answer.json()["code"]) == (409, "AgentRevoked")


def test_a_viewer_can_not_revoke_or_steer_or_create(viewer_api: APIClient, built: Estate) -> None:
    job = f"/api/v1/jobs/{built.held_job.pk}"
    actions = ("start", "pause", "restart", "run", "allow-deletes", "reject-deletes")
    addresses = [f"/api/v1/agents/{built.agent.pk}/revoke/", *(f"{job}/{action}/" for action in actions)]
    addresses += ["/api/v1/configurations/", "/api/v1/enrolment-tokens/", "/api/v1/targets/"]
    assert {address: viewer_api.post(address).status_code for address in addresses} == dict.fromkeys(
        addresses, 403
    )
    assert Agent.objects.get(pk=built.agent.pk).revoked_at is None


def test_a_token_is_shown_at_its_creation_and_never_again(api: APIClient, db: None) -> None:
    answer = api.post("/api/v1/enrolment-tokens/", {"label": "Branch"}, format="json")
    assert answer.status_code == 201
    clear, row = answer.json()["token"], EnrolmentToken.objects.get()
    assert clear.startswith(f"isthmus-{row.hint}-")
    assert row.expires_at - timezone.now() > timedelta(hours=23)
    assert "token" not in api.get(f"/api/v1/enrolment-tokens/{row.pk}/").json()


def test_a_configuration_lives_from_creation_to_deletion(api: APIClient, built: Estate) -> None:
    document = {
        "name": "By script",
        "domain": str(built.domain.pk),
        "target": built.job.configuration.target_id,
        "notification_addresses": ["it@contoso.example"],
        "delete_threshold": 9,
    }
    made = api.post("/api/v1/configurations/", document, format="json")
    assert made.status_code == 201, made.content
    address = f"/api/v1/configurations/{made.json()['id']}/"
    assert made.json()["schema"]["synchronizationRules"]
    (job,) = every(api, "jobs", configuration=made.json()["id"])
    assert job["state"] == JobState.DISABLED
    changed = api.patch(address, {"delete_threshold": 3}, format="json")
    assert changed.json()["delete_threshold"] == 3
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"delete_threshold": 0}, "delete_threshold"),
        ({"notification_addresses": ["nobody"]}, "notification_addresses"),
        ({"name": ""}, "name"),
        ({"name": "Contoso branches"}, "name"),
        ({"target": 999_999}, "target"),
    ],
)
def test_wrong_values_are_named(change: dict[str, Any], field: str, api: APIClient, built: Estate) -> None:
    answer = api.patch(f"/api/v1/configurations/{built.job.configuration_id}/", change, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidInput")
    assert field in answer.json()["errors"]


def test_domain_and_target_stay_what_they_were(api: APIClient, built: Estate) -> None:
    address = f"/api/v1/configurations/{built.job.configuration_id}/"
    answer = api.patch(address, {"domain": str(built.agentless.pk)}, format="json")
    assert answer.json()["code"] == "InvalidInput"
    assert "domain" in answer.json()["errors"]


def test_a_schema_that_can_not_be_run_is_refused_with_its_place(api: APIClient, built: Estate) -> None:
    address = f"/api/v1/configurations/{built.job.configuration_id}/"
    answer = api.patch(address, {"schema": {"synchronizationRules": "none"}}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "SchemaInvalid")
    assert "synchronizationRules" in answer.json()["detail"]


def test_a_changed_schema_makes_the_job_read_everything_again(api: APIClient, built: Estate) -> None:
    made = api.post(
        "/api/v1/configurations/",
        {"name": "S", "domain": str(built.domain.pk), "target": built.job.configuration.target_id},
        format="json",
    ).json()
    Configuration.objects.get(pk=made["id"]).jobs.update(watermark="opaque")
    schema = made["schema"]
    schema["synchronizationRules"][0]["objectMappings"][0]["enabled"] = False
    answer = api.patch(f"/api/v1/configurations/{made['id']}/", {"schema": schema}, format="json")
    assert answer.status_code == 200, answer.content
    assert Configuration.objects.get(pk=made["id"]).jobs.get().watermark == ""


def test_a_job_is_steered(api: APIClient, built: Estate) -> None:
    address = f"/api/v1/jobs/{built.job.pk}"
    assert api.post(f"{address}/pause/").json()["state"] == JobState.PAUSED
    refused = api.post(f"{address}/run/")
    assert (refused.status_code, refused.json()["code"]) == (409, "JobDisabled")
    assert api.post(f"{address}/start/").json()["state"] == JobState.ACTIVE
    assert api.post(f"{address}/run/").status_code == 200
    assert api.post(f"{address}/restart/", {"full": True}, format="json").json()["watermark_at"] is None


def test_a_held_job_shows_its_removals_and_is_decided(api: APIClient, built: Estate) -> None:
    address = f"/api/v1/jobs/{built.held_job.pk}"
    removals = every(api, f"jobs/{built.held_job.pk}/removals")
    assert len(removals) == 37
    assert {"delete", "disable"} == {row["kind"] for row in removals}
    assert api.post(f"{address}/allow-deletes/").json()["state"] == JobState.ACTIVE
    again = api.post(f"{address}/reject-deletes/")
    assert (again.status_code, again.json()["code"]) == (409, "JobNotHeld")


def test_cycles_come_newest_first_and_filtered(api: APIClient, built: Estate) -> None:
    rows = every(api, "cycles", configuration=str(built.job.configuration_id), step="done")
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert {row["step"] for row in rows} == {"done"}
    assert {row["job"] for row in rows} == {built.job.pk}


def test_the_log_is_read_whole_though_rows_share_a_moment(api: APIClient, built: Estate) -> None:
    moment = timezone.now()
    for number in range(25):
        factories.log_entry(built.held_cycle, f"same-{number}", at=moment)
    rows = every(api, "log", page_size=4)
    assert len({row["id"] for row in rows}) == len(rows) == ProvisioningLogEntry.objects.count()
    moments = [datetime.fromisoformat(row["at"]) for row in rows]
    assert moments == sorted(moments, reverse=True)


def test_the_log_filters(api: APIClient, built: Estate) -> None:
    failures = every(api, "log", status=LogStatus.FAILURE, configuration=str(built.job.configuration_id))
    assert len(failures) == 4
    (one,) = every(api, "log", object_guid=failures[0]["source_guid"])
    assert one == failures[0]
    assert every(api, "log", object_type="group") == []
    assert len(every(api, "log", name=failures[0]["source_name"].upper())) >= 1
    factories.source(
        built.job.configuration,
        "CN=X",
        guid=failures[0]["source_guid"],
        user_principal_name="x@contoso.example",
    )
    assert every(api, "log", name="X@contoso.example") == [failures[0]]
    assert every(api, "log", after=(timezone.now() + timedelta(hours=1)).isoformat()) == []


def test_members_in_the_log_are_names_at_the_cost_of_no_query_more(
    api: APIClient, built: Estate, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    dns = [f"CN={name},DC=contoso,DC=example" for name in ("Ada", "Bob")]
    ada, bob = (factories.source(built.job.configuration, dn) for dn in dns)
    asked: dict[str, Any] = {"cycle": built.held_cycle.pk, "object_type": "group"}
    gone = factories.filled_group(built.held_cycle, "CN=Team", bob, ada, unnamed=1)
    api.get("/api/v1/log/", asked)
    with django_assert_max_num_queries(3) as first:
        (row,) = every(api, "log", **asked)
    assert row["modified"] == [
        {"displayName": "members added", "count": 3, "oldValue": None, "newValue": dns}
    ]
    assert "members" not in row
    for _ in range(20):
        factories.filled_group(built.held_cycle, "CN=Another", ada, bob)
    with django_assert_num_queries(len(first.captured_queries)):
        rows = every(api, "log", **asked)
    assert [one["modified"][0]["newValue"] for one in rows] == [dns] * 21
    ada.delete()
    assert api.get(f"/api/v1/log/{gone.pk}/").json()["modified"][0]["newValue"] == dns[1:]


def test_a_filter_value_that_makes_no_sense_is_named(api: APIClient, built: Estate) -> None:
    answer = api.get("/api/v1/log/", {"object_guid": "nonsense"})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidInput")
    assert "object_guid" in answer.json()["errors"]


def test_a_broken_cursor_is_not_found(api: APIClient, db: None) -> None:
    assert api.get("/api/v1/log/", {"cursor": "%%%"}).json()["code"] == "NotFound"


def test_a_directory_user_is_found_by_the_object_it_comes_from(api: APIClient, built: Estate) -> None:
    guid = _guid_of(built)
    (found,) = every(api, "directory/users", object_guid=guid)
    assert found["id"] == str(built.users[0].pk)
    assert found["attributes"]["DisplayName"] == found["display_name"]


def test_soft_deleted_users_are_left_out_unless_asked_for(api: APIClient, built: Estate) -> None:
    assert len(every(api, "directory/users")) == len(built.users)
    assert len(every(api, "directory/users", deleted="only")) == 1
    assert len(every(api, "directory/users", deleted="any", page_size=7)) == len(built.users) + 1


def test_members_and_groups_are_read_in_both_directions(api: APIClient, built: Estate) -> None:
    group = Group.objects.get(attributes__DisplayName="Finance")
    members = every(api, f"directory/groups/{group.pk}/members", page_size=5)
    assert {row["id"] for row in members} == {str(user.pk) for user in built.users[:23]}
    groups = every(api, f"directory/users/{built.users[0].pk}/groups")
    assert {row["display_name"] for row in groups} == {"Finance", "Everybody"}


def test_the_summary_counts_what_is_present(api: APIClient, built: Estate) -> None:
    counts = api.get("/api/v1/directory/summary").json()
    assert counts == {"users": 60, "groups": 3, "contacts": 1, "memberships": 118, "is_exact": True}


def test_the_heartbeat_names_the_domain_without_an_agent(api: APIClient, built: Estate) -> None:
    body = api.get("/api/v1/heartbeat/").json()
    assert body["agents"] == {"active": 2, "late": 1, "inactive": 1, "revoked": 1}
    assert [domain["fqdn"] for domain in body["agentless_domains"]] == ["lab.fabrikam.example"]
    assert {agent["name"] for agent in body["troubled"]} == {"branch-srv", "lab-dc-agent"}


@pytest.mark.parametrize("path", ["agents", "jobs", "cycles", "log", "configurations", "directory/users"])
def test_lists_ask_no_more_for_more_rows(
    path: str,
    api: APIClient,
    built: Estate,
    django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(4) as first:
        api.get(f"/api/v1/{path}/")
    for number in range(3):
        job = factories.configuration(f"More {number}", built.domain)
        factories.log_entry(factories.cycle(job), "someone")
        factories.agent(f"more-{number}", built.domain)
        factories.user(700 + number)
    with django_assert_num_queries(len(first.captured_queries)):
        api.get(f"/api/v1/{path}/")


def test_the_schema_and_its_page_are_served_from_here(api: APIClient, db: None) -> None:
    assert api.get("/api/schema/").status_code == 200
    page = api.get("/api/docs/").content.decode()
    assert "swagger-ui" in page
    assert "https://" not in page


def _guid_of(built: Estate) -> str:
    return str(built.job.configuration.source_objects.get().guid)


def test_what_is_done_through_rest_is_in_the_history(
    api: APIClient, administrator: User, built: Estate
) -> None:
    address = f"/api/v1/configurations/{built.job.configuration_id}/"
    api.patch(address, {"delete_threshold": 8}, format="json")
    api.post(f"/api/v1/jobs/{built.job.pk}/pause/")
    api.delete(address)
    lines = LogEntry.objects.filter(object_id=str(built.job.configuration_id)).order_by("id")
    assert [line.change_message for line in lines] == [
        "Changed: delete_threshold",
        "Objects: pause",
        "Deleted",
    ]
    assert {line.user_id for line in lines} == {administrator.pk}
