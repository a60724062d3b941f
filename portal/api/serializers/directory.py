"""The built-in cloud directory, read-only here: it is written by cycles."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from directory.models import Contact, Group, User
from provisioning.engine.principals import Standing

_SHARED = (
    "id",
    "immutable_id",
    "display_name",
    "mail",
    "attributes",
    "created_at",
    "updated_at",
    "deleted_at",
    "is_synchronized",
    "provisioning_errors",
)


class UserSerializer(serializers.ModelSerializer[User]):
    """A person's account."""

    class Meta:
        model = User
        fields = (*_SHARED, "user_principal_name", "department", "account_enabled", "manager_id")
        read_only_fields = fields


class GroupSerializer(serializers.ModelSerializer[Group]):
    """A group, without its members."""

    class Meta:
        model = Group
        fields = (*_SHARED, "description")
        read_only_fields = fields


class ContactSerializer(serializers.ModelSerializer[Contact]):
    """A person outside."""

    class Meta:
        model = Contact
        fields = (*_SHARED, "company", "manager_id")
        read_only_fields = fields


class AftermathSerializer(serializers.Serializer[Any]):
    """What came along with a restored object, and what cycles do with it from now on."""

    code = serializers.CharField()
    detail = serializers.CharField()
    memberships = serializers.IntegerField()


class MemberSerializer(serializers.Serializer[Any]):
    """One member of a group."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=("user", "group", "contact"))
    display_name = serializers.CharField(source="name")
    address = serializers.CharField()


class ForeignMemberSerializer(serializers.Serializer[Any]):
    """A foreign security principal in a group: whom it stands for, or why that one is no member."""

    object_guid = serializers.UUIDField(source="guid")
    sid = serializers.CharField()
    name = serializers.CharField()
    standing = serializers.ChoiceField(choices=[str(one) for one in Standing])
    sentence = serializers.CharField()
    target_id = serializers.CharField(allow_null=True)


class SummarySerializer(serializers.Serializer[dict[str, Any]]):
    """How much there is; large numbers are the database's estimate."""

    users = serializers.IntegerField()
    groups = serializers.IntegerField()
    contacts = serializers.IntegerField()
    memberships = serializers.IntegerField()
    is_exact = serializers.BooleanField()
