"""A managed password: random, and on disk before the directory knows it, so that no crash can lose it."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioning_agent.errors import AgentError
from provisioning_agent.files import read_secret, write_private

LENGTH: Final = 120
# No quote, backslash or dollar sign: the password has to survive an administrator's shell.
_ALPHABET: Final = string.ascii_letters + string.digits + "!#%()*+,-./:;=?@[]^_{}~"


def generate() -> str:
    """120 random characters (over 700 bits) that meet AD's complexity rule whatever they turn out to be."""
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits)
    certain = [secrets.choice(kind) for kind in kinds]
    drawn = certain + [secrets.choice(_ALPHABET) for _ in range(LENGTH - len(certain))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


@dataclass(frozen=True, slots=True)
class PasswordFiles:
    """The password in use, and the one that is about to replace it."""

    current_file: Path

    @property
    def pending_file(self) -> Path:
        """Where the next password lies from before the change until after it."""
        return self.current_file.with_name(f"{self.current_file.name}.next")

    def current(self) -> str:
        """The password in use."""
        return read_secret(self.current_file)

    def pending(self) -> str | None:
        """The password that was about to be set; None most of the time."""
        try:
            return read_secret(self.pending_file)
        except AgentError:
            # It may have become the current one this very moment.
            if self.pending_file.exists():
                raise
            return None

    def propose(self) -> str:
        """The next password, on disk now; the one proposed before if it was never known to be refused.

        It is never thrown away: a controller that does not know it today may have it from another tomorrow.
        """
        pending = self.pending()
        if pending is None:
            pending = generate()
            write_private(self.pending_file, pending.encode())
        return pending

    def commit(self) -> None:
        """The next password is the one in use."""
        self.pending_file.replace(self.current_file)
