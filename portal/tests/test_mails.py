"""Mails say what happened, give the numbers, and lead to the page where something can be done."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning import mails

AT = "2026-03-01T13:30:00+01:00"
CONFIGURATION = "0193d1f0-0000-7000-8000-000000000001"
BASE: dict[str, Any] = {"configuration": "R&D <Contoso>", "configuration_id": CONFIGURATION, "at": AT}
CONTEXTS: dict[str, dict[str, Any]] = {
    "job_held": {**BASE, "deletions": 612, "disables": 3, "threshold": 500, "cycle": 7, "job": 4},
    "job_quarantined": {**BASE, "code": "TimeOut", "reason": "No agent answered.", "cycle": 7, "job": 4},
    "job_given_up": {**BASE, "code": "QuarantinedTooLong", "reason": "Nobody came.", "job": 4},
    "drift_found": {
        **BASE,
        "found": ["Changed attributes: 3"],
        "total": 3,
        "code": "",
        "reason": "",
        "run": 8,
    },
    "agent_cloned": {**BASE, "agent": "srv1", "agent_id": CONFIGURATION, "evidence": "Seen twice."},
    "domain_agentless": {**BASE, "domain": "corp.example"},
}
LINKS = {
    "job_held": "/admin/jobs/4/held/",
    "job_quarantined": f"/admin/provisioning/configuration/{CONFIGURATION}/change/",
    "job_given_up": f"/admin/provisioning/configuration/{CONFIGURATION}/change/",
    "drift_found": f"/admin/provisioning/configuration/{CONFIGURATION}/reconcile/",
    "agent_cloned": f"/admin/agents/agent/{CONFIGURATION}/change/",
    "domain_agentless": "/admin/heartbeat/",
}


@pytest.mark.parametrize("template", CONTEXTS)
def test_text_and_html_give_the_time_in_utc_and_the_link(template: str, settings: Any) -> None:
    settings.PUBLIC_URL = "https://isthmus.example"
    subject, text, html = mails.render(template, CONTEXTS[template])
    link = f"https://isthmus.example{LINKS[template]}"
    for body in (text, html):
        assert "2026-03-01 12:30 UTC" in body
        assert link in body
    assert subject
    assert "\n" not in subject


@pytest.mark.parametrize("template", CONTEXTS)
def test_names_are_escaped_in_html_and_only_there(template: str) -> None:
    _, text, html = mails.render(template, CONTEXTS[template])
    assert "R&D <Contoso>" in text
    assert "R&amp;D &lt;Contoso&gt;" in html
    assert "<Contoso>" not in html


def test_a_held_job_is_told_with_its_numbers() -> None:
    subject, text, html = mails.render("job_held", CONTEXTS["job_held"])
    assert subject == "Held: R&D <Contoso> would delete 612 and disable 3 objects"
    for body in (text, html):
        assert "612" in body
        assert "500" in body
        assert "Nothing was deleted." in body


@pytest.mark.parametrize(
    ("further", "told"),
    [
        ({}, "then repair it or find out who else writes"),
        ({"is_repaired": True}, "what is ours is being written again"),
        ({"code": "TooManyDeletes", "reason": "Nothing was repaired."}, "Nothing was repaired."),
    ],
)
def test_drift_is_told_with_its_numbers_and_what_to_do(further: dict[str, Any], told: str) -> None:
    subject, text, html = mails.render("drift_found", {**CONTEXTS["drift_found"], **further})
    assert subject == "Drift: 3 differences in the target of R&D <Contoso>"
    for body in (text, html):
        assert "Changed attributes: 3" in body
        assert told in body


def test_a_quarantine_is_told_with_its_remedy() -> None:
    subject, text, html = mails.render("job_quarantined", CONTEXTS["job_quarantined"])
    assert subject == "Quarantined: R&D <Contoso> (TimeOut)"
    for body in (text, html):
        assert "Check that the agents of the domain run" in body


def test_a_line_break_in_a_name_can_not_add_a_header() -> None:
    context = {**CONTEXTS["domain_agentless"], "domain": "corp.example\nBcc: everyone@contoso.example"}
    subject, _, _ = mails.render("domain_agentless", context)
    assert subject == "No active agent: corp.example Bcc: everyone@contoso.example"


def test_a_long_name_is_cut_to_what_a_subject_holds() -> None:
    subject, _, _ = mails.render("job_held", {**CONTEXTS["job_held"], "configuration": "x" * 500})
    assert len(subject) == mails.SUBJECT_LIMIT
