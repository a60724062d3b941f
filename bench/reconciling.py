"""A full reconciliation of the directory: with nothing to find, and with about a thousand things to repair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from lab.errors import LabError
from lab.portal_client import PortalClient, wait_for

_PATIENCE_S: Final = 600.0
# Drift as it comes: in an order of their own, so that it is spread over all rows. Each takes other users.
_DRIFT: Final = (
    """UPDATE directory_user SET attributes = attributes || '{"Department": "Elsewhere"}'
        WHERE id IN (SELECT id FROM directory_user ORDER BY id LIMIT 400)""",
    """UPDATE directory_user SET deleted_at = now()
        WHERE id IN (SELECT id FROM directory_user ORDER BY id OFFSET 400 LIMIT 200)""",
    """WITH vanished AS (
           DELETE FROM directory_user
            WHERE id IN (SELECT id FROM directory_user ORDER BY id OFFSET 600 LIMIT 100) RETURNING id)
       UPDATE directory_memberset
          SET members = ARRAY(SELECT unnest(members) EXCEPT SELECT id FROM vanished)
        WHERE members && ARRAY(SELECT id FROM vanished)""",
    """UPDATE directory_user SET manager_id = id
        WHERE id IN (SELECT id FROM directory_user WHERE manager_id IS NOT NULL ORDER BY id OFFSET 600 LIMIT 100)""",
    """WITH last AS MATERIALIZED (
           SELECT group_id, array_agg(member_id) AS members
             FROM (SELECT group_id, member_id FROM directory_membership ORDER BY member_id DESC LIMIT 200) AS ended
            GROUP BY group_id)
       UPDATE directory_memberset s
          SET members = ARRAY(SELECT unnest(s.members) EXCEPT SELECT unnest(l.members))
         FROM last l WHERE s.group_id = l.group_id AND s.members && l.members""",
)


@dataclass(frozen=True)
class Reconciled:
    """Seconds from the asking to the end, and how many differences were found and repaired."""

    clean_s: float
    repair_s: float
    repaired: int


def measure(dsn: str, client: PortalClient) -> Reconciled:
    """A report without drift, drift, its repair; LabError unless a last report finds nothing."""
    [configuration] = client.all("configurations/")
    clean = _run(client, configuration["id"], "report")
    _expect_nothing(clean)
    _drift(dsn)
    repaired = _run(client, configuration["id"], "repair")
    _expect_nothing(_run(client, configuration["id"], "report"))
    return Reconciled(_seconds(clean), _seconds(repaired), repaired["total"])


def _run(client: PortalClient, configuration: str, mode: str) -> dict[str, Any]:
    asked = client.post(f"configurations/{configuration}/reconcile", {"mode": mode})

    def ended() -> dict[str, Any] | None:
        run = client.get(f"reconciliations/{asked['id']}")
        return run if run["ended_at"] else None

    run: dict[str, Any] = wait_for(ended, "The end of the reconciliation", seconds=_PATIENCE_S)
    if run["state"] != "done":
        raise LabError("LabCommandFailed", f"The {mode} ended as {run['state']}: {run['error_detail']}")
    return run


def _drift(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        for statement in _DRIFT:
            connection.execute(statement)


def _expect_nothing(run: dict[str, Any]) -> None:
    if run["total"]:
        raise LabError("LabCommandFailed", f"The target should be as it was exported: {run['counts']}")


def _seconds(run: dict[str, Any]) -> float:
    return (datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["asked_at"])).total_seconds()
