"""What the agent last said about AD: objects, memberships, and who was seen in a full read."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from provisioning.models.configuration import Configuration
from provisioning.models.fields import WrittenJSONField


class ObjectType(models.IntegerChoices):
    """The kinds of AD object that travel."""

    USER = 1, "user"
    GROUP = 2, "group"
    CONTACT = 3, "contact"


class SourceObject(models.Model):
    """One AD object as last reported, with what the mapping made of it.

    ``wanted`` holds the target attributes, ``create_only`` those that flow at creation alone; hashes are
    16-byte BLAKE2b digests of the canonical JSON. ``is_gone`` is a tombstone or a leave of scope.
    ``has_nulls`` is false where neither has an attribute that is null: to look for one takes long.
    ``reference_guids`` maps reference attributes (``Manager``) to the objectGUID they point at.
    ``state_changes_at`` is when its account expires: from then on it has to be mapped anew.
    ``sid`` is its objectSid, ``primary_group_sid`` that of its primary group where this may be in scope, both in
    base64; ``has_primary_members`` marks a group with derived members.
    ``told_in`` is the full read that told of it first: that one has seen it.
    ``is_dirty``, ``members_dirty`` and ``references_dirty`` mark what the next plan has to look at.
    """

    # Its index is that of the unique constraint; a check for each of a million rows is not worth having.
    configuration = models.ForeignKey(
        Configuration,
        on_delete=models.CASCADE,
        related_name="source_objects",
        db_index=False,
        db_constraint=False,
    )
    guid = models.UUIDField("objectGUID")
    object_type = models.PositiveSmallIntegerField(choices=ObjectType)
    dn = models.TextField("distinguished name")
    attributes = WrittenJSONField(default=dict)
    attributes_hash = models.BinaryField()
    in_scope = models.BooleanField(default=True)
    is_gone = models.BooleanField(default=False)
    gone_reason = models.CharField(max_length=20, blank=True)
    wanted = models.JSONField(default=dict)
    create_only = models.JSONField(default=dict)
    reference_guids = models.JSONField(default=dict)
    has_nulls = models.BooleanField(default=True, db_default=True)
    wanted_hash = models.BinaryField()
    error_code = models.CharField(max_length=80, blank=True)
    error_detail = models.TextField(blank=True)
    is_dirty = models.BooleanField(default=True)
    members_dirty = models.BooleanField(default=False)
    references_dirty = models.BooleanField(default=False)
    state_changes_at = models.DateTimeField(null=True)
    sid = models.TextField("objectSid", null=True)
    primary_group_sid = models.TextField(null=True)
    user_principal_name = models.TextField("userPrincipalName", null=True)
    has_primary_members = models.BooleanField(default=False, db_default=False)
    told_in = models.BigIntegerField(null=True, editable=False)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["configuration", "guid"], name="provisioning_source_guid")
        ]
        indexes = [
            models.Index(
                fields=["configuration", "state_changes_at"],
                name="provisioning_source_timer",
                condition=Q(state_changes_at__isnull=False),
            ),
            # Half the size of a B-tree, and its order is of no use.
            HashIndex(fields=["sid"], name="provisioning_source_sid", condition=Q(sid__isnull=False)),
            # People look an object up by one of these two, whatever the case (``iexact`` compares in capitals).
            HashIndex(Upper("dn"), name="provisioning_source_dn"),
            HashIndex(
                Upper("user_principal_name"),
                name="provisioning_source_upn",
                condition=Q(user_principal_name__isnull=False),
            ),
            models.Index(
                fields=["configuration", "id"],
                name="provisioning_source_primary",
                condition=Q(primary_group_sid__isnull=False),
            ),
            models.Index(
                fields=["configuration", "id"],
                name="provisioning_source_derived",
                condition=Q(has_primary_members=True),
            ),
            models.Index(
                fields=["configuration", "id"], name="provisioning_source_dirty", condition=Q(is_dirty=True)
            ),
            models.Index(
                fields=["configuration", "id"],
                name="provisioning_source_members",
                condition=Q(members_dirty=True),
            ),
            models.Index(
                fields=["configuration", "id"],
                name="provisioning_source_refs",
                condition=Q(references_dirty=True),
            ),
        ]

    def __str__(self) -> str:
        return self.dn


class SourceMemberSet(models.Model):
    """Some of the members of one group in AD, by objectGUID: they may be unknown to us, now or for ever.

    A set has at least one; a group has as many sets as it needs, and a member is in one of them.
    """

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(
        SourceObject, on_delete=models.CASCADE, related_name="member_sets", db_constraint=False
    )
    # Derived from the members' primary group; false where AD tells of them itself.
    is_primary = models.BooleanField(default=False, db_default=False)
    members = ArrayField(models.UUIDField())

    class Meta:
        indexes = [
            # A first read puts a million members in: they wait in a list, and are sorted in behind it all at once, by
            # autovacuum or by the first who looks for many.
            GinIndex(
                fields=["members"],
                name="provisioning_source_held",
                fastupdate=True,
                gin_pending_list_limit=65536,
            )
        ]

    def __str__(self) -> str:
        return f"{len(self.members)} members of {self.group_id}"


class SourceMember(models.Model):
    """One member of one group in AD: a view of the sets, for reading."""

    pk = models.CompositePrimaryKey("group_id", "member_guid")
    group = models.ForeignKey(
        SourceObject, on_delete=models.DO_NOTHING, related_name="members", db_index=False, db_constraint=False
    )
    member_guid = models.UUIDField()
    is_primary = models.BooleanField()

    class Meta:
        managed = False
        db_table = "provisioning_sourcemember"

    def __str__(self) -> str:
        return f"{self.member_guid} in {self.group_id}"


class ForeignPrincipal(models.Model):
    """An object of a domain that stands for somebody of another forest, known as a member of a group.

    ``sid`` is written as S-1-…; ``object_sid`` is the same as :attr:`SourceObject.sid`, and null where it is nobody's
    in particular (*Authenticated Users*).
    """

    configuration = models.ForeignKey(
        Configuration, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    guid = models.UUIDField("objectGUID")
    sid = models.TextField("SID")
    object_sid = models.TextField("objectSid", null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["configuration", "guid"], name="provisioning_foreign_guid")
        ]
        indexes = [HashIndex(fields=["object_sid"], name="provisioning_foreign_sid")]

    def __str__(self) -> str:
        return self.sid


class MissingReference(models.Model):
    """An object refers to one that is not in the target: it is looked at again when that one appears there."""

    pk = models.CompositePrimaryKey("source_id", "guid")
    source = models.ForeignKey(
        SourceObject, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    guid = models.UUIDField(db_index=True)

    def __str__(self) -> str:
        return f"{self.source_id} waits for {self.guid}"


class ScopeKind(models.TextChoices):
    """What limits a scope."""

    CONTAINER = "container", "Container"
    GROUP = "group", "Group"


class ScopeName(models.Model):
    """A container or group that a scope is, or can be, limited to, and where it is.

    ``told_in`` is the cycle in which agents last told of it; null for one that was only looked up: where it lies
    among the stored objects is then not certain.
    """

    pk = models.CompositePrimaryKey("configuration_id", "guid")
    configuration = models.ForeignKey(
        Configuration, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    guid = models.UUIDField("objectGUID")
    kind = models.CharField(max_length=10, choices=ScopeKind)
    dn = models.TextField("distinguished name")
    told_in = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return self.dn


class SeenObject(models.Model):
    """A known object seen in a full read that is under way; what was not seen by its end is gone."""

    pk = models.CompositePrimaryKey("cycle_id", "guid")
    cycle_id = models.BigIntegerField()
    guid = models.UUIDField()

    def __str__(self) -> str:
        return str(self.guid)


class Arrival(models.Model):
    """A group that holds somebody who has arrived in the target from another domain of the forest."""

    configuration = models.ForeignKey(
        Configuration, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    group_id = models.BigIntegerField()

    class Meta:
        db_table = "provisioning_arrival"

    def __str__(self) -> str:
        return f"somebody of {self.group_id}"
