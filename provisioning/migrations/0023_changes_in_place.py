"""Changes are settled in place: half of each page is left free for the second version of the rows in the other half.

A batch settles all rows of a page in one transaction. Where their second versions fit beside them, no index is written.
"""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Sets a storage parameter; rows that are there are not rewritten."""

    dependencies = [("provisioning", "0022_told_in")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE provisioning_change SET (fillfactor = 50)",
            "ALTER TABLE provisioning_change RESET (fillfactor)",
        ),
    ]
