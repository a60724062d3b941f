"""Attribute documents as tables: names, values, and what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

# Longer values are cut on screen; the whole is in the tooltip and in REST.
_SHOWN = 240


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One attribute of a document."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """One attribute with its value before and after."""

    name: str
    old: object
    new: object


def rows(document: Mapping[str, object]) -> list[AttributeRow]:
    """The attributes of a document by name."""
    return [AttributeRow(name, document[name]) for name in sorted(document, key=str.lower)]


def changed_rows(old: Mapping[str, object], new: Mapping[str, object]) -> list[ChangedRow]:
    """Attributes of either document by name, with both values."""
    return [
        ChangedRow(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys(), key=str.lower)
    ]


def modified_rows(modified: object) -> list[ChangedRow]:
    """The rows of a log entry's ``modified`` list (displayName, oldValue, newValue)."""
    if not isinstance(modified, list):
        return []
    entries = [entry for entry in modified if isinstance(entry, Mapping)]
    return [
        ChangedRow(
            str(entry.get("displayName", "")),
            *(_all_told(entry.get(key), entry.get("count")) for key in ("oldValue", "newValue")),
        )
        for entry in entries
    ]


def _all_told(named: object, count: object) -> object:
    """Members by name and how many more there were: beyond the first hundred, or no longer known."""
    if not isinstance(named, list) or not isinstance(count, int) or count <= len(named):
        return named
    unnamed = grouped(count - len(named))
    return [*named, f"and {unnamed} more"] if named else [f"{unnamed} no longer known"]


def grouped(number: int) -> str:
    """A whole number with its thousands set apart by thin spaces."""
    return f"{number:,}".replace(",", "\u202f")


def value_html(raw: object) -> SafeString:
    """A value as people read it: lists as lines, booleans as words, nothing as a dash."""
    if raw is None or raw == "" or raw == []:
        return mark_safe('<span class="is-faint">–</span>')  # a constant
    if isinstance(raw, list):
        return format_html_join("", '<span class="is-line">{}</span>', ((_cut(_text(item)),) for item in raw))
    return _cut(_text(raw))


def _text(raw: object) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, Mapping) and "value" in raw:
        return str(raw.get("display") or raw["value"])
    return json.dumps(raw, ensure_ascii=False) if isinstance(raw, Mapping) else str(raw)


def _cut(text: str) -> SafeString:
    if len(text) <= _SHOWN:
        return format_html("{}", text)
    return format_html('<span title="{}">{}…</span>', text, text[:_SHOWN])
