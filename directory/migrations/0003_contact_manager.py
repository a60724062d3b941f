"""Contacts are found by their manager when that is deleted."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the index."""

    dependencies = [("directory", "0002_memberships")]

    operations = [
        migrations.AlterField(
            "contact", "manager_id", models.UUIDField(null=True, blank=True, db_index=True)
        ),
    ]
