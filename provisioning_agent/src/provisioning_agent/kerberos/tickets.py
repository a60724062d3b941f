"""Tickets, kept in memory alone: from a keytab, or from a password as a controller hands it out."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from provisioning_agent.ldap.errors import DirectoryError

from . import library


class WrongPasswordError(DirectoryError):
    """The account has another password."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket-granting ticket; ``credentials`` is the library's handle."""

    principal: str
    credentials: Any = field(repr=False)

    def seconds_left(self) -> int:
        """How long it is still good for."""
        gssapi = library.load()
        try:
            return int(self.credentials.lifetime or 0)
        except gssapi.exceptions.GSSError:
            return 0

    def handshake(self, host: str, certificate: bytes) -> Handshake:
        """Proves the account to ``ldap/host``, and that it talks to the owner of this certificate (DER)."""
        gssapi = library.load()
        realm = self.principal.rpartition("@")[2]
        # A principal and not a service@host: that would be looked up in DNS, forward and back.
        target = gssapi.Name(f"ldap/{host}@{realm}", gssapi.NameType.kerberos_principal)
        binding = gssapi.raw.ChannelBindings(application_data=end_point(certificate))
        context = gssapi.SecurityContext(
            name=target,
            creds=self.credentials,
            mech=gssapi.MechType.kerberos,
            usage="initiate",
            channel_bindings=binding,
        )
        return Handshake(self.principal, context)


class Handshake:
    """The client's side of SASL GSSAPI (RFC 4752 §3.1), without a security layer: TLS is there already."""

    def __init__(self, principal: str, context: Any) -> None:
        self._principal = principal
        self._context = context

    def answer(self, challenge: bytes) -> bytes:
        """What to send next; the first challenge is empty."""
        gssapi = library.load()
        try:
            if not self._context.complete:
                return bytes(self._context.step(challenge or None) or b"")
            offered = self._context.unwrap(challenge).message
            if len(offered) != 4 or not offered[0] & 1:
                raise DirectoryError("TicketRefused", "The controller insists on a security layer below TLS.")
            return bytes(self._context.wrap(b"\x01\0\0\0", False).message)
        except gssapi.exceptions.GSSError as error:
            raise library.failure(error, self._principal) from error


def from_keytab(keytab: Path, principal: str) -> Ticket:
    """A ticket by the keys of a keytab, new and in a cache of its own."""
    gssapi = library.load()
    store = {"client_keytab": f"FILE:{keytab}", "ccache": f"MEMORY:{uuid.uuid4()}"}
    try:
        credentials = gssapi.Credentials(
            name=gssapi.Name(principal, gssapi.NameType.kerberos_principal), usage="initiate", store=store
        )
        # Asking for it is what fetches it.
        _ = credentials.lifetime
    except gssapi.exceptions.GSSError as error:
        raise library.failure(error, principal) from error
    return Ticket(principal, credentials)


def from_password(principal: str, password: bytes) -> Ticket:
    """A ticket by a password of 256 octets; ``WrongPasswordError`` where the account has another.

    The key is made from UTF-8 while the password is UTF-16 of whatever octets, so lone surrogates become U+FFFD,
    as every controller does (MS-KILE §3.1.1.2). Salt and type of the key are those that the controller tells.
    """
    gssapi = library.load()
    secret = password.decode("utf-16-le", "replace").encode()
    name = gssapi.Name(principal, gssapi.NameType.kerberos_principal)
    try:
        found = gssapi.raw.acquire_cred_with_password(
            name, secret, mechs=[gssapi.MechType.kerberos], usage="initiate"
        )
        credentials = gssapi.Credentials(base=found.creds)
        _ = credentials.lifetime
    except gssapi.exceptions.GSSError as error:
        refused = library.failure(error, principal)
        if library.is_wrong_password(error):
            raise WrongPasswordError(refused.code, refused.detail) from error
        raise refused from error
    return Ticket(principal, credentials)


def end_point(certificate: bytes) -> bytes:
    """The channel binding ``tls-server-end-point`` (RFC 5929 §4.1) of a certificate."""
    used = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    name = used.name if used is not None and used.name not in ("md5", "sha1") else "sha256"
    return b"tls-server-end-point:" + hashlib.new(name, certificate).digest()
