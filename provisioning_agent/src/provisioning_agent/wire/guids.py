"""objectGUIDs as the wire writes them: lower case, with hyphens."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

_LENGTH: Final = 36
_DIGITS: Final = b"0123456789abcdef"


def are_guids(values: Collection[Any]) -> bool:
    """Whether each value is what ``GUID_PATTERN`` matches. Looked at all together: a page names 60 000."""
    try:
        written = "".join(values).encode("ascii")
    except (TypeError, UnicodeEncodeError):
        return False
    hyphens = b"-" * len(values)
    return (
        all(length == _LENGTH for length in set(map(len, values)))
        and written[8::_LENGTH]
        == written[13::_LENGTH]
        == written[18::_LENGTH]
        == written[23::_LENGTH]
        == hyphens
        # There is nothing but digits between them.
        and written.translate(None, _DIGITS) == hyphens * 4
    )
