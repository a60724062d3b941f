"""Regular expressions as .NET writes them, run with a time limit.

The syntax is translated, not passed through: what .NET does not know (recursion, fuzzy matching)
is refused, and repeat counts are bounded because the matcher spells them out in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import regex

from provisioning.engine.errors import EvaluationError
from provisioning.engine.pattern_syntax import translate
from provisioning.engine.values import MAX_TEXT

TIMEOUT: Final = 0.05
"""Seconds one pattern may work on one value; half of the promised limit."""

_REFERENCE: Final = re.compile(r"\$(?:(\$)|(&)|(`)|(')|(_)|(\+)|([0-9]{1,9})|\{([A-Za-z_0-9]+)\})")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; groups gives the matcher's group number for each .NET name or number."""

    compiled: regex.Pattern[str]
    groups: Mapping[str, int]

    def search(self, subject: str) -> regex.Match[str] | None:
        """The first match anywhere in the subject; PatternTimeout where it takes too long."""
        try:
            return self.compiled.search(subject, timeout=TIMEOUT)
        except TimeoutError as error:
            raise _timeout() from error
        except (MemoryError, RecursionError) as error:
            raise EvaluationError("PatternTooComplex", "The pattern needs too much memory.") from error

    def matches(self, subject: str) -> Iterator[regex.Match[str]]:
        """All matches from left to right, the time limit counting for all of them together."""
        try:
            yield from self.compiled.finditer(subject, timeout=TIMEOUT)
        except TimeoutError as error:
            raise _timeout() from error
        except (MemoryError, RecursionError) as error:
            raise EvaluationError("PatternTooComplex", "The pattern needs too much memory.") from error

    def group(self, name: str) -> int:
        """The matcher's number of a group named as .NET does; PatternGroupMissing otherwise."""
        number = self.groups.get(name)
        if number is None:
            raise EvaluationError("PatternGroupMissing", "The pattern defines no group of that name.")
        return number

    def substitute(self, subject: str, replacement: str) -> str:
        """Every match replaced; the replacement may use $1, ${name}, $$, $&, $`, $', $_ and $+."""
        pieces = list(self._pieces(replacement))
        result = _Output()
        end = 0
        for match in self.matches(subject):
            result.add(subject[end : match.start()])
            for piece in pieces:
                result.add(piece if isinstance(piece, str) else _insert(piece, match))
            end = match.end()
        result.add(subject[end:])
        return result.text()

    def substitute_group(self, subject: str, name: str, replacement: str) -> str:
        """In every match only the span of one named group replaced, by literal text."""
        number = self.group(name)
        result = _Output()
        end = 0
        for match in self.matches(subject):
            start, stop = match.span(number)
            if start >= end:
                result.add(subject[end:start])
                result.add(replacement)
                end = stop
        result.add(subject[end:])
        return result.text()

    def _pieces(self, replacement: str) -> Iterator[str | _Reference]:
        end = 0
        for found in _REFERENCE.finditer(replacement):
            yield replacement[end : found.start()]
            yield self._piece(found)
            end = found.end()
        yield replacement[end:]

    def _piece(self, found: re.Match[str]) -> str | _Reference:
        dollar, *special, number, name = found.groups()
        if dollar:
            return "$"
        for symbol in special:
            if symbol:
                return _Reference(symbol)
        if name is not None:
            return _Reference("group", self.groups[name]) if name in self.groups else found[0]
        return self._numbered(number)

    def _numbered(self, digits: str) -> str | _Reference:
        if digits == "0":
            return _Reference("&")
        if digits in self.groups:
            return _Reference("group", self.groups[digits])
        return f"${digits}"


@dataclass(frozen=True, slots=True)
class _Reference:
    kind: str
    number: int = 0


class _Output:
    """Text put together under the size limit, so that a replacement can not eat all memory."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0

    def add(self, part: str) -> None:
        self._size += len(part)
        if self._size > MAX_TEXT:
            raise EvaluationError("ValueTooLong", f"The text has more than {MAX_TEXT} characters.")
        self._parts.append(part)

    def text(self) -> str:
        return "".join(self._parts)


def _insert(reference: _Reference, match: regex.Match[str]) -> str:
    subject = match.string
    match reference.kind:
        case "group":
            return match[reference.number] or ""
        case "&":
            return match[0]
        case "`":
            return subject[: match.start()]
        case "'":
            return subject[match.end() :]
        case "_":
            return subject
        case _:
            return (match[match.re.groups] or "") if match.re.groups else match[0]


def _timeout() -> EvaluationError:
    return EvaluationError("PatternTimeout", "The regular expression took too long on this value.")


@lru_cache(maxsize=512)
def compile_pattern(source: str) -> Pattern:
    """A .NET pattern ready to run; PatternInvalid or PatternTooComplex says what is wrong."""
    translated, groups = translate(source)
    try:
        compiled = regex.compile(translated, regex.VERSION1)
    except (regex.error, ValueError, OverflowError, KeyError, IndexError) as error:
        raise EvaluationError("PatternInvalid", f"The pattern is not valid: {error}.") from error
    except (MemoryError, RecursionError) as error:
        raise EvaluationError("PatternTooComplex", "The pattern is too complex.") from error
    return Pattern(compiled, groups)
