"""The one place that says what a failed call means for the rest of the program."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from provisioning_agent.wire.errors import WireError


class Verdict(Enum):
    """What to do after a failed call."""

    RETRY = auto()
    NEW_TOKEN = auto()
    DROP = auto()
    STOP = auto()
    GIVE_UP = auto()


_BY_CODE: Final[Mapping[str, Verdict]] = {
    "AgentRevoked": Verdict.STOP,
    "AgentUnknown": Verdict.STOP,
    "BusTokenInvalid": Verdict.NEW_TOKEN,
    "BusTokenExpired": Verdict.NEW_TOKEN,
    "RequestUnknown": Verdict.DROP,
    "RequestNotYours": Verdict.DROP,
    "RequestClosed": Verdict.DROP,
}

_PASSING: Final = frozenset({408, 425, 429})


def verdict(error: WireError) -> Verdict:
    """Judge a failed call; an unreadable answer came from something in between and may be tried again."""
    by_code = _BY_CODE.get(error.code)
    if by_code is not None:
        return by_code
    if error.retry or error.status >= 500 or error.status in _PASSING:
        return Verdict.RETRY
    return Verdict.GIVE_UP
