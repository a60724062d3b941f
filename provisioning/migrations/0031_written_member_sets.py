"""Memberships that we wrote, kept as sets; what lists them one by one becomes a view."""

from __future__ import annotations

from typing import Final

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

# The view is a join, so that the planner sees through it: sets are found by their group in any statement.
_FILL: Final = """
INSERT INTO provisioning_linkmemberset (group_id, members)
SELECT group_id, array_agg(member_id ORDER BY member_id)
  FROM (SELECT *, (row_number() OVER (PARTITION BY group_id ORDER BY member_id) - 1) / 1000 AS part
          FROM provisioning_linkmember) AS numbered
 GROUP BY group_id, part ORDER BY group_id, part;
DROP TABLE provisioning_linkmember;
CREATE VIEW provisioning_linkmember AS
SELECT s.group_id, m.member_id FROM provisioning_linkmemberset s CROSS JOIN LATERAL unnest(s.members) AS m (member_id)
"""
_EMPTY: Final = """
DROP VIEW provisioning_linkmember;
CREATE TABLE provisioning_linkmember (
    group_id bigint NOT NULL, member_id bigint NOT NULL, PRIMARY KEY (group_id, member_id));
CREATE INDEX provisioning_linkmember_member_id_57fdadac ON provisioning_linkmember (member_id);
INSERT INTO provisioning_linkmember SELECT group_id, unnest(members) FROM provisioning_linkmemberset ORDER BY 1, 2
"""


# What is gone after minutes is not worth compressing.
_PLAIN: Final = "ALTER TABLE provisioning_groupfill ALTER COLUMN members SET STORAGE EXTERNAL"
_COMPRESSED: Final = "ALTER TABLE provisioning_groupfill ALTER COLUMN members SET STORAGE EXTENDED"


class Migration(migrations.Migration):
    """Fills the sets from the rows, or the rows from the sets."""

    dependencies = [("provisioning", "0030_has_nulls")]

    operations = [
        migrations.RunSQL(_PLAIN, _COMPRESSED),
        migrations.CreateModel(
            name="LinkMemberSet",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("members", django.contrib.postgres.fields.ArrayField(models.BigIntegerField())),
                (
                    "group",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="provisioning.sourceobject",
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=True,
                        fields=["members"],
                        gin_pending_list_limit=65536,
                        name="provisioning_linkmemberset_gin",
                    )
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_FILL, _EMPTY)],
            state_operations=[
                migrations.DeleteModel(name="LinkMember"),
                migrations.CreateModel(
                    name="LinkMember",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "group_id",
                                "member_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                    ],
                    options={"db_table": "provisioning_linkmember", "managed": False},
                ),
            ],
        ),
    ]
