"""DirSync: what changed since a cookie (MS-ADTS §3.1.1.3.4.1.3), gathered per object without its values."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Final

from . import controls
from .connection import DirectoryConnection, entry_of
from .errors import DirectoryError, from_result
from .filters import Filter
from .messages import Done, Search
from .names import foreign_sids, guid_of

ADDED: Final = b"member;range=1-1"
REMOVED: Final = b"member;range=0-0"
# Asked for besides what is wanted: they tell a move, a creation and a deletion apart.
_SIGNS: Final = ("name", "parentGUID", "isDeleted", "whenCreated")

_SUCCESS: Final = 0
_INSUFFICIENT_RIGHTS: Final = 50
_MAKES_SENSE_LATER: Final = frozenset({3, 51, 52})


class CookieRefusedError(Exception):
    """The server does not accept the cookie; only a read from the start helps."""


@dataclass(slots=True)
class Change:
    """What DirSync says of one object; members as raw 16-byte GUIDs, to keep large deltas small.

    ``foreign`` has the SIDs of those that were added and stand for somebody of another forest.
    """

    deleted: bool = False
    moved: bool = False
    created: bool = False
    members: dict[bytes, bool] | None = None
    foreign: dict[str, str] = field(default_factory=dict)

    def note_members(self, values: list[bytes], *, present: bool) -> None:
        """Members that are there or not; a later answer may take back what an earlier one said."""
        told = {uuid.UUID(guid_of(value)).bytes: present for value in values}
        if told:
            self.members = (self.members or {}) | told
        if present:
            self.foreign |= foreign_sids(values)

    def member_guids(self, *, present: bool) -> list[str]:
        """The members added, or those removed."""
        return [str(uuid.UUID(bytes=raw)) for raw, there in (self.members or {}).items() if there is present]


@dataclass(slots=True)
class Changes:
    """Changes by objectGUID (text form), and the cookie after them."""

    cookie: bytes
    by_guid: dict[str, Change] = field(default_factory=dict)


def changes_since(
    connection: DirectoryConnection, root: str, wanted: Filter, attributes: tuple[str, ...], cookie: bytes
) -> Changes:
    """Everything of one stream that changed since ``cookie``; an empty cookie means since ever."""
    asked = tuple(dict.fromkeys((*attributes, *_SIGNS)))
    extras = (controls.extended_dn(), controls.show_deleted())
    search = Search(root, wanted, asked, controls=extras)
    changes = Changes(cookie)
    more = True
    while more:
        answer = _one_answer(connection, search, changes)
        more, changes.cookie = answer.more, answer.cookie
    return changes


def current_cookie(connection: DirectoryConnection, root: str, nothing: Filter) -> bytes:
    """A cookie for now, by asking for the changes of objects that do not exist."""
    return changes_since(connection, root, nothing, (), b"").cookie


def _one_answer(connection: DirectoryConnection, search: Search, changes: Changes) -> controls.DirSyncAnswer:
    for part in connection.stream(search, controls.dir_sync(changes.cookie)):
        if isinstance(part, Done):
            _check(part, had_cookie=bool(changes.cookie))
            answer = controls.dir_sync_answer(part.controls)
            if answer is None:
                raise DirectoryError("DirSyncUnsupported")
            return answer
        for frame in part:
            _note(frame, changes.by_guid)
    raise DirectoryError("AdConnectionLost")


def _check(done: Done, *, had_cookie: bool) -> None:
    if done.code == _SUCCESS:
        return
    if done.code == _INSUFFICIENT_RIGHTS:
        raise DirectoryError("DirSyncNotAllowed")
    if had_cookie and done.code not in _MAKES_SENSE_LATER:
        raise CookieRefusedError
    raise from_result(done.code)


def _note(frame: bytes, by_guid: dict[str, Change]) -> None:
    name, attributes = entry_of(frame)
    change = by_guid.setdefault(guid_of(name), Change())
    deleted = attributes.get(b"isDeleted")
    if deleted:
        change.deleted = deleted[0] == b"TRUE"
    change.moved |= bool(attributes.get(b"name") or attributes.get(b"parentGUID"))
    change.created |= bool(attributes.get(b"whenCreated"))
    change.note_members(attributes.get(REMOVED, []), present=False)
    change.note_members(attributes.get(ADDED, []), present=True)
