"""A bound connection to one domain controller: ldap3 connects and binds, searches are read raw for speed."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, NamedTuple, Self

import ldap3
from ldap3.core.exceptions import LDAPExceptionError

from . import ber, controls, filters, sasl
from .errors import DirectoryError, bind_refused, from_result
from .messages import (
    EXTENDED_RESPONSE,
    RESULTS,
    SEARCH_ENTRY,
    Done,
    Scope,
    Search,
    decode_done,
    decode_entry,
    encode_search,
    kind_of,
)
from .sasl import Ticket, Tickets
from .servers import ServerBook
from .stream import MessageStream
from .tls import Trust, VerifiedTls

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 10
# A controller that hangs must not hold up the next one in the list.
BIND_TIMEOUT_S: Final = 30
RECEIVE_TIMEOUT_S: Final = 120
_FRAMES_PER_BATCH: Final = 500
# noSuchObject, and a DN that is none.
_NO_SUCH_OBJECT: Final = (32, 34)


class Endpoint(NamedTuple):
    """Host and port of a domain controller."""

    host: str
    port: int = 636

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """``host``, ``host:port`` or ``[v6]:port``; the port defaults to 636 (LDAPS)."""
        head, bracket, tail = text.strip().removeprefix("[").partition("]")
        host, _, port = (head, "", tail.removeprefix(":")) if bracket else head.partition(":")
        if not host or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)):
            raise ValueError(f"{text!r} is not a server name with an optional port")
        return cls(host, int(port or 636))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DirectoryLogin:
    """How to reach and enter one domain; servers are tried in order.

    ``others`` is asked for the passwords to try where ``password`` is refused: it may be changing right now.
    ``discover`` is asked for more servers where none of ``servers`` answers.
    ``tickets``: the account signs in by Kerberos, and has no password here.
    """

    servers: tuple[Endpoint, ...]
    user: str
    password: str = field(repr=False)
    trust: Trust = field(default_factory=Trust)
    others: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False)
    discover: Callable[[], tuple[Endpoint, ...]] = field(default=tuple, repr=False)
    tickets: Tickets | None = field(default=None, repr=False)

    def as_another(self, user: str, password: str) -> DirectoryLogin:
        """The same servers, entered with another account's password."""
        return replace(self, user=user, password=password, others=tuple, tickets=None)

    def by_tickets(self, user: str, tickets: Tickets) -> DirectoryLogin:
        """The same servers, entered by Kerberos."""
        return replace(self, user=user, password="", others=tuple, tickets=tickets)


class Entry(NamedTuple):
    """One decoded search result entry."""

    name: bytes
    attributes: dict[bytes, list[bytes]]

    def first(self, attribute: str) -> bytes | None:
        """The first value of an attribute, None where it is empty."""
        values = self.attributes.get(attribute.encode())
        return values[0] if values else None

    def text(self, attribute: str) -> str:
        """The first value as text, empty where there is none."""
        return (self.first(attribute) or b"").decode(errors="replace")


def connect(login: DirectoryLogin, book: ServerBook | None = None) -> DirectoryConnection:
    """Bind to the first server that answers; a refused account or certificate ends the search at once.

    With a ``book`` those that failed lately come last.
    """
    known = book or ServerBook()
    try:
        return _connect(login, known)
    except DirectoryError as error:
        if error.code != "AdBindFailed":
            raise
        if login.tickets is None:
            return _with_another_password(login, known, error)
        login.tickets.forget()
        return _connect(login, known)


def _with_another_password(
    login: DirectoryLogin, book: ServerBook, refused: DirectoryError
) -> DirectoryConnection:
    for password in dict.fromkeys(login.others()):
        if password == login.password:
            continue
        try:
            return _connect(replace(login, password=password), book)
        except DirectoryError as error:
            if error.code != "AdBindFailed":
                raise
    raise refused


def _connect(login: DirectoryLogin, book: ServerBook) -> DirectoryConnection:
    ticket = login.tickets.current() if login.tickets is not None else None
    unreachable: DirectoryError | None = None
    for endpoint in _candidates(login, book):
        try:
            return _bind(login, endpoint, ticket)
        except DirectoryError as error:
            # One that only DNS names may have a certificate that was never confirmed: no reason to end.
            if not error.retry and (endpoint in login.servers or error.code != "AdCertificateUntrusted"):
                raise
            log.warning("dc=%s code=%s connecting failed", endpoint, error.code)
            book.failed(endpoint)
            unreachable = unreachable or error
    raise unreachable or DirectoryError("AdUnreachable")


def _candidates(login: DirectoryLogin, book: ServerBook) -> Iterator[Endpoint]:
    """The servers listed; where none of them answers those of DNS; last the listed ones that failed lately."""
    lately = [server for server in login.servers if book.is_avoided(server)]
    yield from (server for server in login.servers if server not in lately)
    yield from book.ordered([server for server in login.discover() if server not in login.servers])
    yield from lately


def _bind(login: DirectoryLogin, endpoint: Endpoint, ticket: Ticket | None) -> DirectoryConnection:
    tls = VerifiedTls(login.trust)
    server = ldap3.Server(
        endpoint.host,
        endpoint.port,
        use_ssl=True,
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=CONNECT_TIMEOUT_S,
    )
    bound = ldap3.Connection(
        server,
        user=login.user,
        password=login.password,
        authentication=ldap3.SIMPLE,
        auto_referrals=False,
        check_names=False,
        read_only=True,
        receive_timeout=BIND_TIMEOUT_S,
    )
    try:
        bound.open(read_server_info=False)
        if ticket is not None:
            bound.socket.settimeout(BIND_TIMEOUT_S)
            return _by_ticket(DirectoryConnection(bound, endpoint), ticket)
        accepted = bound.bind(read_server_info=False)
    except LDAPExceptionError as error:
        raise tls.refusal or _unreachable(endpoint) from error
    if not accepted:
        bound.unbind()
        raise _refused(bound.result)
    bound.socket.settimeout(RECEIVE_TIMEOUT_S)
    return DirectoryConnection(bound, endpoint)


def _by_ticket(connection: DirectoryConnection, ticket: Ticket) -> DirectoryConnection:
    try:
        # Everybody may read this (MS-ADTS §3.1.1.3.2); tickets are made out to a name, and we may have an address.
        dse = Search("", filters.present("objectClass"), ("dnsHostName",), Scope.BASE)
        named = connection.find(dse)
        done = sasl.bind(connection, ticket, named.text("dnsHostName").lower() if named else "")
        if done.code:
            raise _refused({"result": done.code, "message": done.message})
    except BaseException:
        connection.close()
        raise
    connection.patience(RECEIVE_TIMEOUT_S)
    return connection


def _unreachable(endpoint: Endpoint) -> DirectoryError:
    return DirectoryError(
        "AdUnreachable",
        f"The domain controller {endpoint} could not be reached; check its name, the port and the network.",
    )


def _refused(result: dict[str, object]) -> DirectoryError:
    code = result.get("result")
    if code == 49:
        return bind_refused(str(result.get("message", "")))
    return from_result(code if isinstance(code, int) else 80)


class DirectoryConnection:
    """Searches over one bound connection, for one thread; after an error only `close` is left to do."""

    def __init__(self, bound: ldap3.Connection, endpoint: Endpoint) -> None:
        self._bound = bound
        self._stream = MessageStream(bound.socket)
        self._message_id = 1000
        self.endpoint = endpoint

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; pending answers are lost, which the server notices by itself."""
        if not self._bound.closed:
            self._bound.strategy.close()

    def certificate(self) -> bytes:
        """The controller's certificate, DER."""
        return self._bound.socket.getpeercert(binary_form=True) or b""

    def patience(self, seconds: float) -> None:
        """How long to wait for the next bytes."""
        self._bound.socket.settimeout(seconds)

    def search(self, search: Search) -> list[Entry]:
        """All entries of a search that is known to be small."""
        frames, done = self._collect(self._send(search))
        if done.code:
            raise from_result(done.code)
        return [entry_of(frame) for frame in frames]

    def find(self, search: Search) -> Entry | None:
        """The entry of a base search, None if there is no such object or it may not be seen."""
        frames, done = self._collect(self._send(search))
        if done.code in _NO_SUCH_OBJECT:
            return None
        if done.code:
            raise from_result(done.code)
        return entry_of(frames[0]) if frames else None

    def pages(self, search: Search, size: int) -> Iterator[list[bytes]]:
        """Raw entries page by page; the next page is asked for before this one is handed out."""
        message_id = self._send(search, controls.paged(size, b""))
        while True:
            frames, done = self._collect(message_id)
            if done.code:
                raise from_result(done.code)
            cookie = controls.paged_cookie(done.controls)
            if cookie:
                message_id = self._send(search, controls.paged(size, cookie))
            yield frames
            if not cookie:
                return

    def stream(self, search: Search, extra: bytes = b"") -> Iterator[list[bytes] | Done]:
        """Raw entries in small batches as they arrive, then the `Done`; for answers of unknown size."""
        batch: list[bytes] = []
        for frame in self._frames(self._send(search, extra)):
            if isinstance(frame, Done):
                yield batch
                yield frame
                return
            batch.append(frame)
            if len(batch) >= _FRAMES_PER_BATCH:
                yield batch
                batch = []

    def watch(self, search: Search, extra: bytes, patience_s: float) -> Iterator[Entry | None]:
        """Entries of a search that stays open, as they arrive; None after so many seconds without one."""
        message_id = self._send(search, extra)
        keep_alive(self._bound.socket)
        self._bound.socket.settimeout(patience_s)
        while True:
            try:
                for frame in self._frames(message_id):
                    if isinstance(frame, Done):
                        raise from_result(frame.code) if frame.code else DirectoryError("AdConnectionLost")
                    yield entry_of(frame)
            except DirectoryError as error:
                # Nothing arrived; what has arrived of a message stays in the buffer.
                if error.code != "AdTimeout":
                    raise
                yield None

    def request(self, encode: Callable[[int], bytes]) -> Done:
        """Send an operation that is answered by a result alone; ``encode`` is given the message id."""
        self._message_id += 1
        self._stream.write(encode(self._message_id))
        return self._collect(self._message_id)[1]

    def _collect(self, message_id: int) -> tuple[list[bytes], Done]:
        found: list[bytes] = []
        for frame in self._frames(message_id):
            if isinstance(frame, Done):
                return found, frame
            found.append(frame)
        raise DirectoryError("AdConnectionLost")

    def _send(self, search: Search, extra: bytes = b"") -> int:
        self._message_id += 1
        # Neither base nor filter: both may hold values.
        log.debug(
            "event=ldap-search dc=%s message=%d scope=%s attributes=%d",
            self.endpoint,
            self._message_id,
            search.scope.name.lower(),
            len(search.attributes),
        )
        self._stream.write(encode_search(self._message_id, search, extra))
        return self._message_id

    def _frames(self, message_id: int) -> Iterator[bytes | Done]:
        try:
            yield from self._messages(message_id)
        except ber.BerError as error:
            raise DirectoryError("AdAnswerUnreadable") from error

    def _messages(self, message_id: int) -> Iterator[bytes | Done]:
        for frame in self._stream.messages():
            found, kind = kind_of(frame)
            if kind == EXTENDED_RESPONSE and found == 0:
                # Notice of disconnection (RFC 4511 §4.4.1).
                raise DirectoryError("AdConnectionLost")
            if found != message_id:
                continue
            if kind == SEARCH_ENTRY:
                yield frame
            elif kind in RESULTS:
                yield decode_done(frame)
                return


def keep_alive(link: socket.socket) -> None:
    """Notice within two minutes that the other end is gone, although nothing is sent."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)


def entry_of(frame: bytes) -> Entry:
    """Decode one raw entry; broken bytes become ``AdAnswerUnreadable``."""
    try:
        return Entry(*decode_entry(frame))
    except ber.BerError as error:
        raise DirectoryError("AdAnswerUnreadable") from error
