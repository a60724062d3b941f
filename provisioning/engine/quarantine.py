"""When a job that fails too much is slowed down, and when it is given up (entra-cycle §7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

EVALUATED_FROM: Final = 5_000
PROPORTION_PERCENT: Final = 40
BASE_THRESHOLD: Final = 40_000
TOTAL_THRESHOLD: Final = 60_000
GIVEN_UP_AFTER: Final = timedelta(weeks=4)


class Reason(StrEnum):
    """Why a job is in quarantine, under the names of Graph's synchronizationQuarantine."""

    BASE = "EncounteredBaseEscrowThreshold"
    TOTAL = "EncounteredTotalEscrowThreshold"
    PROPORTION = "EncounteredEscrowProportionThreshold"
    EXCEPTION = "EncounteredQuarantineException"
    ON_DEMAND = "QuarantinedOnDemand"


@dataclass(frozen=True, slots=True)
class Failures:
    """What a cycle came to: objects written and failed, references failed, and objects that stand in escrow."""

    succeeded: int
    failed: int
    failed_references: int = 0
    in_escrow: int = 0

    @property
    def standing(self) -> int:
        """Objects that fail now: those of this cycle, and those that wait for their next try."""
        return max(self.failed, self.in_escrow)


def reason_for(failures: Failures) -> Reason | None:
    """The threshold that these failures pass, if any."""
    if failures.standing > BASE_THRESHOLD:
        return Reason.BASE
    if failures.standing + failures.failed_references > TOTAL_THRESHOLD:
        return Reason.TOTAL
    return Reason.PROPORTION if _fails_mostly(failures.failed, failures.succeeded) else None


def reason_after(current: str, failures: Failures) -> Reason | None:
    """Why the job is in quarantine after a cycle that came to its end; ``current`` is why it was before.

    A cycle with little to do says nothing of the objects that still wait in escrow: the proportion holds on
    until enough of those succeed.
    """
    found = reason_for(failures)
    if (
        found is None
        and current == Reason.PROPORTION
        and _fails_mostly(failures.standing, failures.succeeded)
    ):
        return Reason.PROPORTION
    return found


def graph_reason(reason: str) -> Reason:
    """A job's reason as Graph would name it: an error code of ours is an exception."""
    return Reason(reason) if reason in set(Reason) else Reason.EXCEPTION


def is_given_up(since: datetime, now: datetime) -> bool:
    """Whether a job has been in quarantine for so long that it is disabled."""
    return now - since > GIVEN_UP_AFTER


def _fails_mostly(failed: int, succeeded: int) -> bool:
    return failed >= EVALUATED_FROM and failed * 100 > PROPORTION_PERCENT * (failed + succeeded)
