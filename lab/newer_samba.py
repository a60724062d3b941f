"""A Samba that computes passwords of group managed service accounts (4.21 or newer), beside the installed one.

Where the distribution's own is older, the packages of its backports are unpacked into a directory and laid over
``/usr`` for the processes that want them, in a mount namespace of their own. Nothing is installed.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from lab import packages
from lab.errors import LabError
from lab.processes import run

FIRST_WITH_MANAGED_PASSWORDS: Final = (4, 21)
UNPACKED: Final = Path(__file__).resolve().parents[1] / "var" / "lab-samba"
# The arguments after the script: where the packages are, then the command.
_OVERLAY: Final = 'mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && exec "$@"'


def command_prefix(unpacked: Path = UNPACKED) -> tuple[str, ...]:
    """What to put before a command so that it runs with a newer Samba; fetches 14 MB the first time."""
    packages.ensure(*packages.SAMBA)
    if installed_version() >= FIRST_WITH_MANAGED_PASSWORDS:
        return ()
    if not unpacked.exists():
        _unpack(unpacked)
    return ("unshare", "--mount", "sh", "-c", _OVERLAY, str(unpacked))


def installed_version() -> tuple[int, ...]:
    """``samba --version`` as numbers."""
    text = run(["samba", "--version"]).removeprefix("Version ")
    return tuple(int(part) for part in text.partition("-")[0].split(".")[:2])


def _unpack(directory: Path) -> None:
    """Fetch and unpack beside the final place, then rename: nobody sees half of it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix="samba-") as temporary:
        place = Path(temporary)
        for archive in _fetch(place):
            run(["dpkg", "--extract", str(archive), str(place / "root")])
        (place / "root").rename(directory)


def _fetch(place: Path) -> list[Path]:
    """The packages and those they newly need, by apt with lists and cache of its own."""
    _, release = _release()
    for name in ("lists/partial", "cache/archives/partial", "parts"):
        (place / name).mkdir(parents=True)
    (place / "sources.list").write_text(_sources())
    options = [
        f"--option=Dir::Etc::sourcelist={place}/sources.list",
        f"--option=Dir::Etc::sourceparts={place}/parts",
        f"--option=Dir::State::lists={place}/lists",
        f"--option=Dir::Cache={place}/cache",
        # Not root's files only: apt fetches as a user of its own.
        "--option=APT::Sandbox::User=root",
    ]
    run(["apt-get", *options, "update"])
    wanted = ["install", "--download-only", "--yes", "--no-install-recommends", *packages.SAMBA]
    run(["apt-get", *options, f"--target-release={release}-backports", *wanted])
    found = sorted((place / "cache/archives").glob("*.deb"))
    if not found:
        raise LabError("LabInstallFailed", f"{release}-backports holds no newer Samba.")
    return found


def _sources() -> str:
    """The release and its backports, from where this machine has its packages."""
    address, release = _release()
    signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    return "".join(f"deb {signed} {address} {suite} main\n" for suite in (release, f"{release}-backports"))


def _release() -> tuple[str, str]:
    """Where the distribution's main packages come from, and its code name."""
    (code,) = [
        line.partition("=")[2].strip('"')
        for line in Path("/etc/os-release").read_text().splitlines()
        if line.startswith("VERSION_CODENAME=")
    ]
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in told.stdout.splitlines():
        address, _, release = line.partition(" ")
        if release == code:
            return address, code
    raise LabError("LabInstallFailed", f"apt names no source of {code}.")
