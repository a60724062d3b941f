"""The .NET custom date format: exact parsing and printing in the invariant culture."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Final

from provisioning.engine.dates import offset, shift
from provisioning.engine.errors import EvaluationError

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_STANDARD: Final[Mapping[str, str]] = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ss'Z'",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}
"""Invariant patterns behind the one-letter standard formats."""

MAX_FORMAT: Final = 200
_TOKEN: Final = re.compile(
    r"(?P<code>y+|M+|d+|H+|h+|m+|s+|f+|F+|t+|z+|g+|K)|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\""
    r"|\\(?P<escaped>.)|%(?=.)|(?P<other>[^'\"\\%])",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One specifier such as yyyy (is_code), or text to take literally."""

    text: str
    is_code: bool


@lru_cache(maxsize=512)
def tokens(pattern: str) -> tuple[Token, ...]:
    """The parts of a format; DateFormatInvalid where a quote is open or there is nothing."""
    if len(pattern) > MAX_FORMAT:
        raise _invalid()
    if len(pattern) == 1:
        pattern = _STANDARD.get(pattern, "")
    found: list[Token] = []
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if match is None:
            raise _invalid()
        found.extend(_token(match))
        at = match.end()
    if not found:
        raise _invalid()
    return tuple(found)


def _token(match: re.Match[str]) -> list[Token]:
    if match["code"]:
        return [Token(match["code"], True)]
    literal = next((part for part in match.groups() if part is not None), "")
    return [Token(literal, False)] if literal else []


def _invalid() -> EvaluationError:
    return EvaluationError("DateFormatInvalid", "The date format is not valid.")


# printing


def format_date(moment: datetime, pattern: str) -> str:
    """The moment in a .NET custom format; it counts as a UTC time."""
    template = _template(pattern)
    if template is not None:
        return template(moment)
    return "".join(_print(part.text, moment) if part.is_code else part.text for part in tokens(pattern))


_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "yyyy": ("%04d", "year"),
    "MM": ("%02d", "month"),
    "dd": ("%02d", "day"),
    "HH": ("%02d", "hour"),
    "mm": ("%02d", "minute"),
    "ss": ("%02d", "second"),
}


@lru_cache(maxsize=512)
def _template(pattern: str) -> Callable[[datetime], str] | None:
    """The pattern as one formatting of all fields, several times faster, where it has common codes only."""
    parts = tokens(pattern)
    codes = [part.text for part in parts if part.is_code]
    if not codes or not all(code in _FIELDS for code in codes):
        return None
    written = "".join(
        _FIELDS[part.text][0] if part.is_code else part.text.replace("%", "%%") for part in parts
    )
    fields = attrgetter(*(_FIELDS[code][1] for code in codes))
    return lambda moment: written % fields(moment)


def _print(code: str, moment: datetime) -> str:
    return _PRINTERS[code[0]](moment, len(code))


def _named(names: tuple[str, ...], index: int, value: int, width: int) -> str:
    if width <= 2:
        return f"{value:0{width}d}"
    return names[index][:3] if width == 3 else names[index]


def _year(moment: datetime, width: int) -> str:
    return f"{moment.year % 100:0{width}d}" if width <= 2 else f"{moment.year:0{width}d}"


def _two(value: int, width: int) -> str:
    return f"{value:0{min(width, 2)}d}"


def _fraction(moment: datetime, width: int) -> str:
    return f"{moment.microsecond:06d}0"[:width]


def _zone(_moment: datetime, width: int) -> str:
    return {1: "+0", 2: "+00"}.get(width, "+00:00")


_PRINTERS: Final[Mapping[str, Callable[[datetime, int], str]]] = {
    "y": _year,
    "M": lambda moment, width: _named(_MONTHS, moment.month - 1, moment.month, width),
    "d": lambda moment, width: _named(_DAYS, moment.weekday(), moment.day, width),
    "H": lambda moment, width: _two(moment.hour, width),
    "h": lambda moment, width: _two(moment.hour % 12 or 12, width),
    "m": lambda moment, width: _two(moment.minute, width),
    "s": lambda moment, width: _two(moment.second, width),
    "f": _fraction,
    "F": lambda moment, width: _fraction(moment, width).rstrip("0"),
    "t": lambda moment, width: ("AM" if moment.hour < 12 else "PM")[: min(width, 2)],
    "z": _zone,
    "g": lambda _moment, _width: "A.D.",
    "K": lambda _moment, _width: "Z",
}


# parsing


def parse_exact(text: str, pattern: str) -> datetime:
    """The moment a text in exactly this format names, in UTC; surrounding white space is allowed."""
    compiled, codes = _compiled(pattern)
    match = compiled.match(text.strip())
    if match is None:
        raise EvaluationError("DateFormatMismatch", "The text does not have the input format.")
    fields: dict[str, str] = {}
    for code, piece in zip(codes, match.groups(), strict=True):
        _note(fields, code, piece)
    return _build(fields)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    parts = tokens(pattern)
    source = "".join(
        f"((?>{_accepts(part.text)}))" if part.is_code else _literal(part.text) for part in parts
    )
    codes = tuple(part.text for part in parts if part.is_code)
    return re.compile(source + r"\Z", re.IGNORECASE | re.ASCII), codes


def _literal(text: str) -> str:
    return r"\s" if text == " " else re.escape(text)


def _accepts(code: str) -> str:
    width = len(code)
    names = {"M": _MONTHS, "d": _DAYS}.get(code[0])
    if names and width >= 3:
        return "|".join(name[:3] if width == 3 else name for name in names)
    match code[0]:
        case "y":
            return r"\d{1,2}" if width == 1 else rf"\d{{{min(width, 9)}}}"
        case "f":
            return rf"\d{{{min(width, 7)}}}"
        case "F":
            return rf"\d{{0,{min(width, 7)}}}"
        case "t":
            return "AM|PM" if width > 1 else "A|P"
        case "z":
            return {1: r"[+-]\d{1,2}", 2: r"[+-]\d{2}"}.get(width, r"[+-]\d{2}:?\d{2}")
        case "K":
            return r"Z|[+-]\d{2}:?\d{2}|"
        case "g":
            return r"A\.D\.|AD"
        case _:
            return r"\d{2}" if width > 1 else r"\d{1,2}"


def _note(fields: dict[str, str], code: str, piece: str) -> None:
    """Keep what one specifier read; two different readings of one field do not fit."""
    key = {"F": "f", "K": "z", "z": "z"}.get(code[0], code[0])
    if code[0] == "M" and len(code) >= 3:
        piece = str(_index(_MONTHS, piece))
    if code[0] == "d" and len(code) >= 3:
        key, piece = "weekday", str(_index(_DAYS, piece))
    if code[0] == "y" and len(code) <= 2:
        piece = str(int(piece) + (2000 if int(piece) < 50 else 1900))
    if fields.setdefault(key, piece) != piece:
        raise EvaluationError("DateFormatMismatch", "The text names one part of the date twice, differently.")


def _index(names: tuple[str, ...], piece: str) -> int:
    return next(at for at, name in enumerate(names, 1) if name.lower().startswith(piece.lower()))


def _build(fields: Mapping[str, str]) -> datetime:
    fraction = int((fields.get("f", "") + "000000")[:6])
    try:
        local = datetime(
            int(fields.get("y", "1")),
            int(fields.get("M", "1")),
            int(fields.get("d", "1")),
            _hour(fields),
            int(fields.get("m", "0")),
            int(fields.get("s", "0")),
            fraction,
            tzinfo=UTC,
        )
    except (ValueError, OverflowError) as error:
        raise EvaluationError(
            "DateFormatMismatch", "The text names a day or time that does not exist."
        ) from error
    if "weekday" in fields and int(fields["weekday"]) != local.isoweekday():
        raise EvaluationError("DateFormatMismatch", "The weekday does not belong to the date.")
    return shift(local, -_offset(fields.get("z")))


def _hour(fields: Mapping[str, str]) -> int:
    if "H" in fields:
        return int(fields["H"])
    hour = int(fields.get("h", "0"))
    half = fields.get("t", "").upper()
    if not half or hour > 12:
        return hour
    return hour % 12 + (12 if half.startswith("P") else 0)


def _offset(zone: str | None) -> timedelta:
    if not zone:
        return offset(None)
    if zone[0] in "+-" and len(zone) == 2:
        zone = f"{zone[0]}0{zone[1]}"
    return offset(zone)
