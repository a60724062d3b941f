"""What a restart resets, under the names of Graph's synchronizationJobRestartCriteria."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ResetScope(StrEnum):
    """One thing that a restart forgets; ``FORCE_DELETES`` lets staged deletions go instead."""

    CONNECTOR_DATA_STORE = "ConnectorDataStore"
    ESCROWS = "Escrows"
    WATERMARK = "Watermark"
    QUARANTINE_STATE = "QuarantineState"
    FORCE_DELETES = "ForceDeletes"


FULL: Final = frozenset(ResetScope) - {ResetScope.FORCE_DELETES}
DEFAULT: Final = frozenset({ResetScope.QUARANTINE_STATE, ResetScope.WATERMARK, ResetScope.ESCROWS})
_SCOPES: Final = {
    **{scope.value.lower(): frozenset({scope}) for scope in ResetScope},
    "full": FULL,
    "none": frozenset[ResetScope](),
}


def parse_reset_scope(text: str) -> frozenset[ResetScope] | None:
    """What a comma list names, in any spelling of upper and lower case; nothing at all is the default.

    None where the list names something unknown, or ``None`` beside something else.
    """
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not names:
        return DEFAULT
    if any(name not in _SCOPES for name in names) or ("none" in names and len(set(names)) > 1):
        return None
    found = frozenset[ResetScope]().union(*(_SCOPES[name] for name in names))
    # Without its objects a job knows of nothing that a delta could build upon.
    return found | {ResetScope.WATERMARK} if ResetScope.CONNECTOR_DATA_STORE in found else found
