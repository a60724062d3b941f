"""A small HTTP proxy that only tunnels (CONNECT, RFC 9110 §9.3.6), with a password, and remembers what it saw."""

from __future__ import annotations

import base64
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_PIECE = 65_536
_IDLE_S = 60


class ConnectProxy(ThreadingHTTPServer):
    """On a loopback port; ``tunnels`` are the targets asked for, ``refused`` how many came without the password."""

    daemon_threads = True

    def __init__(self, user: str, password: str) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.url = f"http://{user}:{password}@127.0.0.1:{self.server_address[1]}"
        self.tunnels: list[str] = []
        self.refused = 0
        self.bytes_out = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()


class _Tunnel(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ConnectProxy

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_CONNECT(self) -> None:  # the name http.server calls
        if self.headers.get("Proxy-Authorization") != self.server.expected:
            self.server.refused += 1
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        host, _, port = self.path.rpartition(":")
        self.server.tunnels.append(self.path)
        with socket.create_connection((host.strip("[]"), int(port)), 10) as target:
            self.send_response(200)
            self.end_headers()
            self._carry(target)
        self.close_connection = True

    def _carry(self, target: socket.socket) -> None:
        both = {self.connection: target, target: self.connection}
        while readable := select.select(list(both), [], [], _IDLE_S)[0]:
            for source in readable:
                piece = source.recv(_PIECE)
                if not piece:
                    return
                self.server.bytes_out += len(piece) if source is self.connection else 0
                both[source].sendall(piece)
