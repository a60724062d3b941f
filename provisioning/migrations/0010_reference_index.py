"""Finds the holders of references to an object that was deleted."""

from __future__ import annotations

from django.db import migrations

# An expression over every reference attribute: the mapping says which there are.
_CREATE = """
CREATE INDEX provisioning_link_references ON provisioning_link
 USING gin (jsonb_path_query_array(reference_guids, '$.*')) WHERE reference_guids <> '{}'
"""


class Migration(migrations.Migration):
    """Adds the index that :mod:`provisioning.store.changes` names."""

    dependencies = [("provisioning", "0009_skip_out_of_scope")]

    operations = [migrations.RunSQL(_CREATE, "DROP INDEX provisioning_link_references")]
