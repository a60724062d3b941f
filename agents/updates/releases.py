"""Publishing a release of the agent: a wheel becomes a target of the repository."""

from __future__ import annotations

import zipfile
from datetime import datetime
from email.parser import BytesParser
from io import BytesIO
from pathlib import PurePosixPath
from typing import Final

from django.db import transaction
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from agents.models import AgentRelease
from agents.updates import repository

DISTRIBUTION: Final = "isthmus-agent"
MAX_WHEEL: Final = 32 * 1024 * 1024


class NotAnAgentWheel(Exception):
    """The file is no wheel of the agent; the text says what is wrong with it."""


def publish(name: str, wheel: bytes, now: datetime) -> AgentRelease:
    """Publish a wheel under its version; raises :class:`NotAnAgentWheel`. A version is published once."""
    version = version_of(name, wheel)
    if not repository.exists():
        raise NotAnAgentWheel("There is no update repository yet; run create_update_repository first.")
    if AgentRelease.objects.filter(version=version).exists():
        raise NotAnAgentWheel(f"Version {version} is published already; give the wheel a new version.")
    with transaction.atomic():
        target = repository.add_target(name, wheel, {"version": version}, now)
        return AgentRelease.objects.create(
            version=version,
            target=name,
            sha256=target.hashes["sha256"],
            size=target.length,
            published_at=now,
        )


def version_of(name: str, wheel: bytes) -> str:
    """The version of the agent's wheel, the same in its name and its metadata (PEP 427)."""
    try:
        project, version, _, _ = parse_wheel_filename(name)
    except InvalidWheelFilename as error:
        raise NotAnAgentWheel(f"{name} is not the name of a wheel.") from error
    if len(wheel) > MAX_WHEEL:
        raise NotAnAgentWheel(f"{name} is larger than {MAX_WHEEL} bytes.")
    told_name, told_version = _metadata(wheel)
    if project != DISTRIBUTION or canonicalize_name(told_name) != DISTRIBUTION:
        raise NotAnAgentWheel(f"{name} is not a wheel of {DISTRIBUTION}.")
    if told_version != str(version):
        raise NotAnAgentWheel(f"{name} holds version {told_version}.")
    return told_version


def _metadata(wheel: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(BytesIO(wheel)) as archive:
            path = next(p for p in archive.namelist() if PurePosixPath(p).match("*.dist-info/METADATA"))
            told = BytesParser().parsebytes(archive.read(path), headersonly=True)
    except (zipfile.BadZipFile, StopIteration) as error:
        raise NotAnAgentWheel("The file is no wheel.") from error
    return str(told["Name"]), str(told["Version"])
