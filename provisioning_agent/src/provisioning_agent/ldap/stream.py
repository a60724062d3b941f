"""LDAP messages on a socket: bytes out, whole messages in, whatever pieces they arrive in."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Final

from . import ber
from .errors import DirectoryError

_RECEIVE_BYTES: Final = 1 << 18
# No sane entry is larger; a length beyond this is a broken or hostile stream.
_MAX_FRAME_BYTES: Final = 256 << 20


class MessageStream:
    """One side of a connection; what has arrived of a message stays here until the rest does."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._buffer = bytearray()

    def write(self, message: bytes) -> None:
        """Send all of it; ``AdTimeout`` or ``AdConnectionLost``."""
        try:
            self._link.sendall(message)
        except TimeoutError as error:
            raise DirectoryError("AdTimeout") from error
        except OSError as error:
            raise DirectoryError("AdConnectionLost") from error

    def messages(self) -> Iterator[bytes]:
        """Complete messages as they come, without end; ``BerError`` for bytes that are none."""
        while True:
            yield from self._whole()
            self._receive()

    def _whole(self) -> Iterator[bytes]:
        """Complete messages at the head of the buffer, removed from it once all of them are used up."""
        buffer, pos = self._buffer, 0
        try:
            while len(buffer) - pos >= 6:
                tag, _, end = ber.header(buffer, pos)
                if tag != ber.SEQUENCE or end - pos > _MAX_FRAME_BYTES:
                    raise ber.BerError("what arrives is no LDAP message")
                if end > len(buffer):
                    return
                frame = bytes(buffer[pos:end])
                pos = end
                yield frame
        finally:
            del buffer[:pos]

    def _receive(self) -> None:
        try:
            data = self._link.recv(_RECEIVE_BYTES)
        except TimeoutError as error:
            raise DirectoryError("AdTimeout") from error
        except (ssl.SSLError, OSError) as error:
            raise DirectoryError("AdConnectionLost") from error
        if not data:
            raise DirectoryError("AdConnectionLost")
        self._buffer += data
