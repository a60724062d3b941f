"""What Active Directory said of an object is kept as it was written."""

from __future__ import annotations

from django.db import migrations

from provisioning.models.fields import WrittenJSONField


class Migration(migrations.Migration):
    """Rewrites the source objects, about 200 000 in ten seconds."""

    dependencies = [("provisioning", "0028_members_by_id")]

    operations = [
        migrations.AlterField("sourceobject", "attributes", WrittenJSONField(default=dict)),
        # Another type comes with its own way of storing (0015).
        migrations.RunSQL(
            "ALTER TABLE provisioning_sourceobject ALTER COLUMN attributes SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
