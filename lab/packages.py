"""Debian packages the laboratory needs: look for them, install them where that is allowed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from lab.errors import LabError

SAMBA = (
    "samba",
    "samba-ad-dc",
    "samba-ad-provision",
    "samba-dsdb-modules",
    "samba-vfs-modules",
    "winbind",
    "python3-samba",
    "ldap-utils",
)
BROWSER = ("chromium",)
# For systemd-analyze, which judges the agent's unit; it need not be what runs the machine.
SYSTEMD = ("systemd",)
# To build the Python binding of MIT's Kerberos.
KERBEROS = ("libkrb5-dev", "gcc", "libc6-dev")
# Asked by Debian's maintainer scripts before they start a service; status 101 forbids it.
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")
BUNDLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"samba": SAMBA, "browser": BROWSER, "systemd": SYSTEMD, "kerberos": KERBEROS}
)


def ensure(*packages: str) -> list[str]:
    """Make sure the Debian packages are installed; returns those that had to be installed.

    Raises LabError when one is missing and this process may not, or can not, install it.
    """
    missing = missing_packages(packages)
    if not missing:
        return []
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise LabError("LabPackageMissing", f"These packages are missing: {' '.join(missing)}.")
    _install(missing)
    left = missing_packages(missing)
    if left:
        raise LabError("LabInstallFailed", f"apt-get did not install {' '.join(left)}.")
    return missing


def missing_packages(packages: Iterable[str]) -> list[str]:
    """Those of the packages that dpkg does not report as installed, in the order given."""
    return [package for package in packages if not _is_installed(package)]


def _is_installed(package: str) -> bool:
    if shutil.which("dpkg-query") is None:
        return False
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def _install(packages: list[str]) -> None:
    """Install at once; refresh the package lists only when that fails (they may be old or absent)."""
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    with _services_stay_stopped():
        if _apt(command).returncode == 0:
            return
        _apt(["apt-get", "update"])
        result = _apt(command)
    if result.returncode != 0:
        tail = "\n".join(result.stdout.splitlines()[-5:])
        raise LabError("LabInstallFailed", f"apt-get could not install {' '.join(packages)}:\n{tail}\n")


@contextlib.contextmanager
def _services_stay_stopped(policy: Path = SERVICE_POLICY) -> Iterator[None]:
    """While packages are installed, keep Debian from starting their services; an existing policy is kept.

    Otherwise the samba package would open a file server on every address of the machine.
    """
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def _apt(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def main(arguments: list[str]) -> int:
    """Install the named bundles (``BUNDLES``); returns the exit status."""
    unknown = [name for name in arguments if name not in BUNDLES]
    if unknown or not arguments:
        print(f"usage: python -m lab.packages {{{'|'.join(BUNDLES)}}} ...", file=sys.stderr)
        return 2
    try:
        for name in arguments:
            installed = ensure(*BUNDLES[name])
            print(f"{name}: {'installed ' + ' '.join(installed) if installed else 'already there'}")
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
