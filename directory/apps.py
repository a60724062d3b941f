"""The built-in cloud directory as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """Users, groups, contacts and memberships in the cloud."""

    name = "directory"
    verbose_name = "Cloud directory"
    default_auto_field = "django.db.models.BigAutoField"
