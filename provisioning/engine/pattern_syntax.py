"""Translation of .NET regular expression syntax into that of the matcher, with limits on its cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from provisioning.engine.errors import EvaluationError

MAX_PATTERN: Final = 5_000
MAX_NESTING: Final = 40
MAX_WEIGHT: Final = 20_000
"""Matcher nodes after spelling out all counted repeats; this many compile in about 20 ms."""

_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{([0-9]+)(,([0-9]*))?\})[?]?")
_GROUP_NAME: Final = re.compile(r"\(\?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')", re.ASCII)
_GROUP_PLAIN: Final = re.compile(r"\(\?(?:[:=!>]|<[=!]|[imsx]*(?:-[imsx]+)?:)")
_FLAGS: Final = re.compile(r"\(\?[imsx]*(?:-[imsx]+)?\)")
_COMMENT: Final = re.compile(r"\(\?#[^)]*\)")
_BACKREFERENCE: Final = re.compile(r"\\k(?:<([A-Za-z_0-9]+)>|'([A-Za-z_0-9]+)')|\\([1-9][0-9]?)")
_ESCAPE: Final = re.compile(
    r"\\(?:[dDwWsSbBAGnrtfva]|0[0-7]{0,2}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[pP]\{[A-Za-z_-]+\}|[^A-Za-z0-9])",
    re.DOTALL,
)
_RENAMED: Final[Mapping[str, str]] = {r"\Z": r"(?:(?=\n\Z)|\Z)", r"\z": r"\Z", r"\e": r"\x1b"}
_CONTROL: Final = re.compile(r"\\c([A-Za-z])")
_NAMES_ONLY: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)|\(\?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')", re.DOTALL
)


def translate(source: str) -> tuple[str, Mapping[str, int]]:
    """The pattern in the matcher's syntax and, per .NET group name or number, its group number."""
    if len(source) > MAX_PATTERN:
        raise EvaluationError("PatternTooComplex", f"The pattern has more than {MAX_PATTERN} characters.")
    groups = _number_groups(source)
    translation = _Translation(source, groups)
    return translation.whole(), groups


def _number_groups(source: str) -> Mapping[str, int]:
    """.NET counts unnamed groups first and named ones after them; the matcher goes left to right."""
    unnamed: list[int] = []
    named: dict[str, int] = {}
    count = 0
    for found in _NAMES_ONLY.finditer(source):
        name = found[1] or found[2]
        if name is None and found[0] != "(":
            continue
        if name in named:
            continue
        count += 1
        if name is None:
            unnamed.append(count)
        else:
            named[name] = count
    numbered = {str(at): number for at, number in enumerate([*unnamed, *named.values()], start=1)}
    return {**numbered, **named}


def _invalid(problem: str, position: int) -> EvaluationError:
    return EvaluationError(
        "PatternInvalid", f"The pattern is not valid: {problem} at character {position + 1}."
    )


class _Translation:
    def __init__(self, source: str, groups: Mapping[str, int]) -> None:
        self.source = source
        self.groups = groups
        self.at = 0
        self.out: list[str] = []

    def whole(self) -> str:
        self.sequence(0)
        if self.at < len(self.source):
            raise _invalid("a closing parenthesis without an opening one", self.at)
        return "".join(self.out)

    def sequence(self, depth: int) -> int:
        """Translate up to the closing parenthesis or the end; gives the weight."""
        if depth > MAX_NESTING:
            raise EvaluationError("PatternTooComplex", f"The pattern nests more than {MAX_NESTING} groups.")
        weight = 1
        while self.at < len(self.source) and self.source[self.at] != ")":
            weight += self.piece(depth)
            if weight > MAX_WEIGHT:
                raise EvaluationError("PatternTooComplex", "The repeat counts of the pattern are too large.")
        return weight

    def piece(self, depth: int) -> int:
        weight = self.atom(depth)
        quantifier = _QUANTIFIER.match(self.source, self.at)
        if quantifier is None:
            return weight
        self.accept(quantifier)
        if _QUANTIFIER.match(self.source, self.at):
            raise _invalid("a quantifier after a quantifier", self.at)
        most = max(int(count[:7]) for count in (quantifier[1], quantifier[3], "1") if count)
        if most * weight > MAX_WEIGHT:
            raise EvaluationError("PatternTooComplex", "The repeat counts of the pattern are too large.")
        return weight * most

    def atom(self, depth: int) -> int:
        head = self.source[self.at]
        if head == "(":
            return self.group(depth)
        if head == "[":
            self.out.append(self.character_class())
            return 1
        if head == "\\":
            self.escape()
            return 1
        self.out.append(f"\\{head}" if head in "{}]" else head)
        self.at += 1
        return 1

    def accept(self, match: re.Match[str]) -> None:
        self.out.append(match[0])
        self.at = match.end()

    def group(self, depth: int) -> int:
        start = self.at
        for skipped in (_FLAGS, _COMMENT):
            if match := skipped.match(self.source, start):
                self.accept(match)
                return 0
        self.open_group(start)
        weight = self.sequence(depth + 1)
        if self.at >= len(self.source):
            raise _invalid("a parenthesis that is not closed", start)
        self.out.append(")")
        self.at += 1
        return weight

    def open_group(self, start: int) -> None:
        if not self.source.startswith("(?", start):
            self.out.append("(")
            self.at += 1
        elif named := _GROUP_NAME.match(self.source, start):
            self.out.append(f"(?<{named[1] or named[2]}>")
            self.at = named.end()
        elif plain := _GROUP_PLAIN.match(self.source, start):
            self.accept(plain)
        else:
            raise _invalid("a kind of group that is not supported", start)

    def escape(self) -> None:
        if reference := _BACKREFERENCE.match(self.source, self.at):
            name = reference[1] or reference[2] or reference[3]
            if name not in self.groups:
                raise _invalid("a reference to a group that does not exist", self.at)
            self.out.append(f"\\g<{self.groups[name]}>")
            self.at = reference.end()
            return
        self.out.append(self.simple_escape())

    def simple_escape(self) -> str:
        two = self.source[self.at : self.at + 2]
        if two in _RENAMED:
            self.at += 2
            return _RENAMED[two]
        if control := _CONTROL.match(self.source, self.at):
            self.at = control.end()
            return f"\\x{ord(control[1].upper()) - 64:02x}"
        if match := _ESCAPE.match(self.source, self.at):
            self.at = match.end()
            return match[0]
        raise _invalid("an escape that is not known", self.at)

    def character_class(self, depth: int = 0) -> str:
        """[…] with .NET's subtraction [a-z-[aeiou]]; other set operators are taken literally."""
        start = self.at
        self.at += 1
        parts = ["["]
        if self.source.startswith("^", self.at):
            parts.append("^")
            self.at += 1
        first = True
        while self.at < len(self.source):
            if self.source[self.at] == "]" and not first:
                self.at += 1
                return "".join([*parts, "]"])
            if self.source.startswith("-[", self.at) and not first and depth < MAX_NESTING:
                return self.subtraction(parts, depth)
            parts.append(self.class_member())
            first = False
        raise _invalid("a character class that is not closed", start)

    def subtraction(self, parts: list[str], depth: int) -> str:
        self.at += 1
        removed = self.character_class(depth + 1)
        if not self.source.startswith("]", self.at):
            raise _invalid("text after a subtracted character class", self.at)
        self.at += 1
        return "".join(["[", *parts, "]", "--", removed, "]"])

    def class_member(self) -> str:
        if self.source[self.at] == "\\":
            return self.class_escape()
        head = self.source[self.at]
        self.at += 1
        doubled = self.source.startswith(head, self.at) and head in "-&|~"
        return f"\\{head}" if head in "[]" or doubled else head

    def class_escape(self) -> str:
        if self.source.startswith("\\b", self.at):
            self.at += 2
            return "\\x08"
        if self.source[self.at + 1 : self.at + 2] in set("BAZzG"):
            raise _invalid("an anchor inside a character class", self.at)
        return self.simple_escape()
