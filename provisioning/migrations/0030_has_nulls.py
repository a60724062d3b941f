"""Source objects know whether what is wanted of them holds a null."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds a column with a default, which rewrites nothing: of what is there it is not known."""

    dependencies = [("provisioning", "0029_attributes_as_written")]

    operations = [
        migrations.AddField("sourceobject", "has_nulls", models.BooleanField(default=True, db_default=True)),
    ]
