"""What cycles do with an object that a person has restored in the target: a pure decision."""

from __future__ import annotations

from enum import StrEnum

from provisioning.engine.plan import LinkStanding


class Aftermath(StrEnum):
    """What becomes of it, each with a sentence for a person."""

    UNTOUCHED = "untouched"
    TAKEN_OVER = "takenOver"
    LEFT = "left"
    KEPT = "kept"
    DELETED_AGAIN = "deletedAgain"

    @property
    def sentence(self) -> str:
        """What a person has to know."""
        return _SENTENCES[self]


_SENTENCES = {
    Aftermath.UNTOUCHED: (
        "It is linked with no object of Active Directory. No cycle touches it, unless an object with the same source "
        "anchor comes into scope."
    ),
    Aftermath.TAKEN_OVER: (
        "Its source is in scope. The next cycle that runs takes it over again, with what Active Directory says of it."
    ),
    Aftermath.LEFT: (
        "Its source was deleted in Active Directory or has left the scope. Cycles leave it as it is, no longer "
        "synchronized, until the source comes back; then they take it over again with its id. A repair of drift "
        "deletes it again."
    ),
    Aftermath.KEPT: "It is still linked: cycles go on to write what changes in Active Directory.",
    Aftermath.DELETED_AGAIN: (
        "Its source was deleted in Active Directory or has left the scope, and its deletion is not done yet: the next "
        "cycle that runs deletes it again. Bring the source back first, or pause the job."
    ),
}


def after_restore(link: LinkStanding, *, is_wanted: bool, may_be_deleted: bool) -> Aftermath:
    """What the next cycles do with a restored object.

    ``is_wanted`` says that its source is there and in scope, ``may_be_deleted`` that a deletion would flow.
    """
    if link is LinkStanding.NONE:
        return Aftermath.UNTOUCHED
    if link is LinkStanding.DELETED:
        return Aftermath.TAKEN_OVER if is_wanted else Aftermath.LEFT
    return Aftermath.DELETED_AGAIN if may_be_deleted and not is_wanted else Aftermath.KEPT
