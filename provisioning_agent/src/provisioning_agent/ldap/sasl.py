"""Signing in by SASL GSSAPI (RFC 4513 §5.2, RFC 4752) over TLS that is there already."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from .errors import DirectoryError
from .messages import Done, encode_sasl_bind

MECHANISM: Final = "GSSAPI"
# saslBindInProgress (RFC 4511 §4.1.9).
_GO_ON: Final = 14
# Three messages do; a server that asks on and on is broken.
_MOST_STEPS: Final = 8


class Handshake(Protocol):
    """The client's side of one sign-in."""

    def answer(self, challenge: bytes) -> bytes:
        """What to send next."""
        ...


class Ticket(Protocol):
    """What proves an account."""

    def handshake(self, host: str, certificate: bytes) -> Handshake:
        """Begin, with the controller of this name that owns this certificate (DER)."""
        ...


class Tickets(Protocol):
    """Where an account's ticket comes from."""

    def current(self) -> Ticket:
        """A good one, kept from before or new."""
        ...

    def forget(self) -> None:
        """The one kept was refused."""
        ...


class Link(Protocol):
    """As much of a connection as is needed here."""

    def certificate(self) -> bytes:
        """The controller's certificate, DER."""
        ...

    def request(self, encode: Callable[[int], bytes]) -> Done:
        """One operation."""
        ...


def bind(link: Link, ticket: Ticket, host: str) -> Done:
    """Sign in at the controller of this name; the result is the server's last word."""
    handshake = ticket.handshake(host, link.certificate())
    challenge = b""
    for _ in range(_MOST_STEPS):
        token = handshake.answer(challenge)
        done = link.request(partial(encode_sasl_bind, mechanism=MECHANISM, token=token))
        if done.code != _GO_ON:
            return done
        challenge = done.credentials
    raise DirectoryError("AdAnswerUnreadable")
