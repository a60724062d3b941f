"""Functions on bytes: base64, hex, security identifiers, distinguished names, bits, new GUIDs."""

from __future__ import annotations

import base64
import binascii
from typing import Final
from uuid import UUID

from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions.definitions import Parameter, Registry, optional
from provisioning.engine.names import component
from provisioning.engine.values import Value, integer, is_empty, limited, text

registry: Final = Registry()

_SOURCE: Final = Parameter("source")
_ENCODINGS: Final = {"unicode": "utf-16-le", "ascii": "ascii", "utf8": "utf-8"}


@registry.plain("ConvertToBase64", _SOURCE, strict=True)
def to_base64(source: Value) -> Value:
    """base64 of the text's UTF-16LE bytes."""
    return limited(base64.b64encode(_bytes(source, "utf-16-le")).decode())


@registry.plain("ConvertToUTF8Hex", _SOURCE, strict=True)
def to_utf8_hex(source: Value) -> Value:
    """The text's UTF-8 bytes in upper-case hex."""
    return limited(_bytes(source, "utf-8").hex().upper())


@registry.plain("ConvertFromBase64", _SOURCE, optional("encoding"), strict=True)
def from_base64(source: Value, encoding: Value = None) -> Value:
    """The text in base64-coded bytes, UTF-16LE unless another encoding is named."""
    codec = _ENCODINGS.get((text(encoding) or "Unicode").lower())
    if codec is None:
        raise EvaluationError("EncodingInvalid", "The encoding is not known.")
    try:
        return decode_base64(source).decode(codec)
    except UnicodeDecodeError as error:
        raise EvaluationError("EncodingInvalid", "The bytes are not text in that encoding.") from error


def _bytes(source: Value, codec: str) -> bytes:
    try:
        return (text(source) or "").encode(codec)
    except UnicodeEncodeError as error:
        raise EvaluationError(
            "EncodingInvalid", "The text has characters that can not be encoded."
        ) from error


def decode_base64(source: Value) -> bytes:
    """The bytes of base64 text; Base64Invalid otherwise."""
    try:
        return base64.b64decode(text(source) or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise EvaluationError("Base64Invalid", "The value is not base64.") from error


@registry.plain("StringFromSid", Parameter("source", "Binary"), strict=True)
def string_from_sid(source: Value) -> Value:
    """A binary SID (base64) as S-1-… (MS-DTYP §2.4.2)."""
    raw = decode_base64(source)
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        raise EvaluationError("SidInvalid", "The value is not a binary security identifier.")
    authority = int.from_bytes(raw[2:8], "big")
    parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4)]
    return "-".join(map(str, ["S", raw[0], authority, *parts]))


@registry.plain("DNComponent", Parameter("dn", "Reference"), Parameter("number", "Integer"), strict=True)
def dn_component(dn: Value, number: Value) -> Value:
    """The value of the n-th component of a DN, counted from 1 on the left; null past the end."""
    return component(text(dn) or "", integer(number))


@registry.plain("BitAnd", Parameter("value1", "Integer"), Parameter("value2", "Integer"), result="Integer")
def bit_and(value1: Value, value2: Value) -> Value:
    """The bits set in both 64-bit numbers; null where one of them is absent."""
    if is_empty(value1) or is_empty(value2):
        return None
    return integer(value1) & integer(value2)


@registry.contextual("Guid")
def guid(context: EvaluationContext) -> Value:
    """A new random GUID."""
    return str(UUID(int=context.random.getrandbits(128), version=4))
