"""Forgetting what a configuration's jobs know, set-based."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import connection

from provisioning.store import logs

_ESCROWS: Final = "DELETE FROM provisioning_escrow WHERE configuration_id = %s"
# In the order of who refers to whom.
_KNOWN_OBJECTS: Final = (
    "DELETE FROM provisioning_linkmemberset t USING provisioning_sourceobject s"
    " WHERE s.id = t.group_id AND s.configuration_id = %s",
    "DELETE FROM provisioning_sourcememberset t USING provisioning_sourceobject s"
    " WHERE s.id = t.group_id AND s.configuration_id = %s",
    "DELETE FROM provisioning_missingreference t USING provisioning_sourceobject s"
    " WHERE s.id = t.source_id AND s.configuration_id = %s",
    "DELETE FROM provisioning_foreignprincipal WHERE configuration_id = %s",
    "DELETE FROM provisioning_arrival WHERE configuration_id = %s",
    _ESCROWS,
    "DELETE FROM provisioning_link WHERE configuration_id = %s",
    "DELETE FROM provisioning_sourceobject WHERE configuration_id = %s",
)


def forget_escrows(configuration: UUID) -> None:
    """Every object that failed is tried again at once."""
    _run((_ESCROWS,), configuration)


def forget_objects(configuration: UUID) -> None:
    """Source objects, memberships, links and escrow; the log and what was written to the target stay there."""
    logs.keep_member_names(configuration)
    _run(_KNOWN_OBJECTS, configuration)


def _run(statements: tuple[str, ...], configuration: UUID) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, [configuration])
