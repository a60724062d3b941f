"""A verified wheel becomes a virtual environment of its own, beside the one that runs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from provisioning_agent.errors import AgentError
from provisioning_agent.files import make_directory

from .versions import Versions

log = logging.getLogger(__name__)

_DISTRIBUTION: Final = "isthmus-agent"
_INSTALL_S: Final = 600
_CHECK_S: Final = 60
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA: Final = re.compile(r"""extra\s*==\s*["']([A-Za-z0-9._-]+)["']""")
_CHECK: Final = (
    "import provisioning_agent, provisioning_agent.cli.main, provisioning_agent.channel.service;"
    "print(provisioning_agent.__version__)"
)


def install(versions: Versions, wheel: Path, version: str, carried: Sequence[Path] = ()) -> None:
    """Install the wheel as ``version``; raises ``UpdateNotInstalled``, and nothing of it is left.

    The dependencies of the running version are used as far as they will do. Others come from the wheels that the
    release carries; from the index that pip is configured for (pip.conf, ``PIP_INDEX_URL``) only if it carries none.
    """
    versions.discard(version)
    make_directory(versions.directory)
    environment = versions.environment(version)
    try:
        pip = _beside(versions, environment, wheel)
        if _requirements(wheel) != set(_running_requirements()):
            _complete(pip, version, carried)
        told = _run([str(_python(environment)), "-I", "-c", _CHECK], _CHECK_S).strip()
        if told != version:
            raise AgentError("UpdateNotInstalled", f"The release says it is {told}, not {version}.")
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, AgentError) as error:
        versions.discard(version)
        if isinstance(error, AgentError):
            raise
        raise AgentError(
            "UpdateNotInstalled", f"Version {version} could not be installed ({type(error).__name__})."
        ) from error
    versions.mark_complete(version)


def _beside(versions: Versions, environment: Path, wheel: Path) -> list[str]:
    """The agent alone: its dependencies are found where the running version finds them. Returns pip's command."""
    venv.create(environment, symlinks=True, with_pip=importlib.util.find_spec("pip") is None)
    versions.lean(_site(environment), _dependency_paths())
    if importlib.util.find_spec("pip") is None:
        pip = [str(_python(environment)), "-m", "pip"]
    else:
        pip = [sys.executable, "-m", "pip", "--python", str(_python(environment))]
    # Ignoring what is installed: the running version, seen through the path above, is to stay where it is.
    _run([*pip, "install", *_QUIETLY, "--no-deps", "--no-index", "--ignore-installed", str(wheel)])
    return pip


def _complete(pip: list[str], version: str, carried: Sequence[Path]) -> None:
    """Add the dependencies that the running version does not have, or not new enough."""
    places = sorted({str(path.parent) for path in carried})
    source = ["--no-index", *(f"--find-links={place}" for place in places)] if places else ["--retries=1"]
    extras = ",".join(sorted(_extras_in_use()))
    wanted = f"{_DISTRIBUTION}[{extras}]=={version}" if extras else f"{_DISTRIBUTION}=={version}"
    try:
        _run([*pip, "install", *_QUIETLY, *source, wanted])
    except AgentError as error:
        where = "the release does not carry" if carried else "pip has no index for"
        raise AgentError(
            "UpdateNotInstalled",
            f"Version {version} needs packages that {where}; publish it with them (--with). {error.detail}",
        ) from error


_QUIETLY: Final = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir")


def _run(command: list[str], seconds: float = _INSTALL_S) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, cwd="/")
    if done.returncode != 0:
        # The last line says what is missing; an index with a password in its address is never repeated.
        last = re.sub(r"://\S+@", "://…@", (done.stderr.strip().splitlines() or [""])[-1])[:300]
        raise AgentError("UpdateNotInstalled", f"{Path(command[0]).name} failed: {last}")
    return done.stdout


def _requirements(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        path = next((p for p in archive.namelist() if p.endswith(".dist-info/METADATA")), None)
        if path is None:
            raise AgentError("UpdateNotInstalled", "The release is no wheel.")
        told = BytesParser().parsebytes(archive.read(path), headersonly=True)
    return {str(requirement) for requirement in told.get_all("Requires-Dist") or ()}


def _running_requirements() -> list[str]:
    return importlib.metadata.requires(_DISTRIBUTION) or []


def _dependency_paths() -> list[str]:
    """The directories that hold the running version's dependencies, in the order in which it searches them."""
    names = [_NAME.match(text) for text in _running_requirements()]
    found = {path for name in names if name and (path := _place(name[0]))}
    return [*(path for path in dict.fromkeys(sys.path) if path in found), *sorted(found.difference(sys.path))]


def _extras_in_use() -> set[str]:
    """The extras whose packages are installed."""
    found = [(_NAME.match(text), _EXTRA.search(text)) for text in _running_requirements()]
    return {extra[1] for name, extra in found if name and extra and _place(name[0])}


def _place(distribution: str) -> str:
    """Where a distribution is installed; empty for one that is not there, such as an extra's."""
    try:
        return str(importlib.metadata.distribution(distribution).locate_file(""))
    except importlib.metadata.PackageNotFoundError:
        return ""


def _python(environment: Path) -> Path:
    return environment / "bin" / "python"


def _site(environment: Path) -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return environment / "lib" / version / "site-packages"
