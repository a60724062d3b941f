"""Functions on text: cutting, joining, case, white space."""

from __future__ import annotations

import unicodedata
from typing import Final

from provisioning.engine.culture import lower, upper
from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions.definitions import Parameter, Registry, optional
from provisioning.engine.values import Value, are_texts, integer, is_absent, limited, many, single, text

registry: Final = Registry()

_SOURCE: Final = Parameter("source")


@registry.plain("Append", _SOURCE, Parameter("suffix"), strict=True)
def append(source: Value, suffix: Value) -> Value:
    """source followed by suffix; null where source is null."""
    head = text(source)
    return None if head is None else limited(head + (text(suffix) or ""))


@registry.plain("Prepend", Parameter("prefix"), _SOURCE)
def prepend(prefix: Value, source: Value) -> Value:
    """prefix followed by source; null where source is null."""
    tail = text(source)
    return None if tail is None else limited((text(prefix) or "") + tail)


@registry.plain("Join", Parameter("separator"), Parameter("source", repeated=True))
def join(separator: Value, *sources: Value) -> Value:
    """All values of all sources, empty ones dropped, with the separator between them."""
    parts: list[str] = []
    for source in sources:
        if type(source) is str:
            parts.append(source)
        else:
            parts.extend(text(member) or "" for member in many(source))
    parts = [part for part in parts if part]
    between = text(separator) or ""
    size = sum(map(len, parts)) + len(between) * max(len(parts) - 1, 0)
    if size > 1_000_000:
        raise EvaluationError("ValueTooLong", "The joined text is too long.")
    return between.join(parts)


@registry.plain("Left", _SOURCE, Parameter("length", "Integer"))
def left(source: Value, length: Value) -> Value:
    """The first characters; a negative length gives all of them, null gives empty text."""
    whole = text(source) or ""
    count = integer(length)
    return whole if count < 0 else whole[:count]


@registry.plain("Mid", _SOURCE, Parameter("start", "Integer"), optional("length", "Integer"))
def mid(source: Value, start: Value, length: Value = None) -> Value:
    """length characters from start (from 1), the rest without length; odd numbers give the input."""
    whole = text(source) or ""
    first = integer(start)
    if first <= 0 or first > len(whole):
        return whole
    if is_absent(length):
        return whole[first - 1 :]
    count = integer(length)
    return whole if count < 0 else whole[first - 1 : first - 1 + count]


@registry.plain("Len", _SOURCE, result="Integer")
def length(source: Value) -> Value:
    """Number of characters; 0 for null."""
    return len(text(source) or "")


@registry.plain(
    "InStr",
    Parameter("value1"),
    Parameter("value2"),
    optional("start", "Integer"),
    optional("compareType"),
    result="Integer",
)
def position(value1: Value, value2: Value, start: Value = None, compare_type: Value = None) -> Value:
    """Where value2 first stands in value1, counted from 1, looking from start; 0 where it does not."""
    whole, wanted = text(value1) or "", text(value2) or ""
    if ignores_case(compare_type):
        whole, wanted = lower(whole), lower(wanted)
    first = 1 if is_absent(start) else integer(start)
    if first < 1:
        raise EvaluationError("NumberOutOfRange", "InStr counts from 1.")
    return whole.find(wanted, first - 1) + 1


def ignores_case(compare_type: Value) -> bool:
    """What vbTextCompare or vbBinaryCompare (the default) asks for."""
    chosen = (text(compare_type) or "vbBinaryCompare").lower()
    if chosen not in {"vbtextcompare", "vbbinarycompare"}:
        raise EvaluationError("CompareTypeInvalid", "The kind of comparison is not known.")
    return chosen == "vbtextcompare"


@registry.plain("StripSpaces", _SOURCE, strict=True)
def strip_spaces(source: Value) -> Value:
    """Without any U+0020; other white space stays."""
    whole = text(source)
    return None if whole is None else whole.replace(" ", "")


@registry.plain("Trim", Parameter("source"), strict=True, for_text=str.strip)
def trim(value: Value) -> Value:
    """Without white space at both ends; a list has each of its values trimmed."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, (list, tuple)):
        return text(value)
    if are_texts(value):
        return [member.strip() for member in value] or None
    return [part.strip() for member in many(value) if (part := text(member)) is not None] or None


@registry.plain("ToLower", _SOURCE, optional("culture"), strict=True)
def to_lower(source: Value, culture: Value = None) -> Value:
    """Lower case, invariant or of a culture such as tr-TR."""
    whole = text(source)
    return None if whole is None else lower(whole, text(culture) or "")


@registry.plain("ToUpper", _SOURCE, optional("culture"), strict=True)
def to_upper(source: Value, culture: Value = None) -> Value:
    """Upper case, invariant or of a culture such as tr-TR."""
    whole = text(source)
    return None if whole is None else upper(whole, text(culture) or "")


_SEPARATORS: Final = frozenset(
    {"Zs", "Zl", "Zp", "Cc", "Cf", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"}
)


@registry.plain("PCase", _SOURCE, optional("wordSeparators"), strict=True)
def proper_case(source: Value, word_separators: Value = None) -> Value:
    """Each word's first letter upper, the rest lower; without separators words end as in .NET."""
    whole = text(source)
    if whole is None:
        return None
    given = text(word_separators)
    return _title(lower(whole)) if given is None else _title_at(lower(whole), frozenset(given))


def _title(whole: str) -> str:
    """.NET's ToTitleCase of lower-case text: an apostrophe does not end a word."""
    result: list[str] = []
    inside = False
    for character in whole:
        starts = not inside and character.isalpha()
        result.append(upper(character) if starts else character)
        inside = inside or starts
        if character != "'" and unicodedata.category(character) in _SEPARATORS:
            inside = False
    return "".join(result)


def _title_at(whole: str, separators: frozenset[str]) -> str:
    result: list[str] = []
    starts = True
    for character in whole:
        result.append(upper(character) if starts else character)
        starts = character in separators
    return "".join(result)


@registry.plain("Word", _SOURCE, Parameter("number", "Integer"), Parameter("delimiters"))
def word(source: Value, number: Value, delimiters: Value) -> Value:
    """The n-th word (from 1), any of the delimiters ending one; "" where there are too few."""
    whole, marks = text(source) or "", text(delimiters) or ""
    at = integer(number)
    if at < 1:
        return ""
    words = [part for part in whole.translate({ord(mark): "\0" for mark in marks}).split("\0") if part]
    return words[at - 1] if at <= len(words) else ""


@registry.plain("CStr", Parameter("value"), strict=True)
def to_text(value: Value) -> Value:
    """The value as text; references give their display name."""
    return text(value)


@registry.plain("CRef", Parameter("value"), strict=True)
def to_reference(value: Value) -> Value:
    """The value itself: references and DN texts already are what functions on them take."""
    return single(value)
