"""What the demo changes in AD, and how it sees that each change has arrived in the cloud directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ldap3 import Connection

from lab import changes
from lab.population import Company
from lab.portal_client import Document, PortalClient

# Users and groups of the company that the demo touches, by number.
TITLE, RENAMED, MOVED, DISABLED, JOINER, DELETED = 3, 4, 6, 7, 8, 9
GROUP = 2


@dataclass(frozen=True)
class Expectation:
    """One change and the question whether it has arrived."""

    what: str
    arrived: Callable[[PortalClient], bool]


def change_everything(connection: Connection, company: Company) -> list[Expectation]:
    """Make one change of every kind; returns what is to be seen in the directory afterwards."""
    return [
        _add_user(connection, company),
        _change_title(connection, company),
        _rename(connection, company),
        _move(connection, company),
        _disable(connection, company),
        _join(connection, company),
        _leave(connection, company),
        _delete(connection, company),
    ]


def user_by_anchor(client: PortalClient, guid: str) -> Document | None:
    """The directory's user of this objectGUID, soft-deleted ones included."""
    return next(iter(client.all("directory/users/", object_guid=guid, deleted="any")), None)


def _guid(connection: Connection, dn: str) -> str:
    return str(changes.object_guid(connection, dn))


def _attribute(guid: str, name: str, value: object) -> Callable[[PortalClient], bool]:
    def arrived(client: PortalClient) -> bool:
        user = user_by_anchor(client, guid)
        return user is not None and user["attributes"].get(name) == value

    return arrived


def _add_user(connection: Connection, company: Company) -> Expectation:
    dn = changes.add_user(connection, company.department_dns[0], "Zoë O'Neill, PhD", "zoe.oneill")
    return Expectation("new user", _attribute(_guid(connection, dn), "DisplayName", "Zoë O'Neill, PhD"))


def _change_title(connection: Connection, company: Company) -> Expectation:
    dn = company.user_dn(TITLE)
    changes.set_attribute(connection, dn, "title", "Keeper of the Isthmus")
    return Expectation(
        "changed title", _attribute(_guid(connection, dn), "JobTitle", "Keeper of the Isthmus")
    )


def _rename(connection: Connection, company: Company) -> Expectation:
    guid = _guid(connection, company.user_dn(RENAMED))
    changes.rename(connection, company.user_dn(RENAMED), "Renamed, Person")
    return Expectation("renamed user", _attribute(guid, "CommonName", "Renamed, Person"))


def _move(connection: Connection, company: Company) -> Expectation:
    old = company.user_dn(MOVED)
    guid = _guid(connection, old)
    parent = next(dn for dn in company.department_dns if not old.endswith(dn))
    new = changes.move(connection, old, parent)
    # As AD itself spells it: there is more than one way to escape a character in a DN.
    [spelled] = changes.read(connection, new, "distinguishedName")["distinguishedName"]
    return Expectation("moved user", _attribute(guid, "OnPremisesDistinguishedName", spelled))


def _disable(connection: Connection, company: Company) -> Expectation:
    dn = company.user_dn(DISABLED)
    changes.disable(connection, dn)
    return Expectation("disabled account", _attribute(_guid(connection, dn), "AccountEnabled", False))


def _join(connection: Connection, company: Company) -> Expectation:
    group, members = company.group_dns[GROUP], company.group_members(GROUP)
    joiner = next(dn for dn in company.user_dns if dn not in members)
    changes.add_members(connection, group, joiner)
    return Expectation("membership added", _membership(connection, group, joiner, is_member=True))


def _leave(connection: Connection, company: Company) -> Expectation:
    group = company.group_dns[GROUP]
    users = set(company.user_dns)
    leaver = next(dn for dn in company.group_members(GROUP) if dn in users and dn not in _touched(company))
    changes.remove_members(connection, group, leaver)
    return Expectation("membership removed", _membership(connection, group, leaver, is_member=False))


def _delete(connection: Connection, company: Company) -> Expectation:
    dn = company.user_dn(DELETED)
    guid = _guid(connection, dn)
    changes.delete(connection, dn)

    def arrived(client: PortalClient) -> bool:
        user = user_by_anchor(client, guid)
        return user is not None and user["deleted_at"] is not None

    return Expectation("deletion", arrived)


def _touched(company: Company) -> set[str]:
    return {company.user_dn(number) for number in (RENAMED, MOVED, DELETED)}


def _membership(
    connection: Connection, group: str, member: str, *, is_member: bool
) -> Callable[[PortalClient], bool]:
    group_guid, member_guid = _guid(connection, group), _guid(connection, member)

    def arrived(client: PortalClient) -> bool:
        user = user_by_anchor(client, member_guid)
        found = next(iter(client.all("directory/groups/", object_guid=group_guid)), None)
        if user is None or found is None:
            return False
        members = {one["id"] for one in client.all(f"directory/groups/{found['id']}/members/")}
        return (user["id"] in members) is is_member

    return arrived
