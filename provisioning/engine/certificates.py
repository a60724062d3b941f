"""The little of X.509 that a scope clause needs: the common names of a certificate's subject."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from provisioning.engine.errors import EvaluationError

_COMMON_NAME: Final = bytes.fromhex("550403")
_SEQUENCE: Final = 0x30
_OBJECT_ID: Final = 0x06
_VERSION: Final = 0xA0
_SUBJECT_AT: Final = 4
"""serialNumber, signature, issuer, validity come first (RFC 5280 §4.1), after an optional version."""


def subject_names(encoded: str) -> list[str]:
    """The CN values of the subject of a base64 DER certificate; Base64Invalid where it is none."""
    try:
        raw = base64.b64decode(encoded, validate=True)
        certificate = _only(raw, _SEQUENCE)
        fields = [each for each in _elements(_first(certificate)) if each[0] != _VERSION]
        return list(_common_names(fields[_SUBJECT_AT][1]))
    except (binascii.Error, ValueError, IndexError) as error:
        raise EvaluationError("Base64Invalid", "The value is not a certificate.") from error


def _common_names(subject: bytes) -> Iterator[str]:
    for _, relative_name in _elements(subject):
        for _, pair in _elements(relative_name):
            (kind, identifier), (_, value) = list(_elements(pair))[:2]
            if kind == _OBJECT_ID and identifier == _COMMON_NAME:
                yield value.decode("utf-8", errors="replace")


def _only(raw: bytes, tag: int) -> bytes:
    elements = list(_elements(raw))
    if len(elements) != 1 or elements[0][0] != tag:
        raise ValueError("not one element")
    return elements[0][1]


def _first(raw: bytes) -> bytes:
    return next(_elements(raw), (0, b""))[1]


def _elements(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each DER element; ValueError where the bytes do not add up."""
    at = 0
    while at < len(raw):
        if at + 2 > len(raw):
            raise ValueError("cut off")
        tag, size, at = raw[at], raw[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(raw[at : at + count], "big"), at + count
        if at + size > len(raw):
            raise ValueError("cut off")
        yield tag, raw[at : at + size]
        at += size
