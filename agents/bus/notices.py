"""Wake-up calls between processes: one PostgreSQL channel, the payload names whom to wake."""

from __future__ import annotations

import uuid
from typing import Final

from django.db import connection

CHANNEL: Final = "isthmus_bus"


def wake(key: uuid.UUID) -> None:
    """Wake whoever waits for this domain or as this agent, once the caller's transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(key)])
