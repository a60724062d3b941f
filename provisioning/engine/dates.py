"""Moments in time: reading the date texts that occur, FILETIME, and VB's calendar arithmetic.

Every moment inside the engine is an aware datetime in UTC.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Final

from provisioning.engine.errors import EvaluationError
from provisioning.engine.values import INT_MAX, INT_MIN, Value, integer, single

FILETIME_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER: Final = frozenset({0, INT_MAX})

_CLOCK: Final = r"(?P<h>\d{1,2}):(?P<n>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
_ZONE: Final = r"(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rf"(?P<y>\d{{4}})-(?P<m>\d{{1,2}})-(?P<d>\d{{1,2}})(?:(?:T|\s+){_CLOCK})?\s*{_ZONE}\Z",
        rf"(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})/(?P<y>\d{{4}})(?:\s+{_CLOCK}(?:\s*(?P<half>AM|PM))?)?\s*{_ZONE}\Z",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?P<h>\d{2})(?P<n>\d{2})(?P<s>\d{2})"
        rf"(?:[.,](?P<f>\d{{1,9}}))?{_ZONE}\Z",
    )
)


def parse_date(value: Value) -> datetime | None:
    """CDate: ISO 8601, M/d/yyyy h:mm:ss tt or LDAP generalized time, in UTC; None where absent."""
    if isinstance(value, datetime):
        return value
    value = single(value)
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        for form in _FORMS:
            if match := form.match(value.strip()):
                return _moment(match.groupdict())
    raise EvaluationError("DateExpected", "The value is not a date that can be read.")


def _moment(parts: dict[str, str | None]) -> datetime:
    fraction = int(((parts.get("f") or "") + "000000")[:6])
    day = [int(parts[key] or 0) for key in ("y", "m", "d")]
    clock = [int(parts.get(key) or 0) for key in ("n", "s")]
    hour = _hour(int(parts.get("h") or 0), parts.get("half"))
    try:
        local = datetime(day[0], day[1], day[2], hour, clock[0], clock[1], fraction, tzinfo=UTC)
    except ValueError as error:
        raise EvaluationError("DateExpected", "The value is not a date that can be read.") from error
    return shift(local, -offset(parts.get("zone")))


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half.upper() == "PM" else 0)


def offset(zone: str | None) -> timedelta:
    """The distance from UTC of Z, +hh, +hhmm or +hh:mm."""
    if zone is None or zone in {"Z", "z"}:
        return timedelta()
    digits = zone[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return -size if zone[0] == "-" else size


def shift(moment: datetime, by: timedelta) -> datetime:
    """The moment moved; DateOutOfRange past the years 1 and 9999."""
    try:
        return moment + by
    except OverflowError as error:
        raise out_of_range() from error


def out_of_range() -> EvaluationError:
    """The error for a moment no calendar of ours holds."""
    return EvaluationError("DateOutOfRange", "The date lies outside the years 1 to 9999.")


def from_filetime(value: Value) -> datetime | None:
    """A FILETIME (100 ns since 1601) as a moment; None for 0 and the largest number ("never")."""
    number = integer(value)
    if number in _NEVER:
        return None
    # In seconds, and by place: large numbers and names are dear.
    return shift(FILETIME_EPOCH, timedelta(0, number // 10_000_000, number // 10 % 1_000_000))


def to_filetime(moment: datetime) -> int:
    """A moment as FILETIME."""
    since = moment - FILETIME_EPOCH
    return (since.days * 86_400 + since.seconds) * 10_000_000 + since.microseconds * 10


_SPANS: Final = {
    "d": timedelta(days=1),
    "y": timedelta(days=1),
    "w": timedelta(days=1),
    "ww": timedelta(weeks=1),
    "h": timedelta(hours=1),
    "n": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_MONTHS: Final = {"m": 1, "q": 3, "yyyy": 12}


def add_interval(interval: str, amount: int, moment: datetime) -> datetime:
    """DateAdd of VB: months and years keep the day, clamped to the end of the month."""
    if interval in _MONTHS:
        return _add_months(moment, amount * _MONTHS[interval])
    if interval not in _SPANS:
        raise _unknown_interval()
    if not INT_MIN <= amount <= INT_MAX:
        raise out_of_range()
    try:
        return moment + amount * _SPANS[interval]
    except OverflowError as error:
        raise out_of_range() from error


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise out_of_range()
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def difference(interval: str, first: datetime, second: datetime) -> int:
    """DateDiff of VB, second minus first: fields for months and more, boundaries for ww."""
    if interval in _MONTHS:
        return _field(interval, second) - _field(interval, first)
    if interval == "ww":
        return (_sunday(second) - _sunday(first)).days // 7
    if interval not in _SPANS:
        raise _unknown_interval()
    span = timedelta(weeks=1) if interval == "w" else _SPANS[interval]
    elapsed = second - first
    return elapsed // span if elapsed >= timedelta() else -(-elapsed // span)


def _field(interval: str, moment: datetime) -> int:
    return (moment.year * 12 + moment.month - 1) // _MONTHS[interval]


def _sunday(moment: datetime) -> datetime:
    """The Sunday of the moment's week, counted in days from 0001-01-07 so as never to underflow."""
    day = moment.toordinal()
    return datetime.fromordinal(max(day - day % 7, 1))


def _unknown_interval() -> EvaluationError:
    return EvaluationError("DateIntervalInvalid", "The date interval is not known.")
