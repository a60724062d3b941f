"""Microsoft Entra's sign-in as far as a device code needs it, over real HTTPS: metadata, keys, device code, token.

After https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code and the answers of the v2.0
endpoints. A test plays the person: ``approve`` is what happens in the browser.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from lab.certificates import TlsFiles

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL_S = 1


@dataclass
class Someone:
    """An account of the tenant."""

    name: str
    roles: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Flow:
    """One device code; ``outcome`` is an error of the token endpoint, or who signed in."""

    device_code: str
    user_code: str
    scope: str
    ends_at: float
    outcome: str | Someone = "authorization_pending"
    polled_at: float = 0.0
    polls: int = 0


class EntraServer(ThreadingHTTPServer):
    """One tenant with one public client."""

    daemon_threads = True

    def __init__(self, tls: TlsFiles) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.tls = tls
        self.login = f"https://localhost:{self.server_address[1]}"
        self.tenant, self.client_id = str(uuid.uuid4()), str(uuid.uuid4())
        self.lock = threading.Condition()
        self.flows: list[Flow] = []
        self.lifetime_s = 900.0
        self.key_requests = 0
        self.new_key()

    @property
    def authority(self) -> str:
        """What msal calls the authority."""
        return f"{self.login}/{self.tenant}"

    def new_key(self) -> None:
        """Sign with another key from now on; the old one is not shown any more."""
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = secrets.token_urlsafe(20)

    def started_flow(self, seconds: float = 30) -> Flow:
        """The newest flow, once there is one."""
        with self.lock:
            assert self.lock.wait_for(lambda: bool(self.flows), seconds), "nobody asked for a device code"
            return self.flows[-1]

    def wait_for_poll(self, flow: Flow, seconds: float = 30) -> bool:
        """Wait until the client has asked once more; false if it does not."""
        with self.lock:
            before = flow.polls
            return self.lock.wait_for(lambda: flow.polls > before, seconds)

    def approve(self, flow: Flow, someone: Someone) -> None:
        """That person has entered the code and signed in."""
        flow.outcome = someone

    def id_token(self, someone: Someone, **changes: Any) -> str:
        """Its ID token; a changed claim of None is left out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": self.client_id,
            "iss": f"{self.authority}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "name": someone.name.title(),
            "oid": someone.object_id,
            "preferred_username": f"{someone.name}@contoso.example",
            "sub": secrets.token_urlsafe(32),
            "tid": self.tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0",
            "roles": someone.roles or None,
            "groups": someone.groups or None,
        }
        claims |= changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.key, "RS256", headers={"kid": self.key_id})

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that do not trust the certificate: nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EntraServer

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:  # the name http.server calls
        entra = self.server
        if self.path == f"/{entra.tenant}/v2.0/.well-known/openid-configuration":
            self._answer(200, self._metadata())
        elif self.path == f"/{entra.tenant}/discovery/v2.0/keys":
            entra.key_requests += 1
            public = json.loads(RSAAlgorithm.to_jwk(entra.key.public_key()))
            self._answer(200, {"keys": [{**public, "use": "sig", "kid": entra.key_id, "x5t": entra.key_id}]})
        else:
            self._answer(404, {"error": "not_found"})

    def do_POST(self) -> None:  # the name http.server calls
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        values = {name: given[0] for name, given in form.items()}
        path = self.path.partition("?")[0]
        if values.get("client_id") != self.server.client_id:
            self._refuse("unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        elif path == f"/{self.server.tenant}/oauth2/v2.0/devicecode":
            self._device_code(values)
        elif path == f"/{self.server.tenant}/oauth2/v2.0/token" and values.get("grant_type") == GRANT:
            self._token(values)
        else:
            self._refuse("unsupported_grant_type", "AADSTS70003: The grant type is not supported.")

    def _metadata(self) -> dict[str, Any]:
        authority = self.server.authority
        return {
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "issuer": f"{authority}/v2.0",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _device_code(self, values: dict[str, str]) -> None:
        entra = self.server
        flow = Flow(
            secrets.token_urlsafe(60),
            secrets.token_hex(5).upper()[:9],
            values.get("scope", ""),
            time.monotonic() + entra.lifetime_s,
        )
        with entra.lock:
            entra.flows.append(flow)
            entra.lock.notify_all()
        where = f"{entra.login}/device"
        self._answer(
            200,
            {
                "user_code": flow.user_code,
                "device_code": flow.device_code,
                "verification_uri": where,
                "expires_in": int(entra.lifetime_s),
                "interval": INTERVAL_S,
                "message": f"To sign in, open the page {where} and enter the code {flow.user_code}.",
            },
        )

    def _token(self, values: dict[str, str]) -> None:
        entra, now = self.server, time.monotonic()
        flow = next((one for one in entra.flows if one.device_code == values.get("device_code")), None)
        if flow is None:
            self._refuse("bad_verification_code", "AADSTS70018: The verification code is not known.")
            return
        with entra.lock:
            flow.polls += 1
            entra.lock.notify_all()
        # RFC 8628 §3.5: too soon after the one before.
        hasty, flow.polled_at = now - flow.polled_at < INTERVAL_S * 0.8, now
        if now >= flow.ends_at:
            self._refuse("expired_token", "AADSTS70020: The provided device code has expired.")
        elif hasty:
            self._refuse("slow_down", "AADSTS70017: Polling too often.")
        elif isinstance(flow.outcome, str):
            self._refuse(flow.outcome, "AADSTS70016: OAuth 2.0 device flow error.")
        else:
            self._sign_in(flow, flow.outcome)

    def _sign_in(self, flow: Flow, someone: Someone) -> None:
        info = base64.urlsafe_b64encode(
            json.dumps({"uid": someone.object_id, "utid": self.server.tenant}).encode()
        )
        self._answer(
            200,
            {
                "token_type": "Bearer",
                "scope": flow.scope,
                "expires_in": 3600,
                "access_token": secrets.token_urlsafe(64),
                "id_token": self.server.id_token(someone),
                "client_info": info.decode().rstrip("="),
            },
        )

    def _refuse(self, error: str, description: str) -> None:
        self._answer(400, {"error": error, "error_description": description, "error_codes": []})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
