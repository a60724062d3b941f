"""Sets of members: what statements that change them have in common, and who has one as a member.

Who looks for groups by a member asks the sets (:func:`holders`): the view of single members takes all of them apart.
"""

from __future__ import annotations

from typing import Any, Final

SET_SIZE: Final = 1_000
"""A set has at most as many members when it is written, so that to take one out rewrites little."""

TAKE_OUT: Final = """emptied AS (
    DELETE FROM provisioning_sourcememberset s USING rewritten r WHERE s.id = r.id AND r.members = '{}'
), rest AS (
    UPDATE provisioning_sourcememberset s SET members = r.members
      FROM rewritten r WHERE s.id = r.id AND r.members <> '{}'
)"""
"""Give the sets ``rewritten`` (id, members) what is left of them."""

PUT_IN: Final = f"""
    INSERT INTO provisioning_sourcememberset (group_id, is_primary, members)
    SELECT group_id, is_primary, members[first : first + {SET_SIZE - 1}]
      FROM new CROSS JOIN LATERAL generate_series(1, cardinality(members), {SET_SIZE}) AS first
"""  # noqa: S608 — built from constants only
"""Add what is ``new`` (group_id, is_primary, members) to the groups; those of them that are in it are left out."""


def holders(member: str) -> str:
    """What joins the groups ``m (group_id)`` that have one as a member, by the index.

    Joined like a table the planner takes each for a member of one set in 200, and reads all there is of anything else.
    """
    held = f"SELECT group_id FROM provisioning_sourcememberset WHERE members @> ARRAY[{member}]"  # noqa: S608
    return f"CROSS JOIN LATERAL unnest(ARRAY({held})) AS m (group_id)"


# Two who change the sets of a group at once would each undo what the other does, or both add the same member.
_HOLD: Final = """
SELECT id FROM provisioning_sourceobject WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""


def hold(cursor: Any, groups: list[int]) -> list[int]:
    """Keep everybody else from changing the members of these groups, until the transaction ends; those still there."""
    cursor.execute(_HOLD, [groups])
    return [row[0] for row in cursor.fetchall()]
