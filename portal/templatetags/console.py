"""Template filters and tags of the console."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString

from portal.console import attributes, badges, moments

register = template.Library()


@register.filter
def moment(value: datetime | None, missing: str = "never") -> SafeString:
    """A relative time with the UTC moment in its tooltip."""
    return moments.moment_html(value, timezone.now(), missing=missing)


@register.filter
def due(value: datetime | None) -> SafeString:
    """When something is to happen; a moment that has passed is due."""
    now = timezone.now()
    if value is not None and value <= now:
        return badges.badge("due", badges.Tone.INFO, moments.exact(value))
    return moments.moment_html(value, now, missing="–")


@register.filter
def exact(value: datetime | None) -> str:
    """The UTC moment to the second; empty when there is none."""
    return moments.exact(value) if value else ""


@register.filter
def span(seconds: float | None) -> str:
    """A length of time given in seconds."""
    return moments.span(seconds) if seconds is not None else ""


@register.simple_tag
def duration(started: datetime, ended: datetime | None) -> str:
    """From start to end, or to now while it has not ended."""
    return moments.duration(started, ended or timezone.now())


@register.simple_tag
def state_badge(state: str, label: str, title: str = "") -> SafeString:
    """A badge in the colour of the state."""
    return badges.state_badge(state, label, title)


@register.filter
def number(value: int | None) -> str:
    """A whole number with its thousands set apart by thin spaces."""
    return "–" if value is None else attributes.grouped(value)


@register.filter
def value(raw: object) -> SafeString:
    """An attribute's value as people read it."""
    return attributes.value_html(raw)
