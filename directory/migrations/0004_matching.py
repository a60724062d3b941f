"""Who made an object, parked values, and one owner for each primary SMTP address."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import F, Func, Q

_KINDS = ("user", "group", "contact")
_FUNCTION = """
CREATE FUNCTION directory_primary_smtp(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(substr(
        jsonb_path_query_first(document, '$.ProxyAddresses[*] ? (@ starts with "SMTP:")') #>> '{}', 6))
$$
"""
# What is there was synchronized, apart from objects without a source anchor.
_MADE_IN_THE_CLOUD = "UPDATE directory_{kind} SET is_synchronized = false WHERE immutable_id IS NULL"
# Of several objects with one address the oldest keeps it; from the others it is parked.
_PARK = """
UPDATE directory_{kind} o
   SET provisioning_errors = jsonb_build_array(jsonb_build_object(
           'category', 'PropertyConflict', 'occurredDateTime', now(), 'propertyCausingError', 'ProxyAddresses',
           'value', (SELECT a FROM jsonb_array_elements_text(o.attributes->'ProxyAddresses') a
                      WHERE a LIKE 'SMTP:%' LIMIT 1))),
       attributes = jsonb_set(o.attributes, '{{ProxyAddresses}}', coalesce(
           (SELECT jsonb_agg(a) FROM jsonb_array_elements_text(o.attributes->'ProxyAddresses') a
             WHERE a NOT LIKE 'SMTP:%'), '[]'))
 WHERE o.id IN (SELECT id FROM (
       SELECT id, row_number() OVER (
              PARTITION BY directory_primary_smtp(attributes) ORDER BY created_at, id) AS position
         FROM directory_{kind} WHERE deleted_at IS NULL AND directory_primary_smtp(attributes) IS NOT NULL
       ) ranked WHERE position > 1)
"""


def _primary_smtp() -> models.GeneratedField:
    expression = Func(F("attributes"), function="directory_primary_smtp", output_field=models.TextField())
    return models.GeneratedField(
        expression=expression, output_field=models.TextField(), db_persist=True, null=True
    )


def _columns(kind: str) -> list[migrations.operations.base.Operation]:
    return [
        # With a default the column comes without rewriting the table; then the default changes.
        migrations.AddField(kind, "is_synchronized", models.BooleanField(default=True, db_default=True)),
        migrations.AlterField(kind, "is_synchronized", models.BooleanField(default=False, db_default=False)),
        migrations.AddField(kind, "provisioning_errors", models.JSONField(null=True, blank=True)),
        migrations.RunSQL(_MADE_IN_THE_CLOUD.format(kind=kind), migrations.RunSQL.noop),
        migrations.RunSQL(_PARK.format(kind=kind), migrations.RunSQL.noop),
        migrations.AddField(kind, "primary_smtp", _primary_smtp()),
        migrations.AddConstraint(
            kind,
            models.UniqueConstraint(
                fields=["primary_smtp"],
                name=f"directory_{kind}_smtp",
                condition=Q(deleted_at__isnull=True, primary_smtp__isnull=False),
            ),
        ),
        migrations.AddIndex(
            kind,
            models.Index(
                fields=["id"],
                name=f"directory_{kind}_parked",
                condition=Q(provisioning_errors__isnull=False),
            ),
        ),
    ]


class Migration(migrations.Migration):
    """Adds columns and indexes for matching."""

    dependencies = [("directory", "0003_contact_manager")]

    operations = [
        migrations.RunSQL(_FUNCTION, "DROP FUNCTION directory_primary_smtp(jsonb)"),
        *(operation for kind in _KINDS for operation in _columns(kind)),
    ]
