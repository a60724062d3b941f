"""Memberships are written by the million: no foreign key checks, and the primary key serves as the group's index."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Lightens the table of memberships."""

    dependencies = [("directory", "0001_initial")]

    operations = [
        migrations.AlterField(
            "membership",
            "group",
            models.ForeignKey(
                to="directory.group",
                related_name="memberships",
                on_delete=django.db.models.deletion.CASCADE,
                db_constraint=False,
                db_index=False,
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE directory_user ALTER COLUMN attributes SET STATISTICS 0;"
            "ALTER TABLE directory_group ALTER COLUMN attributes SET STATISTICS 0",
            "ALTER TABLE directory_user ALTER COLUMN attributes SET STATISTICS -1;"
            "ALTER TABLE directory_group ALTER COLUMN attributes SET STATISTICS -1",
        ),
    ]
