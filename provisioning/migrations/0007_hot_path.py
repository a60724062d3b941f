"""Rows written by the hundred thousand: no foreign key checks, no index twice, no statistics of documents.

The checks and the second indexes cost more than the rows themselves; statistics of JSON documents cost much
and no query here is planned by them.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

_DOCUMENTS = {
    "provisioning_sourceobject": ("attributes", "wanted", "create_only", "reference_guids"),
    "provisioning_link": ("exported", "reference_guids"),
    "provisioning_change": ("old", "new"),
}


def _set_statistics(target: int) -> str:
    return "; ".join(
        f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {target}"
        for table, columns in _DOCUMENTS.items()
        for column in columns
    )


def _bare(to: str, related_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        to=to,
        related_name=related_name,
        on_delete=django.db.models.deletion.CASCADE,
        db_constraint=False,
        db_index=False,
    )


class Migration(migrations.Migration):
    """Lightens the tables of the hot path."""

    dependencies = [("provisioning", "0006_quarantine")]

    operations = [
        migrations.AlterField("change", "cycle", _bare("provisioning.cycle", "changes")),
        migrations.AlterField("memberchange", "cycle", _bare("provisioning.cycle", "member_changes")),
        migrations.AlterField("link", "configuration", _bare("provisioning.configuration", "links")),
        migrations.AlterField(
            "sourceobject", "configuration", _bare("provisioning.configuration", "source_objects")
        ),
        migrations.RunSQL(_set_statistics(0), _set_statistics(-1)),
    ]
