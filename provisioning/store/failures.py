"""What a cycle came to, counted for the quarantine."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from provisioning.engine.quarantine import Failures

_OF_CYCLE = """
SELECT count(*) FILTER (WHERE kind <> 'reference' AND status = 'applied'),
       count(*) FILTER (WHERE kind <> 'reference' AND status = 'failed'),
       count(*) FILTER (WHERE kind = 'reference' AND status = 'failed')
  FROM provisioning_change WHERE cycle_id = %s
"""
_MEMBERSHIPS = "SELECT count(*) FROM provisioning_memberchange WHERE cycle_id = %s AND status = 'failed'"
_IN_ESCROW = "SELECT count(*) FROM provisioning_escrow WHERE configuration_id = %s AND retry_at IS NOT NULL"


def of_cycle(configuration: UUID, cycle: int) -> Failures:
    """Successes and failures of a cycle; memberships are references. What was given up does not count."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_CYCLE, [cycle])
        succeeded, failed, references = cursor.fetchone()
        cursor.execute(_MEMBERSHIPS, [cycle])
        references += cursor.fetchone()[0]
        cursor.execute(_IN_ESCROW, [configuration])
        return Failures(succeeded, failed, references, cursor.fetchone()[0])
