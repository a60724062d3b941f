"""A small portal over real HTTPS that speaks the wire contract.

The agent's own client is never replaced: what is tested is what goes over the socket. Faults are
answers given instead of the real ones, so that refusals and broken networks can be had at will.
"""

from __future__ import annotations

import json
import re
import secrets
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from lab.certificates import TlsFiles
from provisioning_agent.wire.assertion import verify_assertion
from provisioning_agent.wire.errors import ERROR_EXTENSION, WireError
from provisioning_agent.wire.pages import AD_SCHEMA, PAGE_SCHEMA, decode_page, inflate, parse_page
from provisioning_agent.wire.requests import ReadRequest

POLL_S = 1.0
_CHUNK = 500


@dataclass
class Queued:
    """One request on the bus and everything an agent did about it."""

    request_id: str
    request: ReadRequest
    attempt: int = 0
    leased: bool = False
    pages: dict[int, dict[str, Any]] = field(default_factory=dict)
    resources: int = 0
    page_bytes: list[int] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    handed_back: int = 0
    renewals: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def failure_code(self) -> str:
        """Code of the last failure posted."""
        return str(self.failures[-1][ERROR_EXTENSION]["code"])

    def objects(self) -> dict[str, dict[str, Any]]:
        """Attributes by id of everything delivered."""
        return {
            found["id"]: found[AD_SCHEMA]
            for _, page in sorted(self.pages.items())
            for found in page["Resources"]
            if AD_SCHEMA in found
        }


Fault = Callable[["Handler"], None]


class Portal(ThreadingHTTPServer):
    """The portal; ``faults[(method, pattern)]`` is a list of answers to give first."""

    daemon_threads = True
    listens_on = "127.0.0.1"
    # The host in its URL; the address it listens on unless given.
    named: str | None = None

    def __init__(self, tls: TlsFiles) -> None:
        super().__init__((self.listens_on, 0), Handler)
        self.tls = tls
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls.certificate, self.tls.key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        shown = f"[{self.listens_on}]" if ":" in self.listens_on else self.listens_on
        self.url = f"https://{self.named or shown}:{self.server_address[1]}"
        self.connections = 0
        # Bodies of answers go out by chunked transfer coding (RFC 9112 §7.1), in small pieces.
        self.answers_in_chunks = False
        self.lock = threading.Condition()
        self.tokens = {"isthmus-abcd1234-" + "t" * 43}
        self.agents: dict[str, x509.Certificate] = {}
        self.by_key: dict[bytes, str] = {}
        self.groupings: list[dict[str, str]] = []
        self.bootstraps: list[dict[str, Any]] = []
        self.bus_tokens: set[str] = set()
        self.queue: list[Queued] = []
        self.faults: dict[tuple[str, str], list[Fault]] = defaultdict(list)
        self.renew_certificate = False
        # Of the update repository, by path; without any there is none.
        self.files: dict[str, bytes] = {}
        # Off, pages are counted and thrown away: for answers that are large.
        self.keeps_pages = True
        self.listen = False
        self.changes: list[tuple[str, float]] = []
        self.lease_seconds = 30.0
        self.used_assertions: set[str] = set()
        self.ca_key = ec.generate_private_key(ec.SECP256R1())

    @property
    def token(self) -> str:
        """An enrolment token not used yet."""
        return next(iter(self.tokens))

    def ask(self, request: ReadRequest) -> Queued:
        """Put a request on the bus."""
        with self.lock:
            queued = Queued(secrets.token_hex(8), request)
            self.queue.append(queued)
            self.lock.notify_all()
        return queued

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something that happens at the portal has happened."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the portal waited in vain"
            time.sleep(0.02)

    def sign(self, csr: x509.CertificateSigningRequest, agent_id: str) -> x509.Certificate:
        """A certificate for the key of the request."""
        now = datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, agent_id)])
        builder = x509.CertificateBuilder(name, name, csr.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=180))
        return builder.sign(self.ca_key, hashes.SHA256())

    def process_request(self, request: Any, client_address: Any) -> None:
        """One more connection."""
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Agents drop connections when they stop, and refuse certificates: nothing to report."""


def refuse(error: WireError) -> Fault:
    """Answer with this error."""
    return lambda handler: handler.answer(error.status, error.to_body())


def proxy_page(status: int) -> Fault:
    """Answer like something in between that knows nothing of us."""
    return lambda handler: handler.answer_bytes(status, b"<html>bad gateway</html>", "text/html")


def hang_up(handler: Handler) -> None:
    """Break the connection without an answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection of an agent."""

    protocol_version = "HTTP/1.1"
    server: Portal

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _serve(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.bare, _, self.query = self.path.partition("?")
        for (method, pattern), faults in self.server.faults.items():
            if faults and method == self.command and re.search(pattern, self.bare):
                faults.pop(0)(self)
                return
        try:
            self._route()
        except WireError as error:
            self.answer(error.status, error.to_body())

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  # the names http.server calls

    def _route(self) -> None:
        for method, pattern, action in ROUTES:
            match = re.fullmatch("/hybrid/v1/" + pattern, self.bare)
            if match and method == self.command:
                action(self, *match.groups())
                return
        raise WireError("RequestUnknown")

    @property
    def bearer(self) -> str:
        """The token of this call."""
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    def answer(self, status: int, body: Any = None) -> None:
        """Answer with JSON."""
        self.answer_bytes(status, b"" if body is None else json.dumps(body).encode(), "application/json")

    def answer_bytes(self, status: int, body: bytes, kind: str) -> None:
        """Answer with bytes."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if self.server.answers_in_chunks and body:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), _CHUNK):
                piece = body[start : start + _CHUNK]
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def agent(self) -> str:
        """The agent that signed this call."""
        portal = self.server
        for agent_id, certificate in portal.agents.items():
            try:
                claims = verify_assertion(self.bearer, certificate, portal.url + self.path, datetime.now(UTC))
            except WireError:
                continue
            if claims.jti in portal.used_assertions:
                raise WireError("AssertionReplayed")
            portal.used_assertions.add(claims.jti)
            return agent_id
        raise WireError("AssertionInvalid")

    def registrations(self) -> None:
        """``POST registrations``."""
        portal, body = self.server, self.json()
        csr = x509.load_pem_x509_csr(body["csr"].encode())
        key = csr.public_key().public_bytes(Encoding.DER, _SPKI)
        if self.bearer not in portal.tokens and key not in portal.by_key:
            raise WireError("EnrolmentTokenUsed")
        portal.tokens.discard(self.bearer)
        agent_id = portal.by_key.setdefault(key, secrets.token_hex(8))
        certificate = portal.agents.setdefault(agent_id, portal.sign(csr, agent_id))
        pem = certificate.public_bytes(Encoding.PEM).decode()
        self.answer(201, {"agentId": agent_id, "certificate": pem, "caCertificate": pem, "notAfter": ""})

    def put_groupings(self, agent_id: str) -> None:
        """``PUT agents/{id}/resource-groupings``."""
        assert self.agent() == agent_id
        self.server.groupings = self.json()["domains"]
        self.answer(200, {"domains": self.server.groupings})

    def deregister(self, agent_id: str) -> None:
        """``DELETE agents/{id}``."""
        assert self.agent() == agent_id
        del self.server.agents[agent_id]
        self.answer(204)

    def bootstrap(self) -> None:
        """``POST bootstrap``."""
        portal = self.server
        self.agent()
        portal.bootstraps.append(self.json())
        token = secrets.token_urlsafe(16)
        portal.bus_tokens.add(token)
        self.answer(
            200,
            {
                "bus": [{"url": f"{portal.url}/hybrid/v1/bus"}],
                "busToken": token,
                "busTokenExpiresAt": "",
                "bootstrapIntervalSeconds": 600,
                "renewCertificate": portal.renew_certificate,
                "changeNotification": portal.listen,
                "serverTime": datetime.now(UTC).isoformat(),
                "domains": [],
            },
        )

    def changed(self) -> None:
        """``POST bus/changes``."""
        self._require_token()
        self.server.changes.append((self.json()["domain"], time.monotonic()))
        self.answer(202, {})

    def certificates(self) -> None:
        """``POST certificates``."""
        agent_id = self.agent()
        csr = x509.load_pem_x509_csr(self.json()["csr"].encode())
        certificate = self.server.agents[agent_id] = self.server.sign(csr, agent_id)
        self.server.renew_certificate = False
        self.answer(200, {"certificate": certificate.public_bytes(Encoding.PEM).decode(), "notAfter": ""})

    def update_file(self, path: str) -> None:
        """``GET updates/…``."""
        if path not in self.server.files:
            raise WireError("RequestUnknown")
        self.answer_bytes(200, self.server.files[path], "application/octet-stream")

    def poll(self) -> None:
        """``GET bus``."""
        self._require_token()
        portal = self.server
        with portal.lock:
            portal.lock.wait_for(self._waiting, POLL_S)
            queued = self._waiting()
            if queued:
                queued.leased = True
                queued.attempt += 1
        if queued is None:
            self.answer(204)
            return
        body = {
            "requestId": queued.request_id,
            "attempt": queued.attempt,
            "leaseSeconds": portal.lease_seconds,
            "request": queued.request.to_dict(),
        }
        self.answer(200, body)

    def _waiting(self) -> Queued | None:
        return next((one for one in self.server.queue if not one.leased and not one.done.is_set()), None)

    def _require_token(self) -> None:
        if self.bearer not in self.server.bus_tokens:
            raise WireError("BusTokenExpired")

    def _leased(self, request_id: str) -> Queued:
        self._require_token()
        queued = next((one for one in self.server.queue if one.request_id == request_id), None)
        if queued is None:
            raise WireError("RequestUnknown")
        if queued.done.is_set():
            raise WireError("RequestClosed")
        if self.query != f"attempt={queued.attempt}" or not queued.leased:
            raise WireError("RequestNotYours")
        return queued

    def page(self, request_id: str, number: str) -> None:
        """``POST bus/{request}/pages/{n}``."""
        queued = self._leased(request_id)
        page = decode_page(self.body) if self.server.keeps_pages else parse_page(inflate(self.body))
        queued.resources += len(page["Resources"])
        if self.server.keeps_pages:
            queued.pages.setdefault(int(number), page)
        queued.page_bytes.append(len(self.body))
        if page[PAGE_SCHEMA]["complete"]:
            queued.done.set()
        self.answer(202, {})

    def failure(self, request_id: str) -> None:
        """``POST bus/{request}/failure``."""
        queued = self._leased(request_id)
        queued.failures.append(self.json())
        queued.done.set()
        self.answer(202, {})

    def renew(self, request_id: str) -> None:
        """``POST bus/{request}/lease``."""
        queued = self._leased(request_id)
        queued.renewals += 1
        self.answer(200, {"leaseSeconds": self.server.lease_seconds})

    def hand_back(self, request_id: str) -> None:
        """``DELETE bus/{request}/lease``."""
        queued = self._leased(request_id)
        queued.handed_back += 1
        queued.leased = False
        self.answer(204)


_SPKI = PublicFormat.SubjectPublicKeyInfo

ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("POST", "registrations", Handler.registrations),
    ("PUT", "agents/([^/]+)/resource-groupings", Handler.put_groupings),
    ("DELETE", "agents/([^/]+)", Handler.deregister),
    ("POST", "bootstrap", Handler.bootstrap),
    ("POST", "certificates", Handler.certificates),
    ("GET", "updates/(.+)", Handler.update_file),
    ("GET", "bus", Handler.poll),
    ("POST", "bus/changes", Handler.changed),
    ("POST", "bus/([^/]+)/pages/([0-9]+)", Handler.page),
    ("POST", "bus/([^/]+)/failure", Handler.failure),
    ("POST", "bus/([^/]+)/lease", Handler.renew),
    ("DELETE", "bus/([^/]+)/lease", Handler.hand_back),
]
