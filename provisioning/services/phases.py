"""The order in which a plan is written: objects first, what refers to them after, deletions last."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

# Changes that one task applies in one transaction; a compromise of overhead against lost work on a crash. The documents
# of so many creations fit into what PostgreSQL keeps of temporary tables in memory.
BATCH_SIZE: Final = 4_000
MEMBER_BATCH_SIZE: Final = 25_000
# Members of groups that the cycle creates, at most: each batch reads all links once.
FILL_BATCH_SIZE: Final = 250_000


class Phase(IntEnum):
    """Batches of one phase run side by side; a phase starts when the one before is done.

    Before everything else an undo takes away what its cycle created, so that old names are free again.
    """

    BEFORE = 0
    OBJECTS = 1
    REFERENCES = 2
    MEMBERSHIPS = 3
    DELETIONS = 4
    DONE = 5
