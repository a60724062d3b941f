"""An invented domain as an agent would tell of it: resources of the wire contract, the same for the same sizes."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from lab import names
from provisioning_agent.wire.limits import GROUP_MEMBERS_PER_RESOURCE
from provisioning_agent.wire.pages import AD_SCHEMA, RESOURCE_SCHEMAS

DOMAIN: Final = "synthetic.example"
NETBIOS: Final = "SYNTHETIC"
SID: Final = "S-1-5-21-1000000001-1000000002-1000000003"
ROOT: Final = "DC=synthetic,DC=example"
_SID_PREFIX: Final = bytes.fromhex("010500000000000515000000") + bytes(12)
_PASSWORD_SET: Final = 133_000_000_000_000_000
_BIGGEST_GROUP: Final = 8_000

Resource = dict[str, Any]


@dataclass(frozen=True)
class Population:
    """How many users, groups and memberships there are."""

    users: int
    groups: int
    memberships: int

    def tenth(self) -> Population:
        """The same in small."""
        return Population(self.users // 10, self.groups // 10, self.memberships // 10)

    @cached_property
    def user_guids(self) -> list[str]:
        """objectGUIDs of all users, in no order that an index would like."""
        dice = random.Random("users")
        return [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(self.users)]

    @cached_property
    def group_guids(self) -> list[str]:
        """objectGUIDs of all groups."""
        dice = random.Random("groups")
        return [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(self.groups)]

    def resources(self) -> Iterator[Resource]:
        """Everybody, as an initial read tells it."""
        for number in range(self.users):
            yield self.user(number)
        yield from self._groups()

    def user(self, number: int, title: str | None = None) -> Resource:
        """One user with about 30 attributes."""
        attributes = self._person(number)
        if title is not None:
            attributes["title"] = title
        return resource("user", guid=self.user_guids[number], attributes=attributes)

    def newcomer(self, number: int) -> Resource:
        """A user who was not there at first."""
        guid = str(uuid.UUID(int=random.Random(f"new {number}").getrandbits(128), version=4))
        return resource("user", guid=guid, attributes=self._person(self.users + number, guid))

    def group(self, number: int) -> Resource:
        """One group without its members."""
        name = f"{names.GROUP_TOPICS[number % len(names.GROUP_TOPICS)]} {number}"
        guid = self.group_guids[number]
        attributes = {
            "objectGUID": _raw(guid),
            "objectSid": _sid(self.users + number),
            "distinguishedName": f"CN={name},OU=Groups,{ROOT}",
            "sAMAccountName": f"grp{number:06d}",
            "cn": name,
            "displayName": name,
            "description": [f"Group {number}"],
            "groupType": 8 if number % 4 == 3 else -2147483646,
        }
        if number % 4 == 3:
            attributes |= {
                "mail": f"list{number}@{DOMAIN}",
                "proxyAddresses": [f"SMTP:list{number}@{DOMAIN}"],
            }
        return resource("group", guid=guid, attributes=attributes)

    def _groups(self) -> Iterator[Resource]:
        dice = random.Random("members")
        for number, size in enumerate(self._sizes()):
            members = [self.user_guids[i] for i in sorted(dice.sample(range(self.users), size))]
            if number % 20 == 19 and members:
                # Some groups hold a group: one that came before, so that none holds itself.
                members[-1] = self.group_guids[number - 1]
            yield from _with_members(self.group(number), members)

    def _sizes(self) -> list[int]:
        """Few large groups and many small ones; together exactly the memberships wanted."""
        dice = random.Random("sizes")
        shares = [dice.paretovariate(1.2) for _ in range(self.groups)]
        scale = self.memberships / sum(shares)
        most = min(_BIGGEST_GROUP, self.users)
        sizes = [min(most, int(share * scale)) for share in shares]
        missing, number = self.memberships - sum(sizes), 0
        while missing:
            more = min(missing, 1 + missing // self.groups, most - sizes[number])
            sizes[number] += more
            missing, number = missing - more, (number + 1) % self.groups
        return sizes

    def _person(self, number: int, guid: str | None = None) -> dict[str, Any]:
        dice = random.Random(number)
        given, surname = dice.choice(names.GIVEN), dice.choice(names.SURNAMES)
        name, account = f"{given} {surname} {number}", f"u{number:06d}"
        department = names.DEPARTMENTS[number % len(names.DEPARTMENTS)][-1]
        attributes: dict[str, Any] = {
            "objectGUID": _raw(guid or self.user_guids[number]),
            "objectSid": _sid(number),
            "distinguishedName": f"CN={name},OU={department},OU=People,{ROOT}",
            "sAMAccountName": account,
            "userPrincipalName": f"{account}@{DOMAIN}",
            "userAccountControl": 514 if number % 15 == 14 else 512,
            "accountDisabled": number % 15 == 14,
            "pwdLastSet": _PASSWORD_SET + number,
            "cn": name,
            "displayName": name,
            "givenName": given,
            "sn": surname,
            "mail": f"{account}@{DOMAIN}",
            "proxyAddresses": [f"SMTP:{account}@{DOMAIN}", f"smtp:{account}@mail.{DOMAIN}"],
            "title": dice.choice(names.TITLES),
            "department": department,
            "company": "Synthetic plc",
            "description": [f"{department}, desk {number}"],
            "employeeID": f"E{number:06d}",
            **_whereabouts(dice),
        }
        if number % 10:
            leader = number - number % 10
            if leader < self.users:
                attributes["manager"] = {
                    "value": self.user_guids[leader],
                    "display": f"CN=u{leader:06d},{ROOT}",
                }
        return attributes


def resource(kind: str, *, guid: str, attributes: dict[str, Any]) -> Resource:
    """One resource of a page."""
    return {"schemas": RESOURCE_SCHEMAS, "id": guid, "meta": {"resourceType": kind}, AD_SCHEMA: attributes}


def tombstone(kind: str, guid: str) -> Resource:
    """The object was deleted."""
    return {"schemas": RESOURCE_SCHEMAS, "id": guid, "meta": {"resourceType": kind, "tombstone": "deleted"}}


def _with_members(group: Resource, members: list[str]) -> Iterator[Resource]:
    step = GROUP_MEMBERS_PER_RESOURCE
    yield {**group, "members": {"whole": True, "added": members[:step], "removed": []}}
    for at in range(step, len(members), step):
        more = {"whole": False, "added": members[at : at + step], "removed": []}
        yield {
            "schemas": RESOURCE_SCHEMAS,
            "id": group["id"],
            "meta": {"resourceType": "group", "continues": True},
            "members": more,
        }


def _whereabouts(dice: random.Random) -> dict[str, Any]:
    city, country, code, number = dice.choice(names.CITIES)
    return {
        "physicalDeliveryOfficeName": f"{city} {dice.randint(1, 9)}.{dice.randint(1, 40):02d}",
        "streetAddress": f"{dice.choice(names.STREETS)} {dice.randint(1, 200)}",
        "postalCode": str(dice.randint(10000, 99999)),
        "l": city,
        "st": city,
        "co": country,
        "c": code,
        "countryCode": int(number),
        "telephoneNumber": f"+44 20 7946 {dice.randint(0, 9999):04d}",
        "mobile": f"+44 20 7946 {dice.randint(0, 9999):04d}",
        "wWWHomePage": "https://intranet.example/people",
    }


def _raw(guid: str) -> str:
    return base64.b64encode(uuid.UUID(guid).bytes_le).decode()


def _sid(number: int) -> str:
    return base64.b64encode(_SID_PREFIX + (number + 1100).to_bytes(4, "little")).decode()
