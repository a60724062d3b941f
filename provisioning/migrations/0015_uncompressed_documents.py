"""Documents of an object are not compressed: that takes longer than writing them.

A row that grows beyond 2 kB gives its largest document away, so that marking the object copies a narrow row.
"""

from __future__ import annotations

from django.db import migrations

_DOCUMENTS = ("attributes", "wanted", "create_only")


def _storage(kind: str) -> str:
    return "; ".join(
        f"ALTER TABLE provisioning_sourceobject ALTER COLUMN {name} SET STORAGE {kind}" for name in _DOCUMENTS
    )


class Migration(migrations.Migration):
    """Sets a storage parameter; rows that are there are not rewritten."""

    dependencies = [("provisioning", "0014_on_demand")]

    operations = [migrations.RunSQL(_storage("EXTERNAL"), _storage("EXTENDED"))]
