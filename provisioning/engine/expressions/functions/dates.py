"""Functions on moments in time. Inside them a date is a moment; outside it is text."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from provisioning.engine.context import EvaluationContext
from provisioning.engine.date_formats import format_date, parse_exact
from provisioning.engine.dates import (
    add_interval,
    difference,
    from_filetime,
    parse_date,
    to_filetime,
)
from provisioning.engine.expressions.definitions import CallSite, Parameter, Registry, absent, optional
from provisioning.engine.expressions.nodes import Omitted, Text
from provisioning.engine.values import Attributes, Compiled, Value, integer, is_empty, text

registry: Final = Registry()

_DATE: Final = Parameter("value", "DateTime")


@registry.contextual("Now", result="DateTime")
def now(context: EvaluationContext) -> Value:
    """The moment of evaluation."""
    return context.now


@registry.plain("CDate", Parameter("expression"), result="DateTime", strict=True)
def to_date(value: Value) -> Value:
    """The moment a text names."""
    return parse_date(value)


@registry.plain(
    "DateAdd",
    Parameter("interval"),
    Parameter("value", "Integer"),
    Parameter("dateTime", "DateTime"),
    result="DateTime",
)
def date_add(interval: Value, amount: Value, moment: Value) -> Value:
    """The moment moved by a number of intervals; null where it is null."""
    start = parse_date(moment)
    return None if start is None else add_interval(text(interval) or "", integer(amount), start)


@registry.plain(
    "DateDiff",
    Parameter("interval"),
    Parameter("date1", "DateTime"),
    Parameter("date2", "DateTime"),
    result="Integer",
)
def date_diff(interval: Value, date1: Value, date2: Value) -> Value:
    """Intervals from date1 to date2; null where one of them is."""
    first, second = parse_date(date1), parse_date(date2)
    if first is None or second is None:
        return None
    return difference(text(interval) or "", first, second)


@registry.plain("DateFromNum", Parameter("value", "Integer"), result="DateTime", strict=True)
def date_from_number(value: Value) -> Value:
    """The moment of a FILETIME; null for "never"."""
    return None if is_empty(value) else from_filetime(value)


@registry.plain("NumFromDate", _DATE, result="Integer", strict=True)
def number_from_date(value: Value) -> Value:
    """The FILETIME of a moment."""
    moment = parse_date(value)
    return None if moment is None else to_filetime(moment)


@registry.lazy(
    "FormatDateTime",
    Parameter("source"),
    optional("dateTimeStyles"),
    optional("inputFormat"),
    optional("outputFormat"),
)
def build_format(site: CallSite) -> Compiled:
    """Two, three or four arguments: the styles and the input format may be missing.

    Styles change nothing here: every moment is UTC already and white space is always allowed.
    """
    source = site.required(0)
    given = [index for index in range(1, len(site.nodes)) if not isinstance(site.nodes[index], Omitted)]
    printed = site.required(given[-1]) if given else absent
    read = site.optional(len(site.nodes) - 2) if len(site.nodes) > 2 else None
    if read is None and given and isinstance(pattern := site.nodes[given[-1]], Text):
        return _in_one_format(source, pattern.value)

    def run(attributes: Attributes, context: EvaluationContext) -> Value:
        return reformat(
            source(attributes, context),
            text(read(attributes, context)) if read else None,
            text(printed(attributes, context)) or "",
        )

    return run


def _in_one_format(source: Compiled, pattern: str) -> Compiled:
    """Nearly all: a moment, always printed in the same way."""

    def run(attributes: Attributes, context: EvaluationContext) -> Value:
        moment = source(attributes, context)
        if type(moment) is not datetime:
            moment = parse_date(moment)
        return None if moment is None else format_date(moment, pattern)

    return run


def reformat(source: Value, read: str | None, printed: str) -> Value:
    """A date text or moment in another format; null where it is null or empty."""
    if read is None or not isinstance(source, (str, int, list)):
        moment = parse_date(source)
    else:
        written = text(source)
        moment = parse_exact(written, read) if written else None
    return None if moment is None else format_date(moment, printed)
