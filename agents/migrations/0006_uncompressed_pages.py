"""Pages come compressed: to try it again costs time and gains nothing."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("agents", "0005_tokens_for_entra_accounts")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE agents_buspage ALTER COLUMN body SET STORAGE EXTERNAL",
            "ALTER TABLE agents_buspage ALTER COLUMN body SET STORAGE EXTENDED",
        )
    ]
