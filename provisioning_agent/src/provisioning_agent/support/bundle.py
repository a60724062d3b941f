"""The bundle for whoever helps: recent log, status, configuration, host facts, a look at every link."""

from __future__ import annotations

import os
import platform
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import orjson

from provisioning_agent import __version__
from provisioning_agent.errors import AgentError
from provisioning_agent.files import PRIVATE_FILE
from provisioning_agent.status import iso

from . import log_file
from .redaction import Redactor, known_secrets

_PACKAGES: Final = ("cryptography", "ldap3", "orjson", "PyJWT", "requests", "rich", "typer")
_PLAIN_FILES: Final = ("agent.json", "status.json")


def write_bundle(output: Path, state: Path, now: datetime, hours: int, report: dict[str, Any] | None) -> int:
    """Write a new zip file, mode 0600; returns how many log lines are in it.

    ``report`` is the doctor's, None to leave it out.
    """
    redactor = Redactor(known_secrets(state))
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    except OSError as error:
        raise AgentError("BundleNotWritable", f"{output} can not be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        lines = _add_log(bundle, redactor, state, now - timedelta(hours=hours))
        bundle.writestr("manifest.json", redactor.clean(_json(_manifest(now, hours, lines))))
        for name in _PLAIN_FILES:
            if (state / name).exists():
                bundle.writestr(name, redactor.clean((state / name).read_text(errors="replace")))
        if report is not None:
            bundle.writestr("doctor.json", redactor.clean(_json(report)))
    return lines


def _add_log(bundle: zipfile.ZipFile, redactor: Redactor, state: Path, start: datetime) -> int:
    count = 0
    with bundle.open("agent.log", "w") as file:
        for line in _recent(state, start):
            file.write(redactor.clean(line.decode(errors="replace")).encode())
            count += 1
    return count


def _recent(state: Path, start: datetime) -> Iterator[bytes]:
    for path in log_file.files(state):
        with path.open("rb") as file:
            yield from (line for line in file if log_file.is_since(line, start))


def _manifest(now: datetime, hours: int, lines: int) -> dict[str, Any]:
    return {
        "madeAt": iso(now),
        "hours": hours,
        "logLines": lines,
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }


def _json(value: dict[str, Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
