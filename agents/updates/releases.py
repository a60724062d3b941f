"""Publishing a release of the agent: a wheel becomes a target of the repository."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from io import BytesIO
from pathlib import PurePosixPath
from typing import Final

from django.db import transaction
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from agents.models import AgentRelease
from agents.updates import repository
from agents.updates.repository import NewTarget

DISTRIBUTION: Final = "isthmus-agent"
MAX_WHEEL: Final = 32 * 1024 * 1024


class NotAnAgentWheel(Exception):
    """The file is no wheel of the agent; the text says what is wrong with it."""


def publish(
    name: str, wheel: bytes, now: datetime, carried: Mapping[str, bytes] | None = None
) -> AgentRelease:
    """Publish a wheel under its version; raises :class:`NotAnAgentWheel`. A version is published once.

    ``carried`` are wheels of dependencies by their names, for agents whose hosts have others and no index.
    """
    version = version_of(name, wheel)
    dependencies = dict(carried or {})
    for each, content in dependencies.items():
        _check_dependency(each, content)
    if not repository.exists():
        raise NotAnAgentWheel("There is no update repository yet; run create_update_repository first.")
    if AgentRelease.objects.filter(version=version).exists():
        raise NotAnAgentWheel(f"Version {version} is published already; give the wheel a new version.")
    told = {"version": version, "wheels": sorted(dependencies)}
    new = [NewTarget(name, wheel, told), *(NewTarget(*each) for each in dependencies.items())]
    with transaction.atomic():
        try:
            target = repository.add_targets(new, now)[0]
        except ValueError as error:
            raise NotAnAgentWheel(str(error)) from error
        return AgentRelease.objects.create(
            version=version,
            target=name,
            sha256=target.hashes["sha256"],
            size=target.length,
            published_at=now,
        )


def new_requirements(wheel: bytes) -> list[str]:
    """What a wheel of the agent asks for and the release before it did not; empty for the first release."""
    newest = AgentRelease.objects.first()
    if newest is None:
        return []
    before = repository.read(f"targets/{newest.sha256}.{newest.target}") or b""
    return sorted(_requirements(wheel) - _requirements(before))


def _check_dependency(name: str, content: bytes) -> None:
    try:
        project = parse_wheel_filename(name)[0]
    except InvalidWheelFilename as error:
        raise NotAnAgentWheel(f"{name} is not the name of a wheel.") from error
    if project == DISTRIBUTION:
        raise NotAnAgentWheel(f"{name} is the agent itself; --with names wheels of its dependencies.")
    if len(content) > MAX_WHEEL:
        raise NotAnAgentWheel(f"{name} is larger than {MAX_WHEEL} bytes.")
    _metadata(content)


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
    told = _headers(wheel)
    return str(told["Name"]), str(told["Version"])


def _requirements(wheel: bytes) -> set[str]:
    return {str(requirement) for requirement in _headers(wheel).get_all("Requires-Dist") or ()}


def _headers(wheel: bytes) -> Message:
    try:
        with zipfile.ZipFile(BytesIO(wheel)) as archive:
            path = next(p for p in archive.namelist() if PurePosixPath(p).match("*.dist-info/METADATA"))
            return BytesParser().parsebytes(archive.read(path), headersonly=True)
    except (zipfile.BadZipFile, StopIteration) as error:
        raise NotAnAgentWheel("The file is no wheel.") from error
