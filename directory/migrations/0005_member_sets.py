"""Memberships are kept as sets, up to a thousand members in a row; the table of single ones becomes a view of them."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

_KINDS = [(1, "User"), (2, "Group"), (3, "Contact")]
_FILL = """
INSERT INTO directory_memberset (group_id, member_kind, members)
SELECT group_id, member_kind, array_agg(member_id ORDER BY member_id)
  FROM (SELECT group_id, member_kind, member_id,
               (row_number() OVER (PARTITION BY group_id, member_kind ORDER BY member_id) - 1) / 1000 AS part
          FROM directory_membership) AS numbered
 GROUP BY group_id, member_kind, part
 ORDER BY group_id
"""
# Ids can not be compressed.
_PLAIN = "ALTER TABLE directory_memberset ALTER COLUMN members SET STORAGE EXTERNAL"
# Joined, so that the planner sees through it: a set is found by its group in any statement.
_VIEW = """
DROP TABLE directory_membership;
CREATE VIEW directory_membership AS
SELECT s.group_id, m.member_id, s.member_kind
  FROM directory_memberset s CROSS JOIN LATERAL unnest(s.members) AS m (member_id)
"""
_TABLE = """
DROP VIEW directory_membership;
CREATE TABLE directory_membership (
    group_id uuid NOT NULL, member_id uuid NOT NULL, member_kind smallint NOT NULL CHECK (member_kind >= 0));
INSERT INTO directory_membership (group_id, member_id, member_kind)
SELECT s.group_id, m.member_id, s.member_kind
  FROM directory_memberset s CROSS JOIN LATERAL unnest(s.members) AS m (member_id)
 ORDER BY 1;
ALTER TABLE directory_membership ADD PRIMARY KEY (group_id, member_id);
CREATE INDEX directory_membership_member_id ON directory_membership (member_id)
"""


class Migration(migrations.Migration):
    """Puts the rows together."""

    dependencies = [("directory", "0004_matching")]

    operations = [
        migrations.CreateModel(
            "MemberSet",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "group",
                    models.ForeignKey(
                        to="directory.group",
                        related_name="member_sets",
                        on_delete=django.db.models.deletion.CASCADE,
                        db_constraint=False,
                    ),
                ),
                ("member_kind", models.PositiveSmallIntegerField(choices=_KINDS)),
                (
                    "members",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None),
                ),
            ],
        ),
        migrations.RunSQL(_PLAIN, migrations.RunSQL.noop),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "memberset",
            django.contrib.postgres.indexes.GinIndex(
                fields=["members"],
                fastupdate=True,
                gin_pending_list_limit=65_536,
                name="directory_memberset_members",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_VIEW, _TABLE)],
            state_operations=[
                migrations.AlterModelOptions("membership", {"managed": False}),
                migrations.AlterField(
                    "membership",
                    "group",
                    models.ForeignKey(
                        to="directory.group",
                        related_name="memberships",
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                migrations.AlterField("membership", "member_id", models.UUIDField()),
                migrations.AlterModelTable("membership", "directory_membership"),
            ],
        ),
    ]
