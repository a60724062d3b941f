"""The managed ordinary account: made by an administrator's credential, found again by its mark."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import DirectoryConnection, Entry
from provisioning_agent.ldap.domain import Controller
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import Search
from provisioning_agent.ldap.writing import add_object, quoted_password, replace_values

from .passwords import PasswordFiles

MARK: Final = "Isthmus provisioning agent"
# sAMAccountName of a user has at most 20 characters (MS-SAMR §3.1.1.6).
NAME_LIMIT: Final = 20
_REFUSED: Final = frozenset('"/\\[]:;|=,+*?<>@')
# MS-ADTS §2.2.16: normal account, password does not expire (we change it), may not be delegated.
_CONTROL: Final = 0x200 | 0x10000 | 0x100000
# MS-KILE §2.2.7: AES128 and AES256.
AES_ONLY: Final = 0x18


class Made(StrEnum):
    """How the account came about."""

    CREATED = "created"
    REUSED = "found, given a new password"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The account to have; ``container`` is a DN, the domain's own container for users where it is None."""

    name: str
    container: str | None = None

    def place(self, controller: Controller) -> str:
        """DN of the container."""
        return self.container or f"CN=Users,{controller.root}"

    def dn(self, controller: Controller) -> str:
        """DN that the account is created with."""
        return f"CN={self.name},{self.place(controller)}"

    def principal(self, controller: Controller) -> str:
        """The name to sign in with."""
        return f"{self.name}@{controller.fqdn}"


def default_name() -> str:
    """One account for each host, so that two agents never change each other's password."""
    return f"isthmus-{socket.gethostname().split('.')[0].lower()}"[:NAME_LIMIT].rstrip("-")


def is_name(text: str) -> bool:
    """Whether a name can be an account's."""
    return 0 < len(text) <= NAME_LIMIT and not _REFUSED & set(text) and text.strip(". ") == text


def ensure(
    connection: DirectoryConnection, controller: Controller, wanted: Wanted, files: PasswordFiles
) -> Made:
    """Have the account, with a password that is in ``files`` before the directory knows it."""
    found = find(connection, controller, wanted.name)
    if found is not None and not found.text("description").startswith(MARK):
        raise DirectoryError(
            "AccountNotOurs",
            f"{found.name.decode()} is no account made by an agent; choose another name, or name it as existing.",
        )
    password = files.propose()
    if found is None:
        _create(connection, controller, wanted, password)
    else:
        replace_values(connection, found.name.decode(), "unicodePwd", (quoted_password(password),))
    files.commit()
    return Made.CREATED if found is None else Made.REUSED


def find(connection: DirectoryConnection, controller: Controller, name: str) -> Entry | None:
    """Whatever has this sAMAccountName."""
    by_name = filters.equals("sAMAccountName", name)
    found = connection.search(Search(controller.root, by_name, ("description", "objectClass")))
    return found[0] if found else None


def by_hand(controller: Controller, wanted: Wanted) -> list[str]:
    """PowerShell lines that make the same account, with a password the administrator types."""
    return [
        f'New-ADUser -Name "{wanted.name}" -SamAccountName "{wanted.name}" -Path "{wanted.place(controller)}" '
        f'-UserPrincipalName "{wanted.principal(controller)}" -Description "{MARK}" '
        "-AccountPassword (Read-Host -AsSecureString) -Enabled $true -PasswordNeverExpires $true "
        "-AccountNotDelegated $true -KerberosEncryptionType AES128,AES256"
    ]


def _create(connection: DirectoryConnection, controller: Controller, wanted: Wanted, password: str) -> None:
    add_object(
        connection,
        wanted.dn(controller),
        {
            "objectClass": (b"user",),
            "sAMAccountName": (wanted.name.encode(),),
            "userPrincipalName": (wanted.principal(controller).encode(),),
            "description": (MARK.encode(),),
            "userAccountControl": (str(_CONTROL).encode(),),
            "msDS-SupportedEncryptionTypes": (str(AES_ONLY).encode(),),
            "unicodePwd": (quoted_password(password),),
        },
    )
