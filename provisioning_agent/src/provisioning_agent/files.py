"""Files that only their owner may read, replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from .errors import AgentError

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def make_directory(path: Path) -> None:
    """Create a directory for the owner alone."""
    try:
        new = not path.exists()
        path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        if new:
            _give_to_owner_of(path.parent, path)
    except OSError as error:
        raise AgentError("StateNotWritable", f"{path} can not be created: {error.strerror}.") from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file with mode 0600; a crash leaves either the old content or the new."""
    make_directory(path.parent)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _give_to_owner_of(path.parent, Path(name))
            Path(name).replace(path)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise AgentError("StateNotWritable", f"{path} can not be written: {error.strerror}.") from error


def _give_to_owner_of(directory: Path, path: Path) -> None:
    """What root writes into the state directory of the service's user must stay readable for the service."""
    owner = directory.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def read_secret(path: Path) -> str:
    """The first line of a secret's file, without its end of line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError("SecretUnreadable", f"{path} can not be read; check its path and owner.") from error
    secret = text.split("\n", 1)[0].rstrip("\r")
    if not secret:
        raise AgentError("SecretUnreadable", f"{path} holds no secret on its first line.")
    return secret
