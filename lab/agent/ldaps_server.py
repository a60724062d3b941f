"""A directory server that misbehaves on purpose, over real TLS: what no real one can be made to do."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from lab.certificates import TlsFiles
from provisioning_agent.ldap import ber
from provisioning_agent.ldap.connection import DirectoryLogin, Endpoint
from provisioning_agent.ldap.tls import Trust

_BIND_REQUEST = 0x60
_UNBIND_REQUEST = 0x42

# What one search is answered with: whole messages, made from its message id; None ends the connection.
Answer = Callable[[int], bytes | None]


def result(message_id: int, code: int, tag: int = 0x65, text: bytes = b"") -> bytes:
    """An LDAPResult that ends a search (or answers a bind)."""
    body = ber.sequence(ber.integer(code, ber.ENUMERATED), ber.octets(b""), ber.octets(text), tag=tag)
    return ber.sequence(ber.integer(message_id), body)


def entry(message_id: int, name: str, **attributes: str) -> bytes:
    """A SearchResultEntry."""
    listed = [
        ber.sequence(ber.octets(attribute.encode()), ber.sequence(ber.octets(value.encode()), tag=0x31))
        for attribute, value in attributes.items()
    ]
    body = ber.sequence(ber.octets(name.encode()), ber.sequence(*listed), tag=0x64)
    return ber.sequence(ber.integer(message_id), body)


class MisbehavingServer:
    """Binds anybody; answers the n-th search with the n-th answer, and any further one with the last."""

    def __init__(self, tls: TlsFiles, answers: Sequence[Answer] = (), bind: Answer | None = None) -> None:
        self.received = b""
        self.ca_file = tls.ca
        self._answers = list(answers)
        self._bind = bind or (lambda message_id: result(message_id, 0, 0x61))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(tls.certificate, tls.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def login(self) -> DirectoryLogin:
        """How to connect to it."""
        host, port = self._listener.getsockname()
        return DirectoryLogin((Endpoint(host, port),), "somebody", "S3cret", Trust(ca_file=self.ca_file))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self._converse(connection)
            except ssl.SSLError:
                continue
            except OSError:
                if self._listener.fileno() < 0:
                    return

    def _converse(self, connection: ssl.SSLSocket) -> None:
        buffer, searches = b"", 0
        while data := connection.recv(65536):
            self.received += data
            buffer += data
            while len(buffer) > 2 and (end := ber.header(buffer, 0)[2]) <= len(buffer):
                message, buffer = buffer[:end], buffer[end:]
                (_, number), (kind, _) = ber.children(ber.children(message)[0][1])[:2]
                message_id = ber.to_int(number)
                if kind == _UNBIND_REQUEST:
                    return
                if kind == _BIND_REQUEST:
                    answer = self._bind(message_id)
                else:
                    answer = self._answers[min(searches, len(self._answers) - 1)](message_id)
                    searches += 1
                if answer is None:
                    return
                connection.sendall(answer)
