"""Mails as text: a template's name and its context become subject, plain text and HTML."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from provisioning.errors import ERRORS

# What the subject's column and most mail programs hold.
SUBJECT_LIMIT: Final = 200

# Where each mail sends its reader, with the context keys that the address needs.
_PAGES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "job_held": ("admin:job_held", ("job",)),
    "job_quarantined": ("admin:provisioning_configuration_change", ("configuration_id",)),
    "job_given_up": ("admin:provisioning_configuration_change", ("configuration_id",)),
    "drift_found": ("admin:configuration_reconcile", ("configuration_id",)),
    "agent_cloned": ("admin:agents_agent_change", ("agent_id",)),
    "domain_agentless": ("admin:heartbeat", ()),
}


def render(template: str, context: Mapping[str, object]) -> tuple[str, str, str]:
    """Subject, text and HTML of a mail. ``context["at"]`` is the event's moment in ISO 8601."""
    full = {**context, "at": _moment(str(context["at"])), "link": _link(template, context)}
    if "code" in context:
        full["remedy"] = ERRORS.get(str(context["code"]), "")
    subject, text, html = (
        render_to_string(f"emails/{template}{ending}", full) for ending in (".subject.txt", ".txt", ".html")
    )
    # A line break in a subject would be a header of its own.
    return " ".join(subject.split())[:SUBJECT_LIMIT], text.strip() + "\n", html


def _link(template: str, context: Mapping[str, object]) -> str:
    view, keys = _PAGES[template]
    return settings.PUBLIC_URL + reverse(view, args=[context[key] for key in keys])


def _moment(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
