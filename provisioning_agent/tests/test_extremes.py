"""What is far larger, deeper or longer than usual is read right."""

from __future__ import annotations

import base64
import random
import uuid

import pytest
from ldap3 import MODIFY_REPLACE

from lab import changes
from lab.agent.ldaps_server import Answer, MisbehavingServer, entry, result
from lab.agent.playground import Playground
from lab.certificates import TlsFiles
from provisioning_agent.ldap import ber, ranges
from provisioning_agent.ldap.connection import connect
from provisioning_agent.ldap.filters import present
from provisioning_agent.ldap.messages import Search
from provisioning_agent.ldap.resources import FIRST_MEMBERS, raw_members
from provisioning_agent.wire.requests import ObjectTypeRequest

MEMBERS = 50_000
STEP = 1500


@pytest.mark.forest
def test_an_attribute_of_five_megabytes_arrives_whole(ground: Playground) -> None:
    photo = random.Random(5).randbytes(5 << 20)
    dn = changes.add_user(ground.admin, ground.dn, "Photo", "photo")
    changes.add_user(ground.admin, ground.dn, "Small", "small")
    ground.admin.modify(dn, {"jpegPhoto": [(MODIFY_REPLACE, [photo])]})
    answer = ground.read(types=[ObjectTypeRequest("user", ("objectGUID", "jpegPhoto"))])
    assert len(answer.objects()) == 2
    [held] = answer.objects()[ground.guid_of(dn)]["jpegPhoto"]
    assert base64.b64decode(held) == photo


@pytest.mark.forest
def test_a_name_of_two_thousand_characters_is_read_and_is_a_scope(ground: Playground) -> None:
    dn = ground.dn
    while len(dn) < 2000:
        dn = changes.add_unit(ground.admin, dn, f"{len(dn):04}, " + "ö" * 57)
    user = changes.add_user(ground.admin, dn, "Far down", "fardown")
    assert len(user) > 2000
    [found] = ground.read().objects().values()
    assert found["distinguishedName"] == user
    scoped = Playground(ground.admin, ground.login, ground.domain, dn)
    assert list(scoped.read().objects()) == [ground.guid_of(user)]
    changes.set_attribute(ground.admin, user, "title", "Deep")
    [changed] = scoped.read().objects().values()
    assert (changed["title"], changed["distinguishedName"]) == ("Deep", user)


@pytest.mark.forest
def test_two_hundred_nested_units_are_read_and_renamed_at_the_top(ground: Playground) -> None:
    top = dn = changes.add_unit(ground.admin, ground.dn, "n0")
    for depth in range(1, 200):
        dn = changes.add_unit(ground.admin, dn, f"n{depth}")
    user = changes.add_user(ground.admin, dn, "Bottom", "bottom")
    guid = ground.guid_of(user)
    assert list(ground.read().objects()) == [guid]
    renamed = changes.rename(ground.admin, top, "renamed")
    answer = ground.read()
    assert (answer.mode, list(answer.objects())) == ("delta", [guid])
    assert answer.objects()[guid]["distinguishedName"] == user.replace(top, renamed)


@pytest.mark.forest
def test_groups_in_a_circle_are_read(ground: Playground) -> None:
    first = changes.add_group(ground.admin, ground.dn, "First", "circle1")
    second = changes.add_group(ground.admin, ground.dn, "Second", "circle2", [first])
    changes.add_members(ground.admin, first, second)
    answer = ground.read()
    guids = [ground.guid_of(dn) for dn in (first, second)]
    assert [answer.members(guid) for guid in guids] == [(True, {guids[1]}, set()), (True, {guids[0]}, set())]


def test_a_group_of_fifty_thousand_members_is_read_whole(portal_tls: TlsFiles) -> None:
    everybody = [uuid.UUID(int=number) for number in range(MEMBERS)]

    def part(start: int) -> Answer:
        end = min(start + STEP, MEMBERS)
        span = f"{start}-{'*' if end == MEMBERS else end - 1}"
        values = [f"<GUID={member}>;CN={member},DC=x".encode() for member in everybody[start:end]]
        return lambda number: ranged(number, f"member;range={span}", values) + result(number, 0)

    answers = [part(start) for start in range(0, MEMBERS, STEP)]
    answers.append(lambda number: entry(number, "<GUID=0>", uSNChanged="7") + result(number, 0))
    with MisbehavingServer(portal_tls, answers) as server, connect(server.login) as connection:
        found = ranges.read_whole(connection, str(uuid.uuid4()), (FIRST_MEMBERS,))
    assert found is not None
    assert sorted(raw_members(found.attributes)) == sorted(member.bytes for member in everybody)


def ranged(number: int, attribute: str, values: list[bytes]) -> bytes:
    """An entry with one range of an attribute, and the change counter."""
    parts = [
        ber.sequence(ber.octets(name), ber.sequence(*map(ber.octets, held), tag=0x31))
        for name, held in ((attribute.encode(), values), (b"uSNChanged", [b"7"]))
    ]
    body = ber.sequence(ber.octets(b"CN=g"), ber.sequence(*parts), tag=0x64)
    return ber.sequence(ber.integer(number), body)


def test_references_to_elsewhere_are_passed_over(portal_tls: TlsFiles) -> None:
    def answer(number: int) -> bytes:
        reference = ber.sequence(ber.octets(b"ldaps://elsewhere.example/DC=x"), tag=0x73)
        elsewhere = ber.sequence(ber.integer(number), reference)
        return elsewhere + entry(number, "CN=a", cn="a") + elsewhere + result(number, 0)

    with MisbehavingServer(portal_tls, [answer]) as server, connect(server.login) as connection:
        found = connection.search(Search("DC=x", present("objectClass"), ("cn",)))
    assert [one.text("cn") for one in found] == ["a"]
