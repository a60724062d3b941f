"""The people who use this console, their roles and their API tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from rest_framework.authtoken.models import TokenProxy

from portal.console.base import ConsoleAdmin, ReadOnlyAdmin
from portal.console.site import site

if TYPE_CHECKING:
    # Unfold publishes no types; its forms are Django's with another look.
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    AnyUserAdmin = BaseUserAdmin[User]
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    AnyUserAdmin = BaseUserAdmin


@admin.register(User, site=site)
class AdministratorAdmin(AnyUserAdmin, ConsoleAdmin[User]):
    """Accounts of this console."""

    form = UserChangeForm  # type: ignore[assignment]  # generic in the stubs only
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group, site=site)
class RoleAdmin(BaseGroupAdmin, ConsoleAdmin[Group]):
    """Roles: sets of permissions."""


@admin.register(TokenProxy, site=site)
class ApiTokenAdmin(ReadOnlyAdmin[TokenProxy]):
    """Who holds an API token. The token itself is never shown; deleting it revokes it."""

    list_display = ("user", "created")
    list_display_links = None
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("user__username",)
    actions = ("delete_selected",)

    def has_delete_permission(self, request: HttpRequest, obj: TokenProxy | None = None) -> bool:
        """With the right to delete tokens."""
        return request.user.has_perm("authtoken.delete_tokenproxy")
