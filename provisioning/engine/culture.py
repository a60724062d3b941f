"""Upper and lower case the way .NET does it: one character for one, no word context."""

from __future__ import annotations

import re
from typing import Final

from provisioning.engine.errors import EvaluationError

_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*\Z")
_TURKIC: Final = frozenset({"tr", "az"})


def lower(value: str, culture: str = "") -> str:
    """Lower case, invariant unless a culture (RFC 4646 tag) is named."""
    if _is_turkic(culture):
        value = value.replace("I", "ı").replace("İ", "i")
    return value.lower() if value.isascii() else "".join(map(_lower, value))


def upper(value: str, culture: str = "") -> str:
    """Upper case, invariant unless a culture (RFC 4646 tag) is named."""
    if _is_turkic(culture):
        return "".join({"i": "İ", "ı": "I"}.get(character) or _upper(character) for character in value)
    return value.upper() if value.isascii() else "".join(map(_upper, value))


def _is_turkic(culture: str) -> bool:
    if not culture:
        return False
    if not _TAG.match(culture):
        raise EvaluationError("CultureNotKnown", "The culture is not a language tag.")
    return culture.partition("-")[0].lower() in _TURKIC


def _lower(character: str) -> str:
    changed = character.lower()
    return changed if len(changed) == 1 else character


def _upper(character: str) -> str:
    # The invariant culture leaves the dotless i alone.
    changed = character.upper()
    return changed if len(changed) == 1 and character != "ı" else character
