"""The decisions of reading that need no server: names, scope, values, watermarks, pages."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lab.agent.reading import question
from provisioning_agent.channel.backoff import Backoff
from provisioning_agent.ldap import errors
from provisioning_agent.ldap.convert import Plan
from provisioning_agent.ldap.domain import dns_name, sid_text
from provisioning_agent.ldap.errors import DirectoryError, bind_refused, from_result
from provisioning_agent.ldap.names import Reference, is_below, is_conflict, parse_extended, rdns
from provisioning_agent.ldap.paging import MAX_PAGE_WEIGHT, Frame, paginate
from provisioning_agent.ldap.resources import Item, ResourceMaker, is_cut, ldap_attributes
from provisioning_agent.ldap.schema import Kind, Syntax
from provisioning_agent.ldap.scope import ReadScope, cover
from provisioning_agent.ldap.tls import normalise_fingerprint
from provisioning_agent.ldap.watermark import Watermark, decode, question_of
from provisioning_agent.wire.pages import AD_SCHEMA, Page
from provisioning_agent.wire.requests import ObjectTypeRequest

GUID = "b3d4bfbd-3c45-4ee4-83e0-5db0a9f0b8f2"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "dn"),
    [
        (f"<GUID={GUID}>;<SID=S-1-5-21-1>;CN=Å,DC=x", "CN=Å,DC=x"),
        (f"<GUID={GUID}>;OU=a\\>;b,DC=x", "OU=a\\>;b,DC=x"),
        (f"<GUID={GUID.upper()}>;<SID=S-1-5>;CN=a>;<SID=b,DC=x", "CN=a>;<SID=b,DC=x"),
    ],
)
def test_an_extended_name_is_taken_apart(value: str, dn: str) -> None:
    assert parse_extended(value.encode()) == Reference(GUID, dn)


@pytest.mark.parametrize("value", [b"", b"CN=plain,DC=x", b"<GUID=short>;CN=x"])
def test_a_name_that_is_not_extended_is_unreadable(value: bytes) -> None:
    with pytest.raises(DirectoryError) as caught:
        parse_extended(value)
    assert caught.value.code == "AdAnswerUnreadable"


@pytest.mark.parametrize(
    ("dn", "container", "inside"),
    [
        ("CN=a,OU=Sales,DC=x", "OU=Sales,DC=x", True),
        ("CN=a,OU=SALES,dc=X", "ou=sales,DC=x", True),
        ("OU=Sales,DC=x", "OU=Sales,DC=x", True),
        ("CN=a,OU=PreSales,DC=x", "OU=Sales,DC=x", False),
        (r"CN=a\,OU=Sales,DC=x", "OU=Sales,DC=x", False),
        (r"CN=a\\,OU=Sales,DC=x", "OU=Sales,DC=x", True),
        (r"CN=a,OU=B\2C C,DC=x", r"OU=B\, C,DC=x", True),
        (r"CN=a,OU=\C3\85,DC=x", "OU=å,DC=x", True),
        ("DC=x", "OU=Sales,DC=x", False),
    ],
)
def test_whether_an_object_lies_in_a_container(dn: str, container: str, inside: bool) -> None:
    assert is_below(rdns(dn), rdns(container)) is inside


def test_containers_inside_others_are_not_read_twice() -> None:
    outer = Reference(GUID, "OU=Outer,DC=x")
    inner = Reference(GUID.replace("b3", "c4"), "OU=Inner,OU=Outer,DC=x")
    found = cover([inner, outer])
    assert found == ReadScope((f"<GUID={GUID}>",), (("ou=outer", "dc=x"),), named=(inner, outer))


def test_the_loser_of_a_replication_conflict_is_recognised() -> None:
    assert is_conflict(f"CN=Ada\\0ACNF:{GUID},OU=x,DC=x")
    assert not is_conflict("CN=CNF: meeting room,DC=x")


def test_values_are_converted_by_their_syntax() -> None:
    syntaxes = {
        "title": Syntax(Kind.TEXT, True),
        "proxyaddresses": Syntax(Kind.TEXT, False),
        "flag": Syntax(Kind.BOOLEAN, True),
        "size": Syntax(Kind.INTEGER, True),
        "photo": Syntax(Kind.BINARY, True),
        "manager": Syntax(Kind.REFERENCE, True),
        "unused": Syntax(Kind.TEXT, True),
    }
    plan = Plan(
        ["title", "proxyAddresses", "FLAG", "size", "photo", "manager", "unused", "unknown"], syntaxes
    )
    into = plan.apply(
        {
            b"TITLE": ["Größe".encode()],
            b"proxyAddresses;range=0-1": [b"a", b"b"],
            b"flag": [b"FALSE"],
            b"size": [b"-9223372036854775808"],
            b"photo": [b"\xff\x00"],
            b"manager": [f"<GUID={GUID}>;CN=Boss,DC=x".encode()],
            b"unused": [],
            b"notAsked": [b"x"],
        }
    )
    assert into == {
        "title": "Größe",
        "proxyAddresses": ["a", "b"],
        "FLAG": False,
        "size": -9223372036854775808,
        "photo": "/wA=",
        "manager": {"value": GUID, "display": "CN=Boss,DC=x"},
    }


@pytest.mark.parametrize("value", [b"Gr\xf6\xdfe", b"a\x00b"])
def test_a_text_that_is_no_plain_text_is_kept_as_base64(value: bytes) -> None:
    into = Plan(["title"], {"title": Syntax(Kind.TEXT, True)}).apply({b"title": [value]})
    assert base64.b64decode(into["title"]) == value


@pytest.mark.parametrize(
    ("spelled", "cut"), [(b"member;range=0-1499", True), (b"member;range=0-*", False), (b"member", False)]
)
def test_whether_values_were_kept_back(spelled: bytes, cut: bool) -> None:
    assert is_cut({b"cn": [], spelled: []}) is cut


def test_the_disabled_flag_brings_its_source_along() -> None:
    assert ldap_attributes(("accountDisabled", "distinguishedName", "mail")) == ("mail", "userAccountControl")
    maker = ResourceMaker("user", ("accountDisabled",))
    item = maker.full(Reference(GUID, "CN=x"), {"userAccountControl": 514}, None, 1)
    assert item.resource[AD_SCHEMA] == {"accountDisabled": True}
    both = ResourceMaker("user", ("accountDisabled", "USERaccountControl"))
    item = both.full(Reference(GUID, "CN=x"), {"USERaccountControl": 512}, None, 1)
    assert item.resource[AD_SCHEMA] == {"USERaccountControl": 512, "accountDisabled": False}


def test_a_watermark_survives_and_is_bound_to_its_question() -> None:
    mark = Watermark(GUID, "q", {"user": b"\x00\xff", "parents": b""})
    assert decode(mark.encode()) == mark
    asked = question("corp.example")
    assert question_of(asked) == question_of(question("CORP.example", watermark="w", page_size=5))
    assert question_of(asked) != question_of(question("corp.example", containers=[GUID]))
    fewer = [ObjectTypeRequest("user", ("mail",))]
    assert question_of(asked) != question_of(question("corp.example", types=fewer))


def item(weight: int = 1, kind: str = "user") -> Item:
    return Item({"id": GUID, "meta": {"resourceType": kind}}, weight, True)


def pages(items: list[Item], size: int = 3, now: datetime = NOW) -> list[Page]:
    frame = Frame("initial", {}, "w")
    return list(paginate(items, frame, size, NOW + timedelta(seconds=1), lambda: now))


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_pages_are_cut_by_number(count: int, sizes: list[int]) -> None:
    found = pages([item()] * count)
    assert [len(page.resources) for page in found] == sizes
    assert [page.complete for page in found] == [False] * (len(sizes) - 1) + [True]
    assert [page.watermark for page in found] == [None] * (len(sizes) - 1) + ["w"]


def test_pages_are_cut_by_weight_too_and_one_heavy_object_still_travels() -> None:
    heavy = item(MAX_PAGE_WEIGHT + 1)
    assert [len(page.resources) for page in pages([item(), heavy, item()])] == [1, 1, 1]


def test_counts_add_up_on_the_last_page() -> None:
    assert pages([item(), item(kind="group"), item(), item()])[-1].counts == {"user": 3, "group": 1}


def test_an_answer_that_would_be_too_late_is_given_up() -> None:
    with pytest.raises(DirectoryError) as caught:
        pages([item()], now=NOW + timedelta(seconds=2))
    assert caught.value.code == "DeadlinePassed"


def test_pages_are_made_while_reading() -> None:
    taken = 0

    def endless() -> Iterator[Item]:
        nonlocal taken
        while True:
            taken += 1
            yield item()

    made = paginate(endless(), Frame("initial", {}, "w"), 10, NOW, lambda: NOW)
    next(made)
    assert taken == 11


@pytest.mark.parametrize(
    ("result", "code", "retry"),
    [
        (3, "AdTimeout", True),
        (4, "SizeLimitExceeded", False),
        (10, "ReferralReceived", False),
        (11, "SizeLimitExceeded", False),
        (50, "AdAccessDenied", False),
        (51, "AdBusy", True),
        (52, "AdBusy", True),
        (80, "AdSearchFailed", True),
    ],
)
def test_result_codes_have_names(result: int, code: str, retry: bool) -> None:
    error = from_result(result)
    assert (error.code, error.retry) == (code, retry)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "80090308: LdapErr: DSID-0C090447, comment: ... error, data 52e, v3839",
            "password is wrong",
        ),
        ("... AcceptSecurityContext error, data 775, v3839", "locked out"),
        ("... data 533, v1db1", "disabled"),
        ("Simple Bind Failed: NT_STATUS_LOGON_FAILURE", "password is wrong"),
    ],
)
def test_a_refused_account_is_explained(message: str, words: str) -> None:
    assert words in bind_refused(message).detail


@pytest.mark.parametrize("code", sorted(errors.CODES))
def test_every_directory_code_has_a_sentence_with_a_remedy(code: str) -> None:
    sentence = errors.CODES[code].sentence
    assert sentence.endswith(".")
    assert ";" in sentence


def test_sids_and_domain_names_are_readable() -> None:
    raw = bytes.fromhex("010500000000000515000000b069f236ebd63aa085c9289d6c0b0000")
    assert sid_text(raw) == "S-1-5-21-921856432-2688210667-2636695941-2924"
    assert dns_name("DC=Corp,DC=example") == "corp.example"


@pytest.mark.parametrize("text", ["AB" * 32, ":".join(["ab"] * 32), " sha256:" + "ab" * 32])
def test_fingerprints_may_be_written_in_several_ways(text: str) -> None:
    assert normalise_fingerprint(text) == "ab" * 32


def test_waiting_grows_to_a_cap_and_starts_again() -> None:
    backoff = Backoff(base=1, cap=10, chance=lambda: 1.0)
    assert [backoff.failed() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert backoff.failed(at_least=30) == 40
    backoff.succeeded()
    assert backoff.failed() == 1


def test_waiting_is_spread_from_nothing_to_the_limit() -> None:
    assert Backoff(chance=lambda: 0.0).failed() == 0
