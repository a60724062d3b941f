"""Whether an account is to be enabled in the target, and when that changes by itself.

accountExpires is a FILETIME: 100 ns steps since 1601, with 0 and 2^63−1 for never (MS-ADTS §2.2.18, MS-ADA1
accountExpires). Active Directory changes nothing when the moment comes, so that it has to be awaited.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

ACCOUNT_DISABLE: Final = 0x2
NEVER: Final = (0, 2**63 - 1)
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


class Cause(StrEnum):
    """What decides an account's state."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    EXPIRED = "expired"
    OUT_OF_SCOPE = "outOfScope"


@dataclass(frozen=True, slots=True)
class AccountState:
    """The state now, why, and the moment it changes though nobody changes anything; None for no such moment."""

    cause: Cause
    changes_at: datetime | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the account may be used."""
        return self.cause is Cause.ENABLED


def effective_state(
    *, user_account_control: object, account_expires: object, in_scope: bool, now: datetime
) -> AccountState:
    """The state of an account from the attributes as read; ``account_expires`` is None where it does not count.

    What is no number sets no flag, as what is no moment never comes.
    """
    if not in_scope:
        return AccountState(Cause.OUT_OF_SCOPE)
    expires = expiry(account_expires)
    if type(user_account_control) is int and user_account_control & ACCOUNT_DISABLE:
        return AccountState(Cause.DISABLED)
    if expires is None:
        return AccountState(Cause.ENABLED)
    return AccountState(Cause.EXPIRED) if expires <= now else AccountState(Cause.ENABLED, expires)


def expiry(filetime: object) -> datetime | None:
    """The moment an account expires; None for never, and for what is no moment at all."""
    if type(filetime) is not int or filetime in NEVER or filetime < 0:
        return None
    try:
        return _EPOCH + timedelta(microseconds=filetime // 10)
    except OverflowError:
        # Beyond the year 9999.
        return None
