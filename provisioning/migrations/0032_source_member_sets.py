"""Members that Active Directory tells of are kept as sets; the table of single ones becomes a view of them."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

_FILL = """
INSERT INTO provisioning_sourcememberset (group_id, is_primary, members)
SELECT group_id, is_primary, array_agg(member_guid ORDER BY member_guid)
  FROM (SELECT *, (row_number() OVER (PARTITION BY group_id, is_primary ORDER BY member_guid) - 1) / 1000 AS part
          FROM provisioning_sourcemember) m
 GROUP BY group_id, is_primary, part
"""
_VIEW = """
DROP TABLE provisioning_sourcemember;
CREATE VIEW provisioning_sourcemember AS
SELECT s.group_id, m.member_guid, s.is_primary
  FROM provisioning_sourcememberset s CROSS JOIN LATERAL unnest(s.members) AS m (member_guid)
"""
_TABLE = """
DROP VIEW provisioning_sourcemember;
CREATE TABLE provisioning_sourcemember (
    group_id bigint NOT NULL, member_guid uuid NOT NULL, is_primary boolean DEFAULT false NOT NULL
);
INSERT INTO provisioning_sourcemember (group_id, member_guid, is_primary)
SELECT group_id, unnest(members), is_primary FROM provisioning_sourcememberset ORDER BY 1, 2;
ALTER TABLE provisioning_sourcemember
  ADD CONSTRAINT provisioning_sourcemember_pkey PRIMARY KEY (group_id, member_guid);
CREATE INDEX provisioning_sourcemember_member_guid_c425c529 ON provisioning_sourcemember (member_guid)
"""
# Nothing is planned by them, and to collect them from long arrays takes the server seconds.
_NO_STATISTICS = "ALTER TABLE provisioning_sourcememberset ALTER COLUMN members SET STATISTICS 0"


class Migration(migrations.Migration):
    """Copies the memberships, about 1 000 000 in five seconds."""

    dependencies = [("provisioning", "0031_written_member_sets")]

    operations = [
        migrations.CreateModel(
            "SourceMemberSet",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("is_primary", models.BooleanField(default=False, db_default=False)),
                ("members", django.contrib.postgres.fields.ArrayField(models.UUIDField(), size=None)),
                (
                    "group",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="member_sets",
                        to="provisioning.sourceobject",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(_NO_STATISTICS, migrations.RunSQL.noop),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "SourceMemberSet",
            django.contrib.postgres.indexes.GinIndex(
                fields=["members"],
                name="provisioning_source_held",
                fastupdate=True,
                gin_pending_list_limit=65536,
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_VIEW, _TABLE)],
            state_operations=[
                migrations.DeleteModel("SourceMember"),
                migrations.CreateModel(
                    "SourceMember",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "group_id",
                                "member_guid",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("member_guid", models.UUIDField()),
                        ("is_primary", models.BooleanField()),
                        (
                            "group",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="members",
                                to="provisioning.sourceobject",
                            ),
                        ),
                    ],
                    options={"db_table": "provisioning_sourcemember", "managed": False},
                ),
            ],
        ),
    ]
