"""A managed account's password is changed by the account itself, in time and without a gap.

Order: the new password is on disk, then in the directory, then the one in use. Whoever enters meanwhile tries both
(``entering``), and what a crash interrupted is taken up again with the very same new password.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from provisioning_agent.config import DomainConfig
from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import DirectoryConnection, connect
from provisioning_agent.ldap.domain import describe
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import Search
from provisioning_agent.ldap.writing import change_password

from .entering import login_for
from .passwords import PasswordFiles

log = logging.getLogger(__name__)

MAX_AGE: Final = timedelta(days=30)
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


class Outcome(StrEnum):
    """What became of a look at one account."""

    YOUNG = "young enough"
    ROTATED = "rotated"
    TAKEN_UP = "an interrupted change was completed"


def look_after(domain: DomainConfig, now: datetime) -> Outcome:
    """Complete what a crash interrupted, else change the password if it is 30 days old."""
    files = PasswordFiles(domain.password_file)
    pending = files.pending()
    if pending is not None and opens(domain, pending):
        files.commit()
        return Outcome.TAKEN_UP
    with connect(login_for(domain)) as connection:
        dn, changed = _account(connection, domain)
    if pending is None and now - changed < MAX_AGE:
        return Outcome.YOUNG
    rotate(domain, dn)
    return Outcome.ROTATED


def rotate(domain: DomainConfig, dn: str) -> None:
    """Change the password now."""
    files = PasswordFiles(domain.password_file)
    old, new = files.current(), files.propose()
    with connect(replace(login_for(domain), password=old)) as connection:
        change_password(connection, dn, old, new)
    files.commit()


def opens(domain: DomainConfig, password: str) -> bool:
    """Whether the account has this password, as far as the controller at hand knows."""
    try:
        connect(replace(login_for(domain), password=password, others=tuple)).close()
    except DirectoryError as error:
        if error.code != "AdBindFailed":
            raise
        return False
    return True


def _account(connection: DirectoryConnection, domain: DomainConfig) -> tuple[str, datetime]:
    by_name = filters.equals("userPrincipalName", domain.user)
    root = describe(connection).root
    found = connection.search(Search(root, by_name, ("pwdLastSet",)))
    if len(found) != 1:
        raise DirectoryError("AccountUnknown", f"The domain has no account {domain.user}; configure it anew.")
    # 100 ns since 1601 (MS-ADTS §3.1.1.1.6); absent or 0 counts as ages ago.
    ticks = int(found[0].text("pwdLastSet") or 0)
    return found[0].name.decode(), _EPOCH + timedelta(microseconds=ticks // 10)
