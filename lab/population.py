"""An invented company for a throw-away directory: the same seed gives the same people, always.

Pure: it yields entries (DN and attributes) one by one, in an order in which each one's parents, manager
and members are already there, and never holds more than the DNs.
"""

from __future__ import annotations

import base64
import random
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lab import names
from lab.dn import child_dn

ENABLED_WITHOUT_PASSWORD = 0x200 | 0x20
ENABLED = 0x200
DISABLED = 0x200 | 0x2
SECURITY_GLOBAL = -2147483646
DISTRIBUTION_UNIVERSAL = 8


@dataclass(frozen=True)
class Entry:
    """One object to add: its DN, its attributes and, for an account with one, its password."""

    dn: str
    attributes: Mapping[str, list[str]]
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Company:
    """How big the company is and where it lives; sizes are numbers of objects.

    ``passwords`` is how many of the first users get a password; the others are enabled without one.
    One user in ``disabled_every`` is disabled.
    """

    base_dn: str
    users: int = 500
    groups: int = 40
    contacts: int = 25
    passwords: int = 0
    disabled_every: int = 15
    biggest_group: int = 60
    root_ou: str = "Company"
    seed: int = 7

    @property
    def mail_domain(self) -> str:
        """The DNS name of the AD domain, used for UPNs and mail alike."""
        return ".".join(part.partition("=")[2] for part in self.base_dn.split(",")).lower()

    @property
    def root_dn(self) -> str:
        """DN of the OU under which everything of the company is."""
        return child_dn("OU", self.root_ou, self.base_dn)

    @cached_property
    def department_dns(self) -> tuple[str, ...]:
        """DNs of the OUs that hold people."""
        return tuple(self._department_dn(path) for path in names.DEPARTMENTS)

    @cached_property
    def user_dns(self) -> tuple[str, ...]:
        """DNs of all users, by number."""
        return tuple(self.user_dn(number) for number in range(self.users))

    @cached_property
    def group_dns(self) -> tuple[str, ...]:
        """DNs of all groups, by number."""
        groups_dn = child_dn("OU", "Groups", self.root_dn)
        return tuple(child_dn("CN", _group_name(number), groups_dn) for number in range(self.groups))

    def entries(self) -> Iterator[Entry]:
        """Every object, in an order in which it can be added."""
        yield from self.organizational_units()
        yield from map(self.user, range(self.users))
        yield from map(self.contact, range(self.contacts))
        yield from map(self.group, range(self.groups))

    def organizational_units(self) -> Iterator[Entry]:
        """The OUs, parents first."""
        yield _unit(self.root_dn, self.root_ou)
        for name in ("People", "Groups", "Partners"):
            yield _unit(child_dn("OU", name, self.root_dn), name)
        for path, dn in zip(names.DEPARTMENTS, self.department_dns, strict=True):
            yield _unit(dn, path[-1])

    def user_dn(self, number: int) -> str:
        """DN of one user: departments take turns, so each is about as big as the next."""
        return child_dn(
            "CN", self._user_name(number)[2], self.department_dns[number % len(self.department_dns)]
        )

    def account_name(self, number: int) -> str:
        """sAMAccountName of one user (at most 20 characters, ASCII)."""
        given, surname, _ = self._user_name(number)
        return f"{_ascii(given)[:1]}{_ascii(surname)[:10]}{number}".lower()

    def user(self, number: int) -> Entry:
        """One user with about 25 attributes."""
        given, surname, common_name = self._user_name(number)
        account = self.account_name(number)
        dice = self._dice("user", number)
        attributes = {
            "objectClass": ["user"],
            "cn": [common_name],
            "givenName": [given],
            "sn": [surname],
            "displayName": [common_name],
            "sAMAccountName": [account],
            "userPrincipalName": [f"{account}@{self.mail_domain}"],
            "mail": [f"{account}@{self.mail_domain}"],
            "proxyAddresses": [
                f"SMTP:{account}@{self.mail_domain}",
                f"smtp:{account}@mail.{self.mail_domain}",
            ],
            "employeeID": [f"E{number:06d}"],
            "userAccountControl": [str(self._account_control(number))],
            **self._work(number, dice),
            **_whereabouts(dice),
        }
        return Entry(self.user_dn(number), _filled(attributes), self._password(number))

    def contact(self, number: int) -> Entry:
        """One external contact."""
        dice = self._dice("contact", number)
        given, surname = dice.choice(names.GIVEN), dice.choice(names.SURNAMES)
        common_name = f"{given} {surname} (Partner {number})"
        mail = f"{_ascii(given)}.{_ascii(surname)}.{number}@partner.{self.mail_domain}".lower()
        attributes = {
            "objectClass": ["contact"],
            "givenName": [given],
            "sn": [surname],
            "displayName": [common_name],
            "mail": [mail],
            "proxyAddresses": [f"SMTP:{mail}"],
            "telephoneNumber": [_phone(dice)],
            "company": [dice.choice(names.COMPANIES)],
        }
        return Entry(
            child_dn("CN", common_name, child_dn("OU", "Partners", self.root_dn)), _filled(attributes)
        )

    def group(self, number: int) -> Entry:
        """One group; every third has an earlier group as member, sizes fall off quickly."""
        attributes = {
            "objectClass": ["group"],
            "sAMAccountName": [f"grp{number:05d}"],
            "displayName": [_group_name(number)],
            "description": [f"Group {number} of {self.root_ou}"],
            "groupType": [str(DISTRIBUTION_UNIVERSAL if number % 4 == 3 else SECURITY_GLOBAL)],
            "member": self.group_members(number),
        }
        if number % 4 == 3:
            attributes["mail"] = [f"list{number}@{self.mail_domain}"]
        return Entry(self.group_dns[number], _filled(attributes))

    def group_members(self, number: int) -> list[str]:
        """DNs of the direct members: some users and, for every third group, one earlier group."""
        dice = self._dice("group", number)
        biggest = min(self.users, self.biggest_group)
        size = biggest if number == 0 else dice.randint(0, max(1, biggest // (1 + number % 10)))
        members = [
            self.user_dns[index] for index in sorted(dice.sample(range(self.users), min(size, self.users)))
        ]
        if number >= 4 and number % 3 == 0:
            # A global group may hold global groups only, and number-4 has the same type as number.
            members.append(self.group_dns[number - 4])
        return members

    def _department_dn(self, path: tuple[str, ...]) -> str:
        dn = child_dn("OU", "People", self.root_dn)
        for name in path:
            dn = child_dn("OU", name, dn)
        return dn

    def _dice(self, kind: str, number: int) -> random.Random:
        return random.Random(f"{self.seed}/{kind}/{number}")

    def _user_name(self, number: int) -> tuple[str, str, str]:
        """Given name, surname and common name; the awkward ones come first, so every company has them."""
        if number < len(names.AWKWARD):
            return names.AWKWARD[number]
        dice = self._dice("name", number)
        given, surname = dice.choice(names.GIVEN), dice.choice(names.SURNAMES)
        return given, surname, f"{given} {surname} {number}"

    def _account_control(self, number: int) -> int:
        if number % self.disabled_every == self.disabled_every - 1:
            return DISABLED
        return ENABLED if number < self.passwords else ENABLED_WITHOUT_PASSWORD

    def _password(self, number: int) -> str | None:
        if number >= self.passwords:
            return None
        secret = self._dice("password", number).randbytes(12)
        return "Lab1-" + base64.urlsafe_b64encode(secret).decode()

    def _work(self, number: int, dice: random.Random) -> dict[str, list[str]]:
        path = names.DEPARTMENTS[number % len(names.DEPARTMENTS)]
        return {
            "title": [dice.choice(names.TITLES)],
            "department": [path[-1]],
            "company": [f"{self.root_ou} plc"],
            "description": [f"{path[-1]}, desk {number}"],
            # The first of each ten leads the nine after; leaders report to the one before, the first to none.
            "manager": []
            if number == 0
            else [self.user_dns[number - number % 10 if number % 10 else number - 10]],
        }


def _whereabouts(dice: random.Random) -> dict[str, list[str]]:
    city, country, code, number = dice.choice(names.CITIES)
    return {
        "physicalDeliveryOfficeName": [f"{city} {dice.randint(1, 9)}.{dice.randint(1, 40):02d}"],
        "streetAddress": [f"{dice.choice(names.STREETS)} {dice.randint(1, 200)}"],
        "postalCode": [str(dice.randint(10000, 99999))],
        "l": [city],
        "st": [city],
        "co": [country],
        "c": [code],
        "countryCode": [number],
        "telephoneNumber": [_phone(dice)],
        "mobile": [_phone(dice)] if dice.random() < 0.6 else [],
        "wWWHomePage": ["https://intranet.example/people"],
    }


def _unit(dn: str, name: str) -> Entry:
    return Entry(dn, {"objectClass": ["organizationalUnit"], "description": [f"{name} and below"]})


def _filled(attributes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Without the attributes that have no value: a directory refuses those."""
    return {name: values for name, values in attributes.items() if values}


def _group_name(number: int) -> str:
    if number < len(names.AWKWARD_GROUPS):
        return names.AWKWARD_GROUPS[number]
    return f"{names.GROUP_TOPICS[number % len(names.GROUP_TOPICS)]} {number}"


def _phone(dice: random.Random) -> str:
    return f"+44 20 7946 {dice.randint(0, 9999):04d}"


def _ascii(text: str) -> str:
    """Letters only: accents dropped, what has no plain form dropped as well."""
    special = text.translate(names.PLAIN_LETTERS)
    decomposed = unicodedata.normalize("NFKD", special)
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalnum()) or "x"
