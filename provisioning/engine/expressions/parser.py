"""Text to syntax tree: a recursive descent without tokens, since & opens hex and joins strings."""

from __future__ import annotations

import re
from typing import Final

from provisioning.engine.errors import ExpressionSyntaxError
from provisioning.engine.expressions.check import check
from provisioning.engine.expressions.functions import find_function
from provisioning.engine.expressions.nodes import (
    COMPARISONS,
    KEYWORDS,
    Attribute,
    Call,
    Comparison,
    Concatenation,
    Keyword,
    Node,
    Number,
    Omitted,
    Text,
)
from provisioning.engine.expressions.printer import print_expression
from provisioning.engine.values import INT_MAX, INT_MIN

MAX_LENGTH: Final = 10_000
MAX_DEPTH: Final = 100

_SPACE: Final = re.compile(r"\s*")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?|&[Hh][0-9A-Fa-f]+")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LITERAL: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE: Final = re.compile(r'\\(["\\])')
_KEYWORDS: Final = {keyword.lower(): keyword for keyword in KEYWORDS}
_OPERAND: Final = 'an attribute such as [mail], a text such as "abc", a number or a function'


def parse(text: str) -> Node:
    """The checked syntax tree of an expression; ExpressionSyntaxError says where it is wrong."""
    _check_length(text)
    parser = _Parser(text)
    node = parser.whole()
    check(node)
    _check_length(print_expression(node))
    return node


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        expected = f"at most {MAX_LENGTH} characters in all"
        raise ExpressionSyntaxError(MAX_LENGTH, expected, code="ExpressionTooLong")


def _fits(literal: str) -> bool:
    if literal[0] == "&":
        return len(literal) <= 18 and int(literal[2:], 16) <= INT_MAX
    whole = literal.partition(".")[0]
    return len(literal) <= 40 and INT_MIN <= int(whole) <= INT_MAX


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> Node:
        node = self.expression(0)
        if self.peek():
            raise ExpressionSyntaxError(self.at, "the end of the expression")
        return node

    def peek(self) -> str:
        """The next character that is no white space, or "" at the end."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def take(self, token: str) -> bool:
        self.peek()
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def expression(self, depth: int) -> Node:
        left = self.concatenation(depth)
        position = self.at
        for operator in COMPARISONS:
            if self.take(operator):
                return Comparison(operator, left, self.concatenation(depth), position)
        return left

    def concatenation(self, depth: int) -> Node:
        parts = [self.primary(depth)]
        while self.take("&"):
            parts.append(self.primary(depth))
        return parts[0] if len(parts) == 1 else Concatenation(tuple(parts), parts[0].position)

    def primary(self, depth: int) -> Node:
        head = self.peek()
        if head == "[":
            return self.attribute()
        if head == '"':
            return self.literal()
        if number := _NUMBER.match(self.text, self.at):
            return self.number(number)
        if name := _NAME.match(self.text, self.at):
            return self.named(name, depth)
        raise ExpressionSyntaxError(self.at, _OPERAND)

    def attribute(self) -> Attribute:
        """[name], where the name may hold balanced brackets as SCIM value filters do."""
        start, open_brackets = self.at, 0
        for at in range(start, len(self.text)):
            open_brackets += {"[": 1, "]": -1}.get(self.text[at], 0)
            if open_brackets == 0:
                self.at = at + 1
                return Attribute(self.attribute_name(start, at), start)
        raise ExpressionSyntaxError(len(self.text), "] after the attribute's name")

    def attribute_name(self, start: int, end: int) -> str:
        name = self.text[start + 1 : end].strip()
        if not name:
            raise ExpressionSyntaxError(start + 1, "an attribute's name")
        return name

    def literal(self) -> Text:
        match = _LITERAL.match(self.text, self.at)
        if match is None:
            raise ExpressionSyntaxError(len(self.text), 'a closing "')
        position, self.at = self.at, match.end()
        return Text(_ESCAPE.sub(r"\1", match[1]), position)

    def number(self, match: re.Match[str]) -> Number:
        position, self.at = self.at, match.end()
        if not _fits(match[0]):
            raise ExpressionSyntaxError(position, "a number that fits into 64 bits")
        return Number(match[0], position)

    def named(self, match: re.Match[str], depth: int) -> Node:
        position, self.at = self.at, match.end()
        if self.take("("):
            return self.call(match[0], position, depth + 1)
        keyword = _KEYWORDS.get(match[0].lower())
        if keyword is None:
            raise ExpressionSyntaxError(position, _OPERAND)
        return Keyword(keyword, position)

    def call(self, name: str, position: int, depth: int) -> Call:
        definition = find_function(name)
        if definition is None:
            raise ExpressionSyntaxError(position, "the name of a function")
        if depth > MAX_DEPTH:
            expected = f"at most {MAX_DEPTH} functions inside each other"
            raise ExpressionSyntaxError(position, expected, code="ExpressionTooDeep")
        return Call(definition.name, self.arguments(depth), position)

    def arguments(self, depth: int) -> tuple[Node, ...]:
        if self.take(")"):
            return ()
        found: list[Node] = [self.argument(depth)]
        while not self.take(")"):
            if not self.take(","):
                raise ExpressionSyntaxError(self.at, ", or ) in the list of arguments")
            found.append(self.argument(depth))
        return tuple(found)

    def argument(self, depth: int) -> Node:
        if self.peek() in {",", ")"}:
            return Omitted(self.at)
        return self.expression(depth)
