"""The versions installed beside each other: which one is current, on trial, or not to be tried again for a while.

``versions/<v>`` is a virtual environment each; ``current`` links to one of them. Without the link, the original
installation is what runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from provisioning_agent.files import make_directory, write_private

ROLLED_BACK_FOR: Final = timedelta(hours=24)
NOT_INSTALLED_FOR: Final = timedelta(hours=1)
_RECORD: Final = "update.json"
_COMPLETE: Final = ".complete"
# A path configuration file of Python's site module.
_LEANING: Final = "isthmus-dependencies.pth"


@dataclass(slots=True)
class Record:
    """``trial`` runs but has not bootstrapped yet; ``previous`` is what to go back to, "" the original.

    ``refused`` tells until when (ISO-8601) a version is not tried; ``rolled_back`` is still to be reported.
    """

    trial: str = ""
    previous: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    rolled_back: str = ""

    def is_refused(self, version: str, now: datetime) -> bool:
        """Whether the version is to be left alone."""
        until = self.refused.get(version)
        return until is not None and now < datetime.fromisoformat(until)

    def refuse(self, version: str, until: datetime) -> None:
        """Leave the version alone until then."""
        self.refused[version] = until.isoformat()


class Versions:
    """The versions below a state directory."""

    def __init__(self, state: Path) -> None:
        self.directory = state / "versions"
        self._current = state / "current"
        self._record = state / _RECORD

    def record(self) -> Record:
        """What is written down; nothing if it can not be read."""
        try:
            return Record(**orjson.loads(self._record.read_bytes()))
        except (OSError, ValueError, TypeError):
            return Record()

    def save(self, record: Record) -> None:
        """Write it down."""
        write_private(self._record, orjson.dumps(asdict(record)))

    def current(self) -> str:
        """The version the link names, "" for the original installation."""
        return self._current.readlink().name if self._current.is_symlink() else ""

    def command(self) -> Path | None:
        """The current version's command, None for the original installation's."""
        command = self._current / "bin" / "isthmus-agent"
        return command if command.exists() else None

    def environment(self, version: str) -> Path:
        """Where a version is or will be."""
        return self.directory / version

    def is_complete(self, version: str) -> bool:
        """Whether the version was installed to its end."""
        return (self.environment(version) / _COMPLETE).exists()

    def mark_complete(self, version: str) -> None:
        """The version is installed."""
        (self.environment(version) / _COMPLETE).touch()

    def discard(self, version: str) -> None:
        """Remove what there is of a version."""
        shutil.rmtree(self.environment(version), ignore_errors=True)

    def switch(self, version: str) -> None:
        """Make a version the current one, in one step; "" is the original installation."""
        if not version:
            self._current.unlink(missing_ok=True)
            return
        make_directory(self.directory)
        link = self._current.with_name(f".current.{os.getpid()}")
        link.unlink(missing_ok=True)
        link.symlink_to(Path("versions") / version)
        link.replace(self._current)

    def try_out(self, version: str) -> None:
        """Make a version current, on trial."""
        record = self.record()
        record.trial, record.previous = version, self.current()
        # The trial is written down first: after a crash in between, the version before is what is tried.
        self.save(record)
        self.switch(version)

    def accept(self) -> None:
        """The version on trial has bootstrapped: it stays, with the one before it and what these two lean on."""
        record = self.record()
        kept = self._with_what_they_lean_on({record.trial, record.previous})
        record.trial = ""
        record.refused.pop(self.current(), None)
        self.save(record)
        for path in self.directory.iterdir():
            if path.name not in kept:
                self.discard(path.name)

    def lean(self, site: Path, places: Sequence[str]) -> None:
        """Let the environment with these site-packages find what it lacks in other places."""
        (site / _LEANING).write_text("\n".join(places) + "\n", encoding="utf-8")

    def _with_what_they_lean_on(self, versions: set[str]) -> set[str]:
        """These versions, and those that hold dependencies of theirs."""
        found = set(versions)
        for version in versions - {""}:
            for leaning in self.environment(version).glob(f"lib/*/site-packages/{_LEANING}"):
                places = [Path(line) for line in leaning.read_text(encoding="utf-8").splitlines()]
                below = [place for place in places if place.is_relative_to(self.directory)]
                found |= {place.relative_to(self.directory).parts[0] for place in below}
        return found

    def go_back(self, now: datetime) -> str:
        """Return to the version before; the one on trial is left alone for a day. Returns its name."""
        record = self.record()
        failed = record.trial
        self.switch(record.previous)
        record.trial, record.rolled_back = "", failed
        record.refuse(failed, now + ROLLED_BACK_FOR)
        self.save(record)
        self.discard(failed)
        return failed
