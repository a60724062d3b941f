"""Distinguished names (RFC 4514): taking components apart without losing escaped characters."""

from __future__ import annotations

import re
from typing import Final

from provisioning.engine.errors import EvaluationError

_COMPONENT: Final = re.compile(r"\s*((?:[^,;\\\"]|\\.|\"(?:[^\"\\]|\\.)*\")*)(?:[,;]|\Z)", re.DOTALL)
_HEX_RUN: Final = re.compile(r"(?:\\[0-9A-Fa-f]{2})+")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def components(dn: str) -> list[str]:
    """The relative names from left to right, escapes kept; DistinguishedNameInvalid otherwise."""
    found: list[str] = []
    at = 0
    while at < len(dn):
        match = _COMPONENT.match(dn, at)
        if match is None or "=" not in match[1]:
            raise EvaluationError("DistinguishedNameInvalid", "The value is not a distinguished name.")
        found.append(match[1])
        at = match.end()
    return found


def component(dn: str, number: int) -> str | None:
    """The unescaped value of the n-th component, counted from 1 on the left; None past the end."""
    parts = components(dn)
    if not 1 <= number <= len(parts):
        return None
    return unescape(parts[number - 1].partition("=")[2].strip())


Path = tuple[str, ...]
"""The components of a name, nearest first, unescaped and case-folded: for comparison, not for showing."""


def path(dn: str) -> Path:
    """The path of a name as Active Directory writes it; DistinguishedNameInvalid for one that is none."""
    if "\\" not in dn and '"' not in dn:
        return tuple(dn.casefold().split(",")) if dn else ()
    return tuple(unescape(part).casefold() for part in components(dn))


def lies_in(name: Path, container: Path) -> bool:
    """Whether a name is a container or lies below it."""
    return len(name) >= len(container) and name[len(name) - len(container) :] == container


def unescape(value: str) -> str:
    """The text an RFC 4514 value stands for."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return _ESCAPED.sub(r"\1", _HEX_RUN.sub(_from_hex, value))


def _from_hex(match: re.Match[str]) -> str:
    raw = bytes.fromhex(match[0].replace("\\", ""))
    return raw.decode("utf-8", errors="replace").replace("\\", "\\\\")
