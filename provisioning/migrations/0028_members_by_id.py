"""Members of a group that a cycle created, in the log by the ids of their source objects."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Adds a column; rows that are there keep the names of their members."""

    dependencies = [("provisioning", "0027_created_references")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE provisioning_log ADD COLUMN members bigint[]",
            "ALTER TABLE provisioning_log DROP COLUMN members",
        ),
    ]
