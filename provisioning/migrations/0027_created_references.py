"""References that were written with a creation, beside its attributes in the log."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Adds a column; rows that are there keep their references among the attributes."""

    dependencies = [("provisioning", "0026_wanted_in_its_row")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE provisioning_log ADD COLUMN created_references jsonb",
            "ALTER TABLE provisioning_log DROP COLUMN created_references",
        ),
    ]
