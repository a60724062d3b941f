"""What the account may do in a domain, found by trying and by reading the permissions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from provisioning_agent.ldap import controls, filters
from provisioning_agent.ldap.connection import DirectoryConnection
from provisioning_agent.ldap.dirsync import current_cookie
from provisioning_agent.ldap.domain import Controller
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import Scope, Search
from provisioning_agent.permissions.domain_objects import Account
from provisioning_agent.security import access
from provisioning_agent.security.descriptor import Acl
from provisioning_agent.security.sids import ADMINISTRATORS, DOMAIN_ADMINS_RID, ENTERPRISE_ADMINS_RID

from .model import Check, Status

_NAMES: Final = {DOMAIN_ADMINS_RID: "Domain Admins", ENTERPRISE_ADMINS_RID: "Enterprise Admins"}


def probe_dir_sync(connection: DirectoryConnection, controller: Controller) -> str:
    """The code DirSync is refused with, empty where it works. Costs the controller next to nothing."""
    try:
        current_cookie(connection, controller.root, filters.nothing())
    except DirectoryError as error:
        return error.code
    return ""


def dir_sync_verdict(target: str, refused: str) -> Check:
    """Whether changes can be read."""
    tried = "asked for changes with DirSync"
    if refused == "DirSyncNotAllowed":
        # Reading goes on without the right (ldap/usn.py); it costs more and finds deletions hourly.
        found = "the account lacks 'Replicating Directory Changes': read by uSNChanged instead"
        return Check("get-changes", target, tried, found, Status.WARN, _grant("BasicRead", target))
    if refused:
        remedy = "Point the agent at a writable domain controller; see its event log."
        return Check("get-changes", target, tried, f"refused: {refused}", Status.FAIL, remedy)
    return Check("get-changes", target, tried, "allowed", Status.OK)


def sees_deleted(connection: DirectoryConnection, controller: Controller) -> bool:
    """Whether Deleted Objects shows itself; what may not be listed comes back without any attribute."""
    dn = f"CN=Deleted Objects,{controller.root}"
    extras = (controls.show_deleted(),)
    found = connection.find(Search(dn, filters.present("objectClass"), ("name",), Scope.BASE, extras))
    return found is not None and bool(found.attributes)


def tombstones_verdict(target: str, visible: bool) -> Check:
    """Whether deletions are told."""
    tried = "read CN=Deleted Objects"
    if visible:
        return Check("deletions", target, tried, "visible", Status.OK)
    found = "not visible: deletions are only noticed by comparing all objects"
    return Check("deletions", target, tried, found, Status.WARN, _grant("ReadDeleted", target))


def hashes_verdict(target: str, acl: Acl | None, readable: bool, who: Collection[bytes]) -> Check:
    """Whether password hashes could be read; not having the right is the normal case."""
    tried = "compared the domain's permissions with the account and its groups"
    if not readable:
        remedy = "Let the account read the permissions of the domain (Read Permissions)."
        return Check("get-changes-all", target, tried, "the permissions can not be read", Status.WARN, remedy)
    if access.may(acl, who, access.CONTROL_ACCESS, access.GET_CHANGES_ALL):
        return Check("get-changes-all", target, tried, "allowed: password hashes can be read", Status.OK)
    found = "not allowed: password hashes can not be read"
    needed = f"Only if password hashes are synchronised: {_grant('PasswordHashSync', target)}"
    return Check("get-changes-all", target, tried, found, Status.OK, needed)


def privilege_verdict(target: str, account: Account) -> Check:
    """Whether the account is more powerful than it has to be."""
    tried = "read the account's groups"
    powerful = sorted(_powerful(account.groups))
    if powerful:
        remedy = (
            "Use an ordinary account with the rights of 'isthmus-agent permissions grant' and nothing else."
        )
        found = f"{account.name} is in {', '.join(powerful)}"
        return Check("privilege", target, tried, found, Status.WARN, remedy)
    return Check("privilege", target, tried, f"{account.name} is in no administrative group", Status.OK)


def _powerful(groups: Collection[bytes]) -> set[str]:
    by_rid = {_NAMES.get(int.from_bytes(sid[-4:], "little")) for sid in groups if sid[1] == 5}
    built_in = {"Administrators"} if ADMINISTRATORS in groups else set()
    return {name for name in by_rid if name} | built_in


def _grant(name: str, domain: str) -> str:
    return f"isthmus-agent permissions grant {name} --domain {domain} --admin-user …"
