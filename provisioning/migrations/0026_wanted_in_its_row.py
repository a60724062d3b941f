"""Of a source object's documents the one that is written to the target stays in its row.

A row that grows beyond 2 kB gave away the larger one of what was read and what is wanted. Whoever plans and writes
needs only the latter, and found it in another table, row by row.
"""

from __future__ import annotations

from django.db import migrations


def _storage(kind: str) -> str:
    return f"ALTER TABLE provisioning_sourceobject ALTER COLUMN wanted SET STORAGE {kind}"


class Migration(migrations.Migration):
    """Sets a storage parameter; rows that are there are not rewritten."""

    dependencies = [("provisioning", "0025_unmarked")]

    operations = [migrations.RunSQL(_storage("MAIN"), _storage("EXTERNAL"))]
