"""The agent's log file: one event a line, as JSON, rotating; only its owner may read it."""

from __future__ import annotations

import logging
import os
import re
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

import orjson

from provisioning_agent.files import PRIVATE_FILE, make_directory

from .correlation import Correlation

MAX_BYTES: Final = 10_000_000
KEPT_FILES: Final = 5
_DIRECTORY: Final = "logs"
_FILE: Final = "agent.log"
# The fields of our own lines, event=answered seconds=0.12 detail="two words".
_FIELD: Final = re.compile(r'([a-z_]+)=("[^"]*"|\S+)')


class JsonLines(logging.Formatter):
    """One JSON object a line; the fields of the message are fields of the object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        message = record.getMessage()
        line: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "thread": record.threadName or "",
            **{name: value.strip('"') for name, value in _FIELD.findall(message)},
            "message": message,
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


class PrivateRotatingFile(RotatingFileHandler):
    """A rotating file that is created for its owner alone."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def handler(state: Path) -> logging.Handler:
    """A handler that writes to the state directory's log."""
    directory = state / _DIRECTORY
    make_directory(directory)
    found = PrivateRotatingFile(
        directory / _FILE, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8"
    )
    found.setFormatter(JsonLines())
    found.addFilter(Correlation())
    return found


def files(state: Path) -> list[Path]:
    """The log files that are there, oldest first."""
    base = state / _DIRECTORY / _FILE
    numbered = [base.with_name(f"{_FILE}.{number}") for number in range(KEPT_FILES, 0, -1)]
    return [path for path in (*numbered, base) if path.exists()]


def is_since(line: bytes, start: datetime) -> bool:
    """Whether a line was written after ``start``; one that is cut off counts, since nobody can tell."""
    try:
        return datetime.fromisoformat(orjson.loads(line)["time"]) >= start
    except (ValueError, KeyError, TypeError):
        return True
