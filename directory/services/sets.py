"""What writers of member sets share. Who writes to the sets of a group holds the group (its row) until the end.

Two writers would else give it a member twice, or each undo what the other takes out. They hold groups in the order of
their ids, so that neither waits for the other, and in a statement of its own: the next one sees what the other did.
"""

from __future__ import annotations


def hold(groups: str) -> str:
    """Hold the groups whose ids a query tells."""
    return f"""
SELECT count(*) FROM (
    SELECT id FROM directory_group WHERE id = ANY(ARRAY({groups})) ORDER BY id FOR NO KEY UPDATE) AS held
"""  # noqa: S608 — built from constants only


def take_out(leaving: str, concerned: str, where: str) -> str:
    """Take members out of sets: those that ``leaving`` (a query) tells, from the sets that are ``concerned``.

    ``where`` says which row of ``leaving`` l is member m of set s. Each set is taken apart and hashed once, however
    many leave it; to look for each of them in it would be quadratic.
    """
    return f"""
WITH leaving AS MATERIALIZED ({leaving}
), remaining AS MATERIALIZED (
    SELECT s.id, array_agg(m.member_id) FILTER (WHERE l.member_id IS NULL) AS members
      FROM directory_memberset s
     CROSS JOIN LATERAL unnest(s.members) AS m (member_id)
      LEFT JOIN leaving l ON {where}
     WHERE {concerned}
     GROUP BY s.id HAVING count(l.member_id) > 0
), emptied AS (
    DELETE FROM directory_memberset s USING remaining r WHERE s.id = r.id AND r.members IS NULL
)
UPDATE directory_memberset s SET members = r.members FROM remaining r WHERE s.id = r.id AND r.members IS NOT NULL
"""  # noqa: S608 — built from constants only
