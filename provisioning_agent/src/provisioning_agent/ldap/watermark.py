"""The watermark: where the next delta goes on. Opaque to the service, base64url JSON to us."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from provisioning_agent.wire.requests import ReadRequest

# 2: memberships tell the SIDs of foreign security principals; those of an older read do not.
_VERSION: Final = 2
PARENTS: Final = "parents"
# Memberships of all groups; only asked where groups limit the scope.
NESTING: Final = "nesting"
_GUID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Watermark:
    """DirSync cookies by stream (an object type, the parents, the nesting), and what they are valid for.

    ``groups`` are the raw GUIDs of the groups that were walked for the scope, nested ones included: with them
    the next delta notices one that has vanished. Their members are not kept. ``usn`` is the controller's counter
    before reading, for accounts without DirSync (whose ``cookies`` are empty); ``compared_at`` the last time, in
    seconds since 1970, that every object was named.
    """

    invocation_id: str
    question: str
    cookies: Mapping[str, bytes] = field(repr=False)
    groups: frozenset[bytes] = field(default=frozenset(), repr=False)
    usn: int = 0
    compared_at: int = 0

    def encode(self) -> str:
        """The text that travels."""
        body = {
            "v": _VERSION,
            "invocationId": self.invocation_id,
            "question": self.question,
            "cookies": {name: base64.b64encode(cookie).decode() for name, cookie in self.cookies.items()},
            "usn": self.usn,
            "comparedAt": self.compared_at,
            "groups": base64.b64encode(b"".join(sorted(self.groups))).decode(),
        }
        return base64.urlsafe_b64encode(orjson.dumps(body)).decode()


def decode(text: str) -> Watermark | None:
    """The watermark in ``text``; None if it is not one of ours, which means a read from the start."""
    try:
        body = orjson.loads(base64.b64decode(text, altchars=b"-_", validate=True))
        if body["v"] != _VERSION:
            return None
        cookies = {str(name): base64.b64decode(value) for name, value in body["cookies"].items()}
        groups = base64.b64decode(body.get("groups", ""))
        found = frozenset(groups[at : at + _GUID_BYTES] for at in range(0, len(groups), _GUID_BYTES))
        usn, compared_at = int(body.get("usn", 0)), int(body.get("comparedAt", 0))
        return Watermark(str(body["invocationId"]), str(body["question"]), cookies, found, usn, compared_at)
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError):
        return None


def question_of(request: ReadRequest) -> str:
    """A fingerprint of what is asked for: a delta only makes sense to the very same question."""
    types = sorted(
        (wanted.name, sorted({name.lower() for name in wanted.attributes})) for wanted in request.object_types
    )
    body = orjson.dumps([request.domain.lower(), types, sorted(request.containers), sorted(request.groups)])
    return hashlib.sha256(body).hexdigest()[:32]
