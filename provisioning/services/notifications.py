"""Mails: written in the transaction of the event, sent after it, never twice for one event."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F

from agents.models import Agent, Domain
from provisioning.engine.guard import Removals
from provisioning.mails import render
from provisioning.models import (
    Configuration,
    Cycle,
    DriftKind,
    Job,
    Notification,
    NotificationState,
    Reconciliation,
    ReconciliationState,
)

logger = logging.getLogger(__name__)

# Seconds until a refused mail is tried again; after the last one it counts as failed.
RETRY_AFTER_S = (60, 300, 900, 3_600, 14_400, 43_200)
# A mail that has been on its way for this long belongs to a process that died: it is not sent again.
SENDING_LIMIT = timedelta(minutes=10)


def job_held(job: Job, cycle: Cycle, removals: Removals, breaches: Sequence[str], now: datetime) -> None:
    """The job's cycle waits for a person."""
    context = {
        "deletions": removals.deletions,
        "disables": removals.disables,
        "memberships": removals.memberships,
        "threshold": "; ".join(breaches),
        "cycle": cycle.pk,
        "job": job.pk,
    }
    _write(f"job-held/{cycle.pk}", "job_held", job.configuration, context, now)


def job_given_up(job: Job, code: str, detail: str, now: datetime) -> None:
    """The job was in quarantine for so long that it is disabled."""
    context = {"code": code, "reason": detail, "job": job.pk}
    _write(f"job-given-up/{job.pk}/{now.isoformat()}", "job_given_up", job.configuration, context, now)


def job_quarantined(job: Job, cycle: Cycle, code: str, detail: str, now: datetime) -> None:
    """The job entered quarantine, or stays in it for another reason."""
    context = {"code": code, "reason": detail, "cycle": cycle.pk, "job": job.pk}
    _write(f"job-quarantined/{cycle.pk}", "job_quarantined", job.configuration, context, now)


def drift_found(run: Reconciliation, now: datetime) -> None:
    """A scheduled reconciliation found the target otherwise than it was written."""
    found = [
        f"{DriftKind(kind).label}: {sum(by_type.values())}" for kind, by_type in sorted(run.counts.items())
    ]
    context = {
        "found": found,
        "total": run.total,
        "is_repaired": run.state == ReconciliationState.REPAIRING,
        "code": run.error_code,
        "reason": run.error_detail,
        "run": run.pk,
    }
    _write(f"drift/{run.pk}", "drift_found", run.configuration, context, now)


def domain_agentless(domain: Domain, now: datetime) -> None:
    """The domain lost its last active agent: whoever watches one of its configurations hears of it."""
    for configuration in Configuration.objects.filter(domain=domain):
        key = f"domain-agentless/{domain.pk}/{now.isoformat()}/{configuration.pk}"
        _write(key, "domain_agentless", configuration, {"domain": domain.fqdn}, now)


def agent_cloned(agent: Agent, now: datetime) -> None:
    """An agent's certificate is used from two hosts: whoever watches a configuration of its domains hears of it."""
    context = {"agent": agent.name, "agent_id": str(agent.pk), "evidence": agent.clone_evidence}
    for configuration in Configuration.objects.filter(domain__groupings__agent=agent).distinct():
        key = f"agent-cloned/{agent.pk}/{now.isoformat()}/{configuration.pk}"
        _write(key, "agent_cloned", configuration, context, now)


def _write(
    key: str, template: str, configuration: Configuration, context: dict[str, Any], now: datetime
) -> None:
    recipients: Sequence[str] = configuration.notification_addresses
    if not recipients:
        return
    full = {**context, "configuration": configuration.name, "at": now.isoformat()}
    full["configuration_id"] = str(configuration.pk)
    Notification.objects.get_or_create(
        event_key=key,
        defaults={
            "template": template,
            "configuration": configuration,
            "subject": render(template, full)[0],
            "context": full,
            "recipients": list(recipients),
            "created_at": now,
            "next_attempt_at": now,
        },
    )


def due(now: datetime) -> list[int]:
    """Ids of the mails to be sent now. Mails whose sender died are set aside as uncertain."""
    stuck = Notification.objects.filter(
        state=NotificationState.SENDING, next_attempt_at__lt=now - SENDING_LIMIT
    )
    stuck.update(
        state=NotificationState.UNCERTAIN,
        last_error="The process that was sending this mail died; whether it arrived is not known.",
    )
    pending = Notification.objects.filter(state=NotificationState.PENDING, next_attempt_at__lte=now)
    return list(pending.order_by("next_attempt_at").values_list("id", flat=True)[:100])


def send(notification_id: int, now: datetime) -> bool:
    """Send one mail unless another process has it; a refusal is tried again later."""
    claimed = Notification.objects.filter(
        pk=notification_id, state=NotificationState.PENDING, next_attempt_at__lte=now
    ).update(state=NotificationState.SENDING, attempts=F("attempts") + 1, next_attempt_at=now)
    if not claimed:
        return False
    notification = Notification.objects.get(pk=notification_id)
    try:
        _message(notification).send()
    except (OSError, smtplib.SMTPException) as error:
        _retry(notification, error, now)
        return False
    notification.state, notification.sent_at = NotificationState.SENT, now
    notification.next_attempt_at, notification.last_error = None, ""
    notification.save()
    return True


def _message(notification: Notification) -> EmailMultiAlternatives:
    _, text, html = render(notification.template, notification.context)
    domain = urlsplit(settings.PUBLIC_URL).hostname
    message = EmailMultiAlternatives(
        subject=notification.subject,
        body=text,
        to=notification.recipients,
        # The same for every attempt, so that a mail server that took it twice can drop one.
        headers={
            "Message-ID": f"<notification-{notification.pk}@{domain}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def _retry(notification: Notification, error: Exception, now: datetime) -> None:
    logger.warning("mail %s was not accepted: %s", notification.pk, type(error).__name__)
    notification.last_error = f"{type(error).__name__}: {error}"
    if notification.attempts > len(RETRY_AFTER_S):
        notification.state, notification.next_attempt_at = NotificationState.FAILED, None
    else:
        wait = RETRY_AFTER_S[notification.attempts - 1]
        notification.state = NotificationState.PENDING
        notification.next_attempt_at = now + timedelta(seconds=wait)
    notification.save()
