"""A secret for one command: from a file, from standard input, or typed without being shown."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from provisioning_agent.errors import AgentError
from provisioning_agent.files import read_secret

STANDARD_INPUT = Path("-")


def secret_from(path: Path, prompt: str) -> str:
    """The secret in a file; ``-`` reads one line of standard input, or asks where that is a terminal."""
    if path != STANDARD_INPUT:
        return read_secret(path)
    secret = getpass.getpass(f"{prompt}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise AgentError("SecretUnreadable", "Standard input holds no secret on its first line.")
    return secret
