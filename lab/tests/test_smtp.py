from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest

from lab.errors import LabError
from lab.smtp import Mailbox


def test_mail_sent_over_smtp_is_kept(mailbox: Mailbox) -> None:
    _send(mailbox, "Größe")
    [message] = mailbox.wait_for(1)
    assert message["Subject"] == "Größe"
    assert message["X-Envelope-To"] == "admin@corp.example"
    assert message.get_content().strip() == "Hello, Zoë"


def test_two_mailboxes_do_not_share_a_port(mailbox: Mailbox) -> None:
    with Mailbox() as other:
        assert other.port != mailbox.port
        _send(other, "only here")
        other.wait_for(1)
    assert mailbox.messages == []


def test_mail_that_does_not_come_is_an_error(mailbox: Mailbox) -> None:
    with pytest.raises(LabError) as caught:
        mailbox.wait_for(1, seconds=0.05)
    assert caught.value.code == "LabTimeout"


def test_a_stopped_mailbox_has_no_port_but_keeps_its_mail() -> None:
    with Mailbox() as mailbox:
        _send(mailbox, "kept")
        mailbox.wait_for(1)
    assert len(mailbox.messages) == 1
    with pytest.raises(LabError, match="not started"):
        _ = mailbox.port


def _send(mailbox: Mailbox, subject: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "isthmus@corp.example", "admin@corp.example"
    message.set_content("Hello, Zoë")
    with smtplib.SMTP(mailbox.host, mailbox.port, timeout=10) as client:
        client.send_message(message)
