"""Undo: a kind of cycle of its own, and what it needs to know of the cycle it takes back."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

STATUSES = [
    ("planned", "Planned"),
    ("applied", "Applied"),
    ("failed", "Failed"),
    ("skipped", "Left alone"),
]


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0017_missing_references")]

    operations = [
        # Cycles that are there ran without keeping traces.
        migrations.AddField(
            model_name="cycle",
            name="keeps_traces",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AlterField(
            model_name="cycle",
            name="keeps_traces",
            field=models.BooleanField(default=True, editable=False),
        ),
        migrations.AddField(
            model_name="cycle",
            name="undoes",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="undone_by",
                to="provisioning.cycle",
            ),
        ),
        migrations.AlterField(
            model_name="cycle",
            name="kind",
            field=models.CharField(
                choices=[
                    ("initial", "Initial"),
                    ("delta", "Delta"),
                    ("on_demand", "On demand"),
                    ("undo", "Undo"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="change",
            name="status",
            field=models.CharField(choices=STATUSES, default="planned", max_length=10),
        ),
        migrations.AlterField(
            model_name="memberchange",
            name="status",
            field=models.CharField(choices=STATUSES, default="planned", max_length=10),
        ),
    ]
