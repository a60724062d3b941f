"""A source object stays in one row up to half a page.

Most rows are a little over 2 kB, and gave what Active Directory said to another table: one more row and one more index
entry for each. That had kept the marking of an object narrow; a first cycle marks none any more.
"""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Sets a storage parameter; rows that are there are not rewritten."""

    dependencies = [("provisioning", "0030_has_nulls")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE provisioning_sourceobject SET (toast_tuple_target = 4080)",
            "ALTER TABLE provisioning_sourceobject RESET (toast_tuple_target)",
        ),
    ]
