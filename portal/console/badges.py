"""States as coloured badges. The text always says the state too, so that colour is never the only sign."""

from __future__ import annotations

from enum import StrEnum

from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.models import AgentState
from provisioning.models import (
    ChangeKind,
    ChangeStatus,
    CycleStep,
    JobState,
    LogAction,
    LogStatus,
    NotificationState,
    ReconciliationState,
)


class Tone(StrEnum):
    """The colours a badge may have."""

    GOOD = "good"
    INFO = "info"
    WARN = "warn"
    BAD = "bad"
    IDLE = "idle"


_TONES: dict[str, Tone] = {
    AgentState.ACTIVE: Tone.GOOD,
    AgentState.LATE: Tone.WARN,
    AgentState.INACTIVE: Tone.BAD,
    AgentState.REVOKED: Tone.IDLE,
    JobState.DISABLED: Tone.IDLE,
    JobState.PAUSED: Tone.WARN,
    JobState.HELD: Tone.BAD,
    JobState.QUARANTINED: Tone.BAD,
    CycleStep.READING: Tone.INFO,
    CycleStep.PLANNING: Tone.INFO,
    CycleStep.EXPORTING: Tone.INFO,
    CycleStep.SETTLING: Tone.INFO,
    CycleStep.DONE: Tone.GOOD,
    CycleStep.FAILED: Tone.BAD,
    LogStatus.SUCCESS: Tone.GOOD,
    LogStatus.FAILURE: Tone.BAD,
    LogStatus.SKIPPED: Tone.IDLE,
    LogStatus.WARNING: Tone.WARN,
    LogAction.CREATE: Tone.INFO,
    LogAction.UPDATE: Tone.INFO,
    LogAction.DELETE: Tone.WARN,
    LogAction.DISABLE: Tone.WARN,
    LogAction.STAGED_DELETE: Tone.WARN,
    ChangeKind.CREATE: Tone.INFO,
    ChangeKind.DELETE: Tone.WARN,
    ChangeKind.DISABLE: Tone.WARN,
    ChangeStatus.APPLIED: Tone.GOOD,
    ReconciliationState.WAITING: Tone.IDLE,
    ReconciliationState.COMPARING: Tone.INFO,
    ReconciliationState.MARKING: Tone.INFO,
    ReconciliationState.REPAIRING: Tone.INFO,
    ReconciliationState.REFUSED: Tone.BAD,
    NotificationState.SENT: Tone.GOOD,
    NotificationState.SENDING: Tone.INFO,
    NotificationState.PENDING: Tone.INFO,
    NotificationState.UNCERTAIN: Tone.WARN,
}

# What a long label is called where there is little room.
_SHORT: dict[str, str] = {JobState.HELD: "Held"}


def tone_of(state: str) -> Tone:
    """The colour of a state of ours; an unknown one is grey."""
    return _TONES.get(state, Tone.IDLE)


def badge(text: str, tone: Tone, title: str = "") -> SafeString:
    """A badge with an optional tooltip."""
    return format_html('<span class="is-badge is-{}" title="{}">{}</span>', tone, title, text)


def state_badge(state: str, label: str, title: str = "") -> SafeString:
    """The badge of a state, under its usual label."""
    return badge(_SHORT.get(state, label), tone_of(state), title)
