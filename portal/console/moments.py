"""Points in time and spans of time as people read them; the exact UTC moment is one hover away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.html import format_html
from django.utils.safestring import SafeString

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """A length of time in its largest unit, or its two largest where the second one matters: ``1 h 20 min``."""
    whole = int(abs(seconds))
    for position, (size, unit) in enumerate(_UNITS):
        if whole >= size:
            return _with_rest(whole, position, size, unit)
    return "0 s"


def relative(moment: datetime, now: datetime) -> str:
    """``3 min ago``, ``in 40 s`` or ``just now``."""
    seconds = (moment - now).total_seconds()
    if -1 < seconds < 1:
        return "just now"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(seconds)} ago"


def exact(moment: datetime) -> str:
    """The moment in UTC to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def moment_html(moment: datetime | None, now: datetime, *, missing: str = "never") -> SafeString:
    """A ``<time>`` element with the relative time as text and the UTC moment as tooltip."""
    if moment is None:
        return format_html('<span class="is-faint">{}</span>', missing)
    return format_html(
        '<time class="is-time" datetime="{}" title="{}">{}</time>',
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        exact(moment),
        relative(moment, now),
    )


def duration(started: datetime, ended: datetime) -> str:
    """How long something took, with a tenth of a second below ten seconds."""
    length = max(ended - started, timedelta()).total_seconds()
    return f"{length:.1f} s" if length < 10 else span(length)


def _with_rest(whole: int, position: int, size: int, unit: str) -> str:
    head, rest = divmod(whole, size)
    # Seconds matter below ten minutes, minutes below ten hours, hours below ten days; beyond they are noise.
    if position + 1 < len(_UNITS) and head < 10:
        next_size, next_unit = _UNITS[position + 1]
        if rest // next_size:
            return f"{head} {unit} {rest // next_size} {next_unit}"
    return f"{head} {unit}"
