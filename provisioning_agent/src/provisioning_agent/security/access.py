"""What a list allows somebody to do (the access check of MS-ADTS §5.1.3.3, for one right at a time)."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Final

from .descriptor import Acl
from .entries import INHERIT_ONLY, Entry
from .lists import entries_of

# MS-ADTS §5.1.3.2
CREATE_CHILD: Final = 0x00000001
DELETE_CHILD: Final = 0x00000002
LIST_CONTENTS: Final = 0x00000004
READ_PROPERTY: Final = 0x00000010
WRITE_PROPERTY: Final = 0x00000020
DELETE_TREE: Final = 0x00000040
LIST_OBJECT: Final = 0x00000080
CONTROL_ACCESS: Final = 0x00000100
DELETE: Final = 0x00010000
READ_CONTROL: Final = 0x00020000
FULL_CONTROL: Final = 0x000F01FF

# MS-ADTS §5.1.3.2.1
GET_CHANGES: Final = uuid.UUID("1131f6aa-9c07-11d1-f79f-00c04fc2dcd2")
GET_CHANGES_ALL: Final = uuid.UUID("1131f6ad-9c07-11d1-f79f-00c04fc2dcd2")
RESET_PASSWORD: Final = uuid.UUID("00299570-246d-11d0-a768-00aa006e0529")
UNEXPIRE_PASSWORD: Final = uuid.UUID("ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501")


def may(acl: Acl | None, who: Collection[bytes], mask: int, object_type: uuid.UUID | None = None) -> bool:
    """Whether the bearer of these SIDs has all of ``mask`` (for this right); no list at all allows everything."""
    if acl is None:
        return True
    missing = mask
    for entry in entries_of(acl):
        if not _speaks_of(entry, who, object_type):
            continue
        if not entry.allows and entry.mask & missing:
            return False
        missing &= ~entry.mask
        if not missing:
            return True
    return False


def _speaks_of(entry: Entry, who: Collection[bytes], object_type: uuid.UUID | None) -> bool:
    reaches = not entry.flags & INHERIT_ONLY and entry.sid in who
    return reaches and entry.object_type in (None, object_type)
