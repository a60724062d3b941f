"""Security descriptors: every byte of a real one comes back, and of any that can be made."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.agent.reading import login_to
from lab.samba import SambaForest
from provisioning_agent.ldap.connection import connect
from provisioning_agent.ldap.writing import DACL, OWNER, read_descriptor
from provisioning_agent.security import access, entries, sids
from provisioning_agent.security.descriptor import (
    DACL_PRESENT,
    SACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    Descriptor,
    decode,
)
from provisioning_agent.security.entries import CONTAINER_INHERIT, INHERIT_ONLY, INHERITED, Entry, allow
from provisioning_agent.security.lists import entries_of, explicit, with_entries, without_entries
from provisioning_agent.security.sids import MalformedError

RIGHT = uuid.UUID("1131f6aa-9c07-11d1-f79f-00c04fc2dcd2")
OTHER = uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
ALICE = sids.from_text("S-1-5-21-1-2-3-1104")
BOB = sids.from_text("S-1-5-21-1-2-3-1105")

GUIDS = st.none() | st.uuids()
SIDS = st.builds(
    lambda authority, parts: sids.from_text("-".join(["S-1", str(authority), *map(str, parts)])),
    st.integers(0, 2**48 - 1),
    st.lists(st.integers(0, 2**32 - 1), max_size=15),
)
ENTRIES = st.builds(
    lambda deny, flags, mask, sid, one, two: Entry(
        (entries.DENY if deny else entries.ALLOW) + (5 if one or two else 0), flags, mask, sid, one, two
    ),
    st.booleans(),
    st.integers(0, 255),
    st.integers(0, 2**32 - 1),
    SIDS,
    GUIDS,
    GUIDS,
)
# Audit and conditional entries, which are never understood, only kept.
FOREIGN = st.builds(
    lambda kind, flags, body: bytes((kind, flags)) + (4 + len(body)).to_bytes(2, "little") + body,
    st.sampled_from([2, 7, 9, 10, 11, 17]),
    st.integers(0, 255),
    st.binary(max_size=40).filter(lambda body: len(body) % 4 == 0),
)
ACLS = st.builds(lambda raw: Acl(4, tuple(raw)), st.lists(ENTRIES.map(Entry.encode) | FOREIGN, max_size=12))


@st.composite
def descriptors(draw: st.DrawFn) -> Descriptor:
    sacl, dacl = draw(st.none() | ACLS), draw(st.none() | ACLS)
    control = draw(st.integers(0, 0xFFFF)) & ~(DACL_PRESENT | SACL_PRESENT)
    control |= SELF_RELATIVE | (SACL_PRESENT if sacl else 0) | (DACL_PRESENT if dacl else 0)
    owner, group = draw(st.none() | SIDS), draw(st.none() | SIDS)
    return Descriptor(control, owner, group, sacl, dacl, draw(st.integers(0, 255)))


@given(descriptors())
def test_what_is_written_is_read_again(made: Descriptor) -> None:
    assert decode(made.encode()) == made


@given(ENTRIES)
def test_an_entry_is_read_as_it_was_written(made: Entry) -> None:
    assert entries.decode(made.encode()) == made


@given(SIDS)
def test_a_sid_survives_its_text(sid: bytes) -> None:
    assert sids.from_text(sids.to_text(sid)) == sid


@given(descriptors(), st.data())
def test_a_cut_descriptor_is_refused_or_shorter_but_never_a_crash(
    made: Descriptor, data: st.DataObject
) -> None:
    raw = made.encode()
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    try:
        found = decode(cut)
        for acl in (found.sacl, found.dacl):
            for one in acl.entries if acl else ():
                entries.decode(one)
    except MalformedError:
        return
    assert found.control == made.control


@given(ACLS, st.lists(ENTRIES, max_size=4))
def test_adding_and_removing_leaves_every_other_byte_alone(acl: Acl, added: list[Entry]) -> None:
    fresh = [entry for entry in added if entry.encode() not in acl.entries and not entry.flags & INHERITED]
    grown = with_entries(acl, fresh)
    assert set(grown.entries) == set(acl.entries) | {entry.encode() for entry in fresh}
    assert without_entries(grown, fresh).entries == acl.entries
    assert with_entries(grown, fresh) == grown


@pytest.mark.parametrize("text", ["", "S-1", "X-1-5-18", "S-2-5-18", "S-1-5-99999999999", "S-1-5-a"])
def test_what_is_no_sid_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        sids.from_text(text)


def test_new_entries_stand_between_denials_and_what_is_inherited() -> None:
    deny = Entry(entries.DENY, 0, access.READ_PROPERTY, BOB)
    inherited = Entry(entries.ALLOW, INHERITED, access.READ_PROPERTY, BOB)
    grown = with_entries(Acl(2, (deny.encode(), inherited.encode())), [allow(ALICE, access.LIST_CONTENTS)])
    assert [entry.sid for entry in entries_of(grown)] == [BOB, ALICE, BOB]
    assert [entry.sid for entry in explicit(grown)] == [BOB, ALICE]
    assert grown.revision == 4


def test_access_follows_the_order_of_the_list() -> None:
    allowed = allow(ALICE, access.CONTROL_ACCESS, object_type=RIGHT)
    denied = Entry(entries.DENY_OBJECT, 0, access.CONTROL_ACCESS, BOB, RIGHT)
    both = {ALICE, BOB}
    mask = access.CONTROL_ACCESS
    assert access.may(Acl(4, (allowed.encode(), denied.encode())), both, mask, RIGHT)
    assert not access.may(Acl(4, (denied.encode(), allowed.encode())), both, mask, RIGHT)
    assert not access.may(Acl(4, (allowed.encode(),)), {ALICE}, mask, OTHER)
    assert not access.may(Acl(4, ()), both, mask, RIGHT)
    assert access.may(None, both, mask, RIGHT)


def test_what_is_for_children_only_gives_nothing_here() -> None:
    below = allow(ALICE, access.READ_PROPERTY, CONTAINER_INHERIT | INHERIT_ONLY)
    assert not access.may(Acl(2, (below.encode(),)), {ALICE}, access.READ_PROPERTY)


def test_a_wider_entry_covers_a_narrower_one() -> None:
    narrow = allow(ALICE, access.READ_PROPERTY, object_type=RIGHT)
    assert allow(ALICE, access.FULL_CONTROL).covers(narrow)
    assert not narrow.covers(allow(ALICE, access.READ_PROPERTY))
    assert not allow(BOB, access.FULL_CONTROL).covers(narrow)


@pytest.mark.forest
def test_real_descriptors_come_back_byte_for_byte(forest: SambaForest) -> None:
    with connect(login_to(forest)) as connection:
        for name in ("", "CN=Users,", "CN=Administrator,CN=Users,", "CN=isthmus-agent,CN=Users,"):
            raw = read_descriptor(connection, f"{name}{forest.base_dn}", OWNER | 2 | DACL)
            assert raw
            found = decode(raw)
            assert found.dacl
            assert found.encode() == raw
            assert all((one := entries.decode(each)) and one.encode() == each for each in found.dacl.entries)
