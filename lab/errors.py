"""The one error the laboratory raises, with a stable code and a remedy for each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "LabNeedsRoot": "Run it as root: a domain controller listens on ports below 1024.",
        "LabPackageMissing": "Install the named Debian packages with apt-get, then try again.",
        "LabInstallFailed": "Look at the installer's last lines, repair the package sources and try again.",
        "LabAddressBusy": "Stop the program that holds the address, or choose another loopback address.",
        "LabCommandFailed": "Look at the command's last lines shown with this error.",
        "LabServerDied": "Look at the end of the server's log shown with this error.",
        "LabTimeout": "Look at the server's log; on a very busy machine allow more time.",
        "LabWrongState": "Call the lab's steps in order: provision, fill, start, stop.",
    }
)


class LabError(Exception):
    """A laboratory step failed; ``code`` is a key of :data:`REMEDIES`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message} {REMEDIES[code]}")
        self.code = code
