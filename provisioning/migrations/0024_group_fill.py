"""Members of groups that a cycle creates, in one row for each group and type of member."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0023_changes_in_place")]

    operations = [
        migrations.CreateModel(
            name="GroupFill",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "cycle_id",
                        "batch",
                        "group_id",
                        "member_type",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("batch", models.PositiveIntegerField()),
                ("group_id", models.BigIntegerField()),
                (
                    "member_type",
                    models.PositiveSmallIntegerField(choices=[(1, "user"), (2, "group"), (3, "contact")]),
                ),
                (
                    "members",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "cycle",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="group_fills",
                        to="provisioning.cycle",
                    ),
                ),
            ],
        ),
    ]
