"""Judging a controller's certificate before any credential is sent to it."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from provisioning_agent.errors import AgentError
from provisioning_agent.ldap.connection import Endpoint
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.tls import Trust, presented_fingerprint

from .stages import Person

_TIMEOUT_S: Final = 10.0


def judge(servers: tuple[Endpoint, ...], trust: Trust, person: Person) -> str | None:
    """The fingerprint to pin, None where a CA is enough; the first server that answers is judged."""
    for server in servers:
        try:
            shown = presented_fingerprint(server.host, server.port, _TIMEOUT_S)
        except OSError as error:
            person.say(f"    {server} does not answer: {error}")
            continue
        return _judge(server, shown, trust, person)
    raise DirectoryError("AdUnreachable")


def _judge(server: Endpoint, shown: str, trust: Trust, person: Person) -> str | None:
    if trust.fingerprint is not None:
        if trust.fingerprint != shown:
            raise DirectoryError(
                "AdCertificateUntrusted", f"{server} shows the certificate {shown}, not the confirmed one."
            )
        person.say(f"    {server} shows the certificate that was confirmed")
        return shown
    refusal = _refusal(server, trust)
    if refusal is None:
        person.say(f"    {server} shows a certificate of a trusted CA")
        return None
    person.say(f"    the certificate of {server} is not trusted: {refusal}")
    person.say(f"    its SHA-256 fingerprint: {shown}")
    if trust.ca_file is None and person.confirm("Is that the certificate on the controller?"):
        return shown
    raise AgentError(
        "FingerprintNotConfirmed",
        f"The certificate of {server} ({shown}) is not trusted; give its CA file, or this fingerprint once compared.",
    )


def _refusal(server: Endpoint, trust: Trust) -> str | None:
    try:
        with (
            socket.create_connection(server, _TIMEOUT_S) as plain,
            trust.context().wrap_socket(plain, server_hostname=server.host),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except (OSError, ssl.SSLError) as error:
        return str(error)
