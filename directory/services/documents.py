"""Attribute documents of objects: their addresses, and the values that are taken out of them to be parked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from random import SystemRandom
from typing import Any, Final

import orjson

from directory.matching import ADDRESSES, PRIMARY, PRINCIPAL_NAME, MatchPolicy

Document = dict[str, Any]

_RANDOM: Final = SystemRandom()


def read(document: str) -> Document:
    """A document from its JSON text."""
    found: Document = orjson.loads(document)
    return found


def without(document: Document, parked: Iterable[str], policy: MatchPolicy, *, needs_name: bool) -> Document:
    """The document without the parked values; ``needs_name`` when the object has no principal name to keep."""
    kept = dict(document)
    for attribute in parked:
        if attribute == ADDRESSES:
            others = [one for one in addresses_of(kept) if not one.startswith(PRIMARY)]
            kept[ADDRESSES] = others or None
        elif needs_name:
            kept[attribute] = placeholder(str(kept[attribute]), policy.initial_domain)
        else:
            del kept[attribute]
    return kept


def entries(document: Document, parked: Iterable[str], now: datetime) -> list[Document]:
    """What the object tells of its parked values."""
    return [
        {
            "category": "PropertyConflict",
            "occurredDateTime": now.isoformat(),
            "propertyCausingError": attribute,
            "value": document[PRINCIPAL_NAME] if attribute == PRINCIPAL_NAME else primary_of(document),
        }
        for attribute in parked
    ]


def placeholder(principal_name: str, initial_domain: str) -> str:
    """``<prefix>+<4 digits>@<initial domain>``."""
    prefix = principal_name.partition("@")[0]
    return f"{prefix}+{_RANDOM.randrange(10_000):04d}@{initial_domain}"


def primary_of(document: Document) -> str | None:
    """The primary SMTP address with its mark."""
    return next((one for one in addresses_of(document) if one.startswith(PRIMARY)), None)


def addresses_of(document: Document) -> list[str]:
    """All proxy addresses; a single one may come without a list around it."""
    found = document.get(ADDRESSES) or []
    return [found] if isinstance(found, str) else list(found)
