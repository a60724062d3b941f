"""Asks the agent's reader a question and gathers its pages the way a service would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.samba import Account, SambaForest
from provisioning_agent.ldap.connection import DirectoryLogin, Endpoint, connect
from provisioning_agent.ldap.reader import read
from provisioning_agent.ldap.tls import Trust
from provisioning_agent.wire.pages import AD_SCHEMA, PAGE_SCHEMA, decode_page, encode_page
from provisioning_agent.wire.requests import ObjectTypeRequest, ReadRequest

USER_ATTRIBUTES = (
    "objectGUID",
    "objectSid",
    "distinguishedName",
    "sAMAccountName",
    "userPrincipalName",
    "displayName",
    "title",
    "mail",
    "proxyAddresses",
    "userAccountControl",
    "accountDisabled",
    "whenCreated",
    "uSNChanged",
    "manager",
)
GROUP_ATTRIBUTES = ("objectGUID", "objectSid", "distinguishedName", "sAMAccountName", "description")
CONTACT_ATTRIBUTES = ("objectGUID", "distinguishedName", "mail")

ALL_TYPES = (
    ObjectTypeRequest("user", USER_ATTRIBUTES),
    ObjectTypeRequest("group", GROUP_ATTRIBUTES),
    ObjectTypeRequest("contact", CONTACT_ATTRIBUTES),
)


def login_to(forest: SambaForest, account: Account | None = None, **changes: Any) -> DirectoryLogin:
    """How the agent enters a forest: its service account, the forest's CA."""
    who = account or forest.account("isthmus-agent")
    values: dict[str, Any] = {
        "servers": (Endpoint(forest.address),),
        "user": who.user_principal_name,
        "password": who.password,
        "trust": Trust(ca_file=forest.ca_file),
    }
    return DirectoryLogin(**(values | changes))


def question(
    domain: str,
    *,
    types: Sequence[ObjectTypeRequest] = ALL_TYPES,
    containers: Sequence[str] = (),
    groups: Sequence[str] = (),
    watermark: str | None = None,
    page_size: int = 1000,
    lists_containers: bool = False,
    is_covered: bool = False,
) -> ReadRequest:
    """A read request that is due in a minute."""
    return ReadRequest(
        domain=domain,
        object_types=tuple(types),
        correlation_id="test",
        deadline=datetime.now(UTC) + timedelta(minutes=1),
        containers=tuple(containers),
        groups=tuple(groups),
        watermark=watermark,
        page_size=page_size,
        lists_containers=lists_containers,
        is_covered=is_covered,
    )


@dataclass
class Answer:
    """All pages of one answer, merged."""

    mode: str = ""
    watermark: str = ""
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    scope: dict[str, str] = field(default_factory=dict)

    def objects(self) -> dict[str, dict[str, Any]]:
        """Attributes by id of everything that is neither a tombstone nor a continuation."""
        return {found["id"]: found[AD_SCHEMA] for found in self.resources if AD_SCHEMA in found}

    def tombstones(self) -> dict[str, str]:
        """Kind of tombstone by id."""
        return {
            found["id"]: found["meta"]["tombstone"]
            for found in self.resources
            if "tombstone" in found["meta"]
        }

    def foreign(self, guid: str) -> dict[str, str]:
        """SIDs by objectGUID of the members of a group that are from elsewhere."""
        parts = (one["members"].get("foreign", {}) for one in self.resources if one["id"] == guid)
        return {member: sid for part in parts for member, sid in part.items()}

    def members(self, guid: str) -> tuple[bool, set[str], set[str]]:
        """(whole, added, removed) of one group over all its resources."""
        parts = [found["members"] for found in self.resources if found["id"] == guid]
        added = {member for part in parts for member in part["added"]}
        return parts[0]["whole"], added, {member for part in parts for member in part["removed"]}


def answer_to(login: DirectoryLogin, question: bytes) -> Iterator[bytes]:
    """What the agent posts, page by page, when it is asked this."""
    with connect(login) as connection:
        for page in read(connection, ReadRequest.from_json(question), lambda: datetime.now(UTC)):
            yield encode_page(page)


def ask(login: DirectoryLogin, request: ReadRequest) -> Answer:
    """Read it, passing every page through the wire's encoding and checks."""
    answer = Answer()
    with connect(login) as connection:
        for page in read(connection, request, lambda: datetime.now(UTC)):
            body = decode_page(encode_page(page))
            about = body[PAGE_SCHEMA]
            answer.mode, answer.notes, answer.counts = about["mode"], about["notes"], about["counts"]
            answer.watermark = about.get("watermark", "")
            answer.scope = {one["id"]: one["distinguishedName"] for one in about.get("scope", ())}
            answer.sizes.append(len(body["Resources"]))
            answer.resources += body["Resources"]
            assert about["complete"] == ("nextCursor" not in body)
    assert answer.watermark
    return answer
