"""A group managed service account, link by link: keytab, the host's ticket, the password, the forest's root key."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from provisioning_agent.accounts.group_managed import has_root_key
from provisioning_agent.accounts.group_managed_sign_in import HostTickets, host_login, read_password
from provisioning_agent.config import DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.kerberos import keytab as keytabs
from provisioning_agent.ldap.connection import DirectoryLogin, connect
from provisioning_agent.ldap.domain import describe
from provisioning_agent.wire.errors import WireError

from .model import Check, Status, skipped

_AES: Final = frozenset({17, 18})
_ASKED: Final = "asked for msDS-ManagedPassword as the host"
_LOOKED: Final = "looked for the forest's KDS root key"
_JOIN: Final = (
    "Join the host to the domain anew (realm join, adcli), or give the keytab of its computer account."
)


def checks(domain: DomainConfig, login: DirectoryLogin) -> list[Check]:
    """What the account's sign-in is made of, in order; what follows a failure is skipped."""
    if domain.keytab is None:
        return []
    try:
        host = host_login(domain.user, domain.keytab, login)
        keys = keytab_verdict(domain.keytab, keytabs.read(domain.keytab), host.user)
    except AgentError as error:
        keys = Check("keytab", str(domain.keytab), "read the host's keytab", error.detail, Status.FAIL)
        return [keys, *_skipped(domain, "the keytab can not be used")]
    try:
        left = HostTickets(domain.keytab, host.user).current().seconds_left()
    except WireError as error:
        failed = Check("ticket", host.user, "asked Kerberos for a ticket", error.detail, Status.FAIL, _JOIN)
        return [keys, failed, *_skipped(domain, "the host has no ticket")[1:]]
    found = f"good for {left // 3600} hours"
    ticket = Check("ticket", host.user, "asked Kerberos for a ticket", found, Status.OK)
    return [keys, ticket, *_password(domain, host)]


def keytab_verdict(path: Path, keys: list[keytabs.Key], principal: str) -> Check:
    """Whose keys there are, and whether a domain that takes AES alone would take them."""
    own = sorted({key.type for key in keys if key.principal == principal}, reverse=True)
    names = ", ".join(keytabs.Key("", "", kind).type_name for kind in own)
    found = f"{principal}: {names}"
    if _AES.isdisjoint(own):
        remedy = "Renew the host's keys for AES (adcli update, or join anew)."
        return Check("keytab", str(path), "read the host's keytab", found, Status.WARN, remedy)
    return Check("keytab", str(path), "read the host's keytab", found, Status.OK)


def _password(domain: DomainConfig, host: DirectoryLogin) -> list[Check]:
    account = domain.user.partition("@")[0]
    try:
        with connect(host) as connection:
            seen = has_root_key(connection, describe(connection))
            password = read_password(connection, account, host.user)
    except WireError as error:
        denied = error.code == "ManagedPasswordDenied"
        remedy = f"isthmus-agent gmsa --domain {domain.fqdn} --admin-user …" if denied else ""
        refused = Check("managed-password", account, _ASKED, error.detail, Status.FAIL, remedy)
        return [refused, _root_key(domain, seen=denied and seen)]
    found = f"handed out; asked for again in {password.query_after.days} days"
    handed = Check("managed-password", account, _ASKED, found, Status.OK)
    return [handed, Check("root-key", domain.forest, _LOOKED, "there: it made the password", Status.OK)]


def _root_key(domain: DomainConfig, *, seen: bool) -> Check:
    if seen:
        return Check("root-key", domain.forest, _LOOKED, "there", Status.OK)
    remedy = (
        "An administrator sees it with Get-KdsRootKey; where there is none: Add-KdsRootKey, then 10 hours."
    )
    return Check("root-key", domain.forest, _LOOKED, "none that the host can see", Status.WARN, remedy)


def _skipped(domain: DomainConfig, why: str) -> list[Check]:
    return [
        skipped("ticket", domain.fqdn, "asked Kerberos for a ticket", why),
        skipped("managed-password", domain.user, _ASKED, why),
        skipped("root-key", domain.forest, _LOOKED, why),
    ]
