"""Distinguished names: escaping (RFC 4514 §2.4) and putting a child under a parent."""

from __future__ import annotations

_ESCAPED = {character: "\\" + character for character in '",+;<>\\='} | {"\0": "\\00"}


def escape_value(value: str) -> str:
    """An attribute value as it must stand in a DN."""
    escaped = "".join(_ESCAPED.get(character, character) for character in value)
    if value.startswith(("#", " ")):
        escaped = "\\" + escaped
    if value.endswith(" ") and len(value) > 1:
        escaped = escaped[:-1] + "\\ "
    return escaped


def child_dn(attribute: str, value: str, parent: str) -> str:
    """DN of the object ``attribute=value`` under a parent DN."""
    return f"{relative_dn(attribute, value)},{parent}"


def relative_dn(attribute: str, value: str) -> str:
    """The first component alone, as a rename wants it."""
    return f"{attribute}={escape_value(value)}"
