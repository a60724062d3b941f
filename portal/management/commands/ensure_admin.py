"""``manage.py ensure_admin``: the first administrator of a new installation."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

_PASSWORD_BYTES = 15


class Command(BaseCommand):
    """Creates the administrator unless there is one; can be run again at any time."""

    help = "Create the administrator with a generated password, or with the one in a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name, address, and where the password is kept."""
        parser.add_argument("--username", default="admin")
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--password-file",
            type=Path,
            help="File with the password. A missing one is created with a generated password; "
            "without this option a generated password is printed once.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create or update the account."""
        username, path = options["username"], options["password_file"]
        user = User.objects.filter(username=username).first()
        if user is not None and path is None:
            self.stdout.write(f"The administrator {username} exists already; nothing was changed.")
            return
        password = _from_file(path) if path else secrets.token_urlsafe(_PASSWORD_BYTES)
        if user is None:
            User.objects.create_superuser(username, options["email"], password)
            self.stdout.write(f"The administrator {username} was created.")
        elif not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
            self.stdout.write(f"The administrator {username} has the password of {path} now.")
        if path is None:
            self.stdout.write(f"Password, shown this once: {password}")


def _from_file(path: Path) -> str:
    """The password in the file; a missing file is created with mode 0600 and a generated one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise CommandError(f"{path} can not be written: {error.strerror}.") from error
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(password + "\n")
    return password


def _read(path: Path) -> str:
    password = path.read_text(encoding="utf-8").strip()
    if not password:
        raise CommandError(f"{path} is empty; put the password in, or remove the file to have one generated.")
    return password
