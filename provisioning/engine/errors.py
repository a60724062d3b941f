"""Every error code the engine can raise, each with the sentence that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ERRORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # the language
        "ExpressionSyntax": "Correct the expression at the position named.",
        "ExpressionTooLong": "Shorten the expression to 10 000 characters or fewer.",
        "ExpressionTooDeep": "Nest fewer functions; a Switch often replaces a ladder of IIF.",
        # evaluation
        "ExpressionError": "The mapping called Error(): supply the source value its message asks for.",
        "NumberExpected": "Map an attribute that holds a whole number, or convert it first.",
        "NumberOutOfRange": "Use a number that fits into 64 bits.",
        "TextExpected": "Map an attribute that holds text, or pick one part of it with Item.",
        "SingleValueExpected": "Pick one value with Item, or combine the values with Join.",
        "ItemOutOfRange": "Use an index from 1 to the number of values; check it with Count first.",
        "DateExpected": "Give an ISO 8601 date, or parse the text with FormatDateTime.",
        "DateOutOfRange": "Use a date between the years 1 and 9999.",
        "DateFormatMismatch": "Make the input format match the text of the source attribute exactly.",
        "DateFormatInvalid": "Use a .NET custom date format such as yyyy-MM-dd.",
        "DateIntervalInvalid": "Use one of the intervals yyyy, q, m, y, d, w, ww, h, n, s.",
        "Base64Invalid": "Map an attribute that holds base64 text.",
        "EncodingInvalid": "Use one of the encodings Unicode, ASCII, UTF8 that can hold the text.",
        "CultureNotKnown": "Use a language tag such as en-US or tr-TR.",
        "SidInvalid": "Map an attribute that holds a binary security identifier, such as objectSid.",
        "DistinguishedNameInvalid": "Map an attribute that holds a distinguished name.",
        "PatternInvalid": "Correct the regular expression.",
        "PatternTooComplex": "Use smaller repeat counts and fewer nested groups in the regular expression.",
        "PatternTimeout": "Rewrite the regular expression without nested repeats; it took too long.",
        "PatternGroupMissing": "Name a group that the regular expression defines.",
        "ReplaceParameters": "Fill the parameters of one of the five forms of Replace.",
        "RandomStringParameters": "Ask for at most 256 characters and at least the sum of the minima.",
        "CompareTypeInvalid": "Use vbTextCompare or vbBinaryCompare.",
        "DefaultDomainMissing": "Set the default domain of the target.",
        "NoUniqueValue": "Add a rule to SelectUniqueValue; every value it proposed is taken.",
        "SeveralAppRoles": "Use AppRoleAssignmentsComplex where an object may hold several roles.",
        "ValueTooLong": "Keep each value under 1 000 000 characters.",
        # mapping
        "ReferenceExpected": "Map an attribute that refers to another object, such as manager.",
        "BooleanExpected": "Let the expression give True or False for this target attribute.",
        # documents
        "SchemaInvalid": "Correct the document at the path named.",
        "ScopeIdentityInvalid": (
            "Name containers and groups of the scope by objectGUID: the console's page of the scope finds it by name, "
            "and so does Get-ADObject 'OU=Staff,DC=corp,DC=example' in PowerShell."
        ),
        "ScopeOperatorUnknown": "Use one of the operators that filterOperators lists.",
        "ScopeOperatorUnsupported": "Scope by security group on the configuration instead of by this operator.",
    }
)


class EngineError(Exception):
    """A failure with a stable code from ERRORS and a message that holds no attribute value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def remedy(self) -> str:
        """What the person who meets this error can do about it."""
        return ERRORS[self.code]


class ExpressionSyntaxError(EngineError):
    """The text is no expression of the language; position counts characters from 0."""

    def __init__(self, position: int, expected: str, *, code: str = "ExpressionSyntax") -> None:
        super().__init__(code, f"At character {position + 1}: expected {expected}.")
        self.position = position
        self.expected = expected


class EvaluationError(EngineError):
    """One object's value could not be worked out; target names the attribute once it is known."""

    def __init__(self, code: str, message: str, *, target: str | None = None) -> None:
        super().__init__(code, message)
        self.target = target

    def for_target(self, target: str, *, redacted: bool) -> EvaluationError:
        """The same failure, naming the target attribute; custom texts are dropped where redacted."""
        text = "The value is redacted and so is the reason." if redacted else self.message
        return EvaluationError(self.code, f"{target}: {text}", target=target)


class SchemaError(EngineError):
    """A synchronization schema document is not usable; path says where."""

    def __init__(self, path: str, problem: str, *, code: str = "SchemaInvalid") -> None:
        super().__init__(code, f"{path}: {problem}")
        self.path = path
        self.problem = problem
