"""Users, groups and contacts. The attribute document is the truth; columns are generated from it.

A generated column can not drift from the document, and bulk writes need to carry the document only.
Attribute names are those of the synchronization schema (``UserPrincipalName``, ``DisplayName`` …).
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Func, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Lower


def _one_owner(kind: str) -> models.UniqueConstraint:
    """A primary SMTP address belongs to one object that is not deleted; most objects have none."""
    return models.UniqueConstraint(
        fields=["primary_smtp"],
        name=f"directory_{kind}_smtp",
        condition=Q(deleted_at__isnull=True, primary_smtp__isnull=False),
    )


def _text(attribute: str) -> models.GeneratedField:
    # Null where the document has no such attribute: a generated column can hold nothing else.
    return models.GeneratedField(
        expression=KT(f"attributes__{attribute}"), output_field=models.TextField(), db_persist=True, null=True
    )


class DirectoryObject(models.Model):
    """What users, groups and contacts share: identity, source anchor, attributes, and soft deletion.

    ``immutable_id`` is the base64 source anchor; empty for objects that were not synchronized.
    ``deleted_at`` marks a soft-deleted object, restorable for 30 days. ``is_synchronized`` tells an object that
    synchronization made or took over from one that was made in the cloud. ``provisioning_errors`` lists values that
    another object holds (Graph's onPremisesProvisioningErrors); null for nearly all.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    immutable_id = models.TextField(null=True, blank=True)
    attributes = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    is_synchronized = models.BooleanField(default=False, db_default=False)
    provisioning_errors = models.JSONField(null=True, blank=True)
    # In lower case; the SQL function finds the address that is marked with "SMTP:" among ProxyAddresses.
    primary_smtp = models.GeneratedField(
        expression=Func(F("attributes"), function="directory_primary_smtp", output_field=models.TextField()),
        output_field=models.TextField(),
        db_persist=True,
        null=True,
    )

    class Meta:
        abstract = True


class User(DirectoryObject):
    """A person's account in the cloud."""

    user_principal_name = _text("UserPrincipalName")
    display_name = _text("DisplayName")
    mail = _text("Mail")
    department = _text("Department")
    account_enabled = models.GeneratedField(
        expression=Cast(KT("attributes__AccountEnabled"), models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
        null=True,
    )
    manager_id = models.UUIDField(null=True, blank=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["immutable_id"], name="directory_user_anchor"),
            models.UniqueConstraint(
                Lower("user_principal_name"), name="directory_user_upn", condition=Q(deleted_at__isnull=True)
            ),
            _one_owner("user"),
        ]
        indexes = [
            models.Index(Lower("display_name"), "id", name="directory_user_name"),
            models.Index(
                fields=["deleted_at"], name="directory_user_bin", condition=Q(deleted_at__isnull=False)
            ),
            models.Index(
                fields=["id"], name="directory_user_parked", condition=Q(provisioning_errors__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.user_principal_name or self.display_name or self.id)


class Group(DirectoryObject):
    """A group in the cloud."""

    display_name = _text("DisplayName")
    mail = _text("Mail")
    description = _text("Description")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["immutable_id"], name="directory_group_anchor"),
            _one_owner("group"),
        ]
        indexes = [
            models.Index(Lower("display_name"), "id", name="directory_group_name"),
            models.Index(
                fields=["deleted_at"], name="directory_group_bin", condition=Q(deleted_at__isnull=False)
            ),
            models.Index(
                fields=["id"], name="directory_group_parked", condition=Q(provisioning_errors__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.display_name or self.id)


class Contact(DirectoryObject):
    """A person outside, known by an address."""

    display_name = _text("DisplayName")
    mail = _text("Mail")
    company = _text("Company")
    manager_id = models.UUIDField(null=True, blank=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["immutable_id"], name="directory_contact_anchor"),
            _one_owner("contact"),
        ]
        indexes = [
            models.Index(Lower("display_name"), "id", name="directory_contact_name"),
            models.Index(
                fields=["deleted_at"], name="directory_contact_bin", condition=Q(deleted_at__isnull=False)
            ),
            models.Index(
                fields=["id"], name="directory_contact_parked", condition=Q(provisioning_errors__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.display_name or self.id)
