"""Encoding and decoding LDAP: the same as an independent implementation, and safe on any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import search_operation
from ldap3.protocol.convert import build_controls_list
from ldap3.protocol.microsoft import extended_dn_control
from ldap3.protocol.rfc2696 import paged_search_control
from ldap3.protocol.rfc4511 import (
    LDAPDN,
    AttributeDescription,
    LDAPMessage,
    MessageID,
    PartialAttribute,
    PartialAttributeList,
    ProtocolOp,
    SearchResultEntry,
    Vals,
)
from pyasn1.codec.ber import encoder

from provisioning_agent.ldap import ber, controls, filters
from provisioning_agent.ldap.connection import Endpoint, entry_of
from provisioning_agent.ldap.convert import Plan
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import (
    Scope,
    Search,
    decode_entry,
    encode_search,
    entry_name,
    kind_of,
)
from provisioning_agent.ldap.schema import Kind, Syntax

SCOPES = {"BASE": "BASE", "LEVEL": "ONE_LEVEL", "SUBTREE": "SUBTREE"}
GUID = "b3d4bfbd-3c45-4ee4-83e0-5db0a9f0b8f2"
TRUE = b"\x01\x01\x01"
ATTRIBUTES = st.dictionaries(
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9;=-]{0,40}", fullmatch=True),
    st.lists(st.binary(max_size=400), max_size=5),
    max_size=6,
)


def encoded_entry(name: str, attributes: dict[str, list[bytes]]) -> bytes:
    """An entry as ldap3 and pyasn1 would send it."""
    listed = PartialAttributeList()
    for at, (attribute, values) in enumerate(attributes.items()):
        one = PartialAttribute()
        one["type"] = AttributeDescription(attribute)
        held = Vals()
        for index, value in enumerate(values):
            held.setComponentByPosition(index, value)
        one["vals"] = held
        listed.setComponentByPosition(at, one)
    entry = SearchResultEntry()
    entry["object"] = LDAPDN(name)
    entry["attributes"] = listed
    message = LDAPMessage()
    message["messageID"] = MessageID(70000)
    message["protocolOp"] = ProtocolOp().setComponentByName("searchResEntry", entry)
    return bytes(encoder.encode(message))


@given(st.text(max_size=300), ATTRIBUTES)
def test_entries_are_decoded_as_they_were_encoded(name: str, attributes: dict[str, list[bytes]]) -> None:
    frame = encoded_entry(name, attributes)
    assert kind_of(frame) == (70000, 0x64)
    found_name, found = decode_entry(frame)
    assert found_name.decode() == name
    assert found == {attribute.encode(): values for attribute, values in attributes.items()}


@given(ATTRIBUTES, st.sampled_from(list(Kind)), st.booleans())
def test_converting_while_decoding_gives_the_same_as_one_after_the_other(
    attributes: dict[str, list[bytes]], kind: Kind, single: bool
) -> None:
    if kind in (Kind.INTEGER, Kind.REFERENCE):
        made = b"-12" if kind is Kind.INTEGER else f"<GUID={GUID}>;CN=x".encode()
        attributes = {name: [made] * len(values) for name, values in attributes.items()}
    wanted = list(attributes)[::2]
    plan = Plan(wanted, {name.lower(): Syntax(kind, single) for name in wanted})
    frame = encoded_entry("CN=x", attributes)
    name, start = entry_name(frame)
    assert name == b"CN=x"
    assert plan.convert(frame, start) == plan.apply(decode_entry(frame)[1])


def long_lengths(content: bytes, tag: int) -> bytes:
    """Lengths in four octets whatever their size, which is how Active Directory writes them."""
    return bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content


def test_lengths_in_four_octets_are_understood() -> None:
    value = long_lengths(b"Ada", 0x04)
    attribute = long_lengths(ber.octets(b"cn") + long_lengths(value, 0x31), 0x30)
    body = long_lengths(ber.octets(b"CN=Ada") + long_lengths(attribute * 2, 0x30), 0x64)
    frame = long_lengths(ber.integer(7) + body, 0x30)
    assert decode_entry(frame) == (b"CN=Ada", {b"cn": [b"Ada"]})


@given(st.data())
def test_no_bytes_are_more_than_an_unreadable_answer(data: st.DataObject) -> None:
    frame = bytearray(encoded_entry("CN=x", {"a": [b"1", b"2"], "b": [b"\x00" * 200]}))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(frame[: data.draw(st.integers(0, len(frame)))])
    try:
        entry_of(cut)
    except DirectoryError as error:
        if error.code != "AdAnswerUnreadable":
            raise


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["BASE", "LEVEL", "SUBTREE"]))
def test_a_search_is_encoded_as_an_independent_client_does(value: bytes, scope: str) -> None:
    wanted = filters.all_of(filters.equals("cn", value), filters.negate(filters.present("mail")))
    ours = encode_search(
        300,
        Search("DC=x", wanted, ("cn", "mail"), Scope[SCOPES[scope]], (controls.extended_dn(),), 9),
        controls.paged(5, b"c"),
    )
    escaped = "".join(f"\\{octet:02x}" for octet in value)
    message = LDAPMessage()
    message["messageID"] = MessageID(300)
    theirs = search_operation(
        "DC=x", f"(&(cn={escaped})(!(mail=*)))", scope, "NEVER", ["cn", "mail"], 0, 9, False, False, False
    )
    message["protocolOp"] = ProtocolOp().setComponentByName("searchRequest", theirs)
    message["controls"] = build_controls_list(
        [extended_dn_control(criticality=True), paged_search_control(True, 5, b"c")]
    )
    # RFC 4511 §5.1 wants true as FF, pyasn1 writes 01.
    assert ours.replace(b"\x01\x01\xff", TRUE) == bytes(encoder.encode(message)).replace(
        b"\x01\x01\xff", TRUE
    )


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_survive(value: int) -> None:
    assert ber.to_int(ber.children(ber.integer(value))[0][1]) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dc1.corp.example", ("dc1.corp.example", 636)),
        ("dc1:3269", ("dc1", 3269)),
        ("[2001:db8::1]:636", ("2001:db8::1", 636)),
        ("[::1]", ("::1", 636)),
    ],
)
def test_servers_are_named_by_host_and_port(text: str, expected: tuple[str, int]) -> None:
    assert Endpoint.parse(text) == expected
    assert Endpoint.parse(str(Endpoint.parse(text))) == expected


@pytest.mark.parametrize("text", ["", ":636", "dc1:0", "dc1:70000", "dc1:ldaps"])
def test_a_server_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="server name"):
        Endpoint.parse(text)
