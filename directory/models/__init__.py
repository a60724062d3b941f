"""Tables of the built-in cloud directory."""

from __future__ import annotations

from directory.models.membership import MemberSet, Membership
from directory.models.objects import Contact, DirectoryObject, Group, User

__all__ = ["Contact", "DirectoryObject", "Group", "MemberSet", "Membership", "User"]
