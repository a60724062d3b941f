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
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from provisioning_agent.errors import AgentError
from provisioning_agent.files import make_directory

from .versions import Versions

log = logging.getLogger(__name__)

_DISTRIBUTION: Final = "isthmus-agent"
# The extra, and what it brings.
_KERBEROS: Final = "kerberos"
_KERBEROS_LIBRARY: Final = "gssapi"
_INSTALL_S: Final = 600
_CHECK_S: Final = 60
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_CHECK: Final = (
    "import provisioning_agent, provisioning_agent.cli.main, provisioning_agent.channel.service;"
    "print(provisioning_agent.__version__)"
)


def install(versions: Versions, wheel: Path, version: str) -> None:
    """Install the wheel as ``version``; raises ``UpdateNotInstalled``, and nothing of it is left.

    While the dependencies are the same, those of the running version are used and no index is asked. Otherwise
    pip resolves them with the index it is configured for (pip.conf, ``PIP_INDEX_URL``).
    """
    versions.discard(version)
    make_directory(versions.directory)
    environment = versions.environment(version)
    try:
        if _requirements(wheel) == set(importlib.metadata.requires(_DISTRIBUTION) or ()):
            _beside(environment, wheel)
        else:
            _on_its_own(environment, wheel)
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


def _beside(environment: Path, wheel: Path) -> None:
    """Only the agent is new: its dependencies are found where the running version finds them."""
    venv.create(environment, symlinks=True, with_pip=importlib.util.find_spec("pip") is None)
    site = _site(environment)
    (site / "isthmus-dependencies.pth").write_text("\n".join(_dependency_paths()) + "\n", encoding="utf-8")
    if importlib.util.find_spec("pip") is None:
        command = [str(_python(environment)), "-m", "pip"]
    else:
        command = [sys.executable, "-m", "pip", "--python", str(_python(environment))]
    # Ignoring what is installed: the running version, seen through the path above, is to stay where it is.
    _run([*command, "install", *_QUIETLY, "--no-deps", "--no-index", "--ignore-installed", str(wheel)])


def _on_its_own(environment: Path, wheel: Path) -> None:
    venv.create(environment, symlinks=True, with_pip=True)
    extras = f"[{_KERBEROS}]" if importlib.util.find_spec(_KERBEROS_LIBRARY) else ""
    _run([str(_python(environment)), "-m", "pip", "install", *_QUIETLY, f"{wheel}{extras}"])


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


def _dependency_paths() -> list[str]:
    """The directories that hold the running version's dependencies."""
    names = [_NAME.match(text) for text in importlib.metadata.requires(_DISTRIBUTION) or ()]
    return sorted({path for name in names if name and (path := _place(name[0]))})


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
