"""One check and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from provisioning_agent.errors import EXIT_DIRECTORY, EXIT_PORTAL, EXIT_SETUP


class Status(StrEnum):
    """How a check ended; skipped means that something before it failed."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class Family(StrEnum):
    """Which link a check belongs to."""

    HOST = "host"
    PORTAL = "portal"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class Check:
    """What was tried on which target, what came back, and how to mend it."""

    name: str
    target: str
    tried: str
    found: str
    status: Status
    remedy: str = ""
    family: Family = Family.HOST

    def of(self, family: Family) -> Check:
        """The same check as part of a family."""
        return replace(self, family=family)


# Nothing failed, but something will, or is worse than it could be.
EXIT_WARNINGS: Final = 7
_EXIT: Final = {
    Family.HOST: EXIT_SETUP,
    Family.PORTAL: EXIT_PORTAL,
    Family.DIRECTORY: EXIT_DIRECTORY,
}


def exit_code(checks: Iterable[Check]) -> int:
    """0 all well, 7 warnings only, else 4, 5 or 6 by the first link that failed: host, portal, directory."""
    found = list(checks)
    failed = [check.family for check in found if check.status is Status.FAIL]
    if failed:
        return _EXIT[failed[0]]
    return EXIT_WARNINGS if any(check.status is Status.WARN for check in found) else 0


def skipped(name: str, target: str, tried: str, because: str) -> Check:
    """A check that could not be made."""
    return Check(name, target, tried, f"not tried, because {because}", Status.SKIPPED)
