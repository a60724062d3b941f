"""Source objects are found by the names that people know them by; what AD said of them is a plain text.

Sets of members are not compressed, like documents (0015): that takes longer than writing them.
"""

from __future__ import annotations

import django.contrib.postgres.indexes
import django.db.models.functions
from django.db import migrations, models

_MEMBERS = ("linkmemberset", "sourcememberset", "groupfill", "log")
# A new database has them as text since 0029.
_FILL = """
UPDATE provisioning_sourceobject SET user_principal_name = attributes::json->>'userPrincipalName'
 WHERE attributes::json->>'userPrincipalName' IS NOT NULL
"""
# Rewrites the table, and with it what the statement before has left behind.
_AS_TEXT = """
ALTER TABLE provisioning_sourceobject ALTER COLUMN attributes TYPE text USING attributes::text,
      ALTER COLUMN attributes SET STORAGE EXTERNAL
"""
_AS_JSON = """
ALTER TABLE provisioning_sourceobject ALTER COLUMN attributes TYPE json USING attributes::json,
      ALTER COLUMN attributes SET STORAGE EXTERNAL
"""


def _storage(kind: str) -> str:
    return "; ".join(
        f"ALTER TABLE provisioning_{table} ALTER COLUMN members SET STORAGE {kind}" for table in _MEMBERS
    )


class Migration(migrations.Migration):
    """Rewrites the source objects, about 200 000 in ten seconds."""

    dependencies = [("provisioning", "0032_source_member_sets")]

    operations = [
        migrations.AddField(
            "sourceobject", "user_principal_name", models.TextField("userPrincipalName", null=True)
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.RunSQL(_AS_TEXT, _AS_JSON),
        migrations.RunSQL(_storage("EXTERNAL"), _storage("EXTENDED")),
        migrations.AddIndex(
            "sourceobject",
            django.contrib.postgres.indexes.HashIndex(
                django.db.models.functions.Upper("dn"), name="provisioning_source_dn"
            ),
        ),
        migrations.AddIndex(
            "sourceobject",
            django.contrib.postgres.indexes.HashIndex(
                django.db.models.functions.Upper("user_principal_name"),
                name="provisioning_source_upn",
                condition=models.Q(user_principal_name__isnull=False),
            ),
        ),
    ]
