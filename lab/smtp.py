"""A real SMTP server on a free loopback port that keeps what it is sent."""

from __future__ import annotations

import asyncio
import threading
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from lab.errors import LabError


class Mailbox:
    """Receives mail on ``host:port`` between ``start`` and ``stop`` (or inside a ``with`` block)."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self._wanted_port = port
        self._controller: _AnyPort | None = None
        self._arrived = threading.Condition()
        self._messages: list[EmailMessage] = []

    @property
    def port(self) -> int:
        """The port it listens on; LabError when it does not."""
        if self._controller is None:
            raise LabError("LabWrongState", "The mailbox is not started.")
        return self._controller.bound_port

    @property
    def messages(self) -> list[EmailMessage]:
        """Everything received so far, oldest first; envelope addresses are in X-Envelope-From and -To."""
        with self._arrived:
            return list(self._messages)

    def start(self) -> Mailbox:
        """Begin to listen."""
        self._controller = _AnyPort(self, hostname=self.host, port=self._wanted_port)
        self._controller.start()
        return self

    def stop(self) -> None:
        """Stop listening; the messages stay."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def clear(self) -> None:
        """Forget the messages."""
        with self._arrived:
            self._messages.clear()

    def wait_for(self, count: int, *, seconds: float = 15.0) -> list[EmailMessage]:
        """The messages, once there are ``count`` of them; LabError when they do not come in time."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while len(self._messages) < count:
                if not self._arrived.wait(deadline - time.monotonic()):
                    raise LabError(
                        "LabTimeout", f"{len(self._messages)} of {count} messages came in {seconds:.0f} s."
                    )
            return list(self._messages)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one message (called by the server)."""
        content = (
            envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        )
        message = message_from_bytes(content, policy=policy.default)
        message["X-Envelope-From"] = envelope.mail_from or ""
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        with self._arrived:
            self._messages.append(message)
            self._arrived.notify_all()
        return "250 kept"

    def __enter__(self) -> Mailbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _AnyPort(Controller):
    """aiosmtpd's thread, told which port the system chose: it would otherwise test port 0."""

    @property
    def bound_port(self) -> int:
        if not isinstance(self.server, asyncio.Server):
            raise LabError("LabWrongState", "The mailbox is not started.")
        return int(self.server.sockets[0].getsockname()[1])

    def _trigger_server(self) -> None:
        self.port = self.bound_port
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd leaves it without types
