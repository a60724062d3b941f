"""Every installation has the built-in directory; a first configuration must not have to make its target."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def create(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    target = apps.get_model("provisioning", "Target")
    if not target.objects.filter(kind="directory").exists():
        target.objects.create(name="Cloud directory", kind="directory")


class Migration(migrations.Migration):
    """Creates the target of the built-in directory."""

    dependencies = [("provisioning", "0003_escrow")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
