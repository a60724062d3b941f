"""The built-in cloud directory: users, groups and contacts, to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from directory.models import Contact, DirectoryObject, Group, User
from portal.console import attributes, badges, links, members, moments
from portal.console.admins.log import as_guid
from portal.console.base import ReadOnlyAdmin
from portal.console.filters import EnabledFilter, SoftDeletedFilter
from portal.console.paginator import LimitedPaginator
from portal.console.site import site
from provisioning.models import Link
from provisioning.services import principals

MEMBERS_PER_PAGE = 50

D = TypeVar("D", bound=DirectoryObject)


class DirectoryAdmin(ReadOnlyAdmin[D]):
    """What the three kinds of object share."""

    list_filter: ClassVar[tuple[type[admin.SimpleListFilter], ...]] = (SoftDeletedFilter,)
    search_help_text = "Name, sign-in name, mail address, or id"
    ordering = (Lower("display_name"), "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[D]:
        """The columns of a list, not the documents."""
        return super().get_queryset(request).defer("attributes")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[D], search_term: str
    ) -> tuple[QuerySet[D], bool]:
        """An id finds its object, anything else part of a name or an address."""
        guid = as_guid(search_term)
        if guid is not None:
            return queryset.filter(pk=guid), False
        return super().get_search_results(request, queryset, search_term)

    def detail_context(self, request: HttpRequest, obj: D) -> Mapping[str, object]:
        """Attributes, where it came from, and the groups it is in."""
        page = LimitedPaginator(members.groups_of(obj), MEMBERS_PER_PAGE).get_page(request.GET.get("groups"))
        return {
            "rows": attributes.rows(obj.attributes),
            "link": Link.objects.filter(configuration__in=links.configuration_ids(), target_id=str(obj.pk))
            .select_related("source", "configuration")
            .defer("configuration__schema")
            .first(),
            "groups_page": page,
            "manager": members.manager_of(obj),
        }

    @admin.display(description="Name", ordering=Lower("display_name"))
    def name(self, obj: D) -> str:
        """The name people know it by."""
        return str(getattr(obj, "display_name", None) or obj)

    @admin.display(description="Updated", ordering="updated_at")
    def updated(self, obj: D) -> SafeString:
        """When it last changed."""
        return moments.moment_html(obj.updated_at, timezone.now())

    @admin.display(description="Presence")
    def presence(self, obj: D) -> SafeString:
        """Whether it is there or soft-deleted."""
        if obj.deleted_at is not None:
            return badges.badge("soft-deleted", badges.Tone.WARN, moments.exact(obj.deleted_at))
        return badges.badge("present", badges.Tone.GOOD)


@admin.register(User, site=site)
class UserAdmin(DirectoryAdmin[User]):
    """People's accounts in the cloud."""

    list_display = ("name", "user_principal_name", "mail", "department", "sign_in", "presence", "updated")
    list_filter = (SoftDeletedFilter, EnabledFilter)
    search_fields = ("display_name", "user_principal_name", "mail")
    detail_template = "console/directory_user.html"

    @admin.display(description="Sign-in")
    def sign_in(self, user: User) -> SafeString:
        """Whether the account may sign in."""
        if user.account_enabled:
            return badges.badge("enabled", badges.Tone.GOOD)
        return badges.badge("disabled", badges.Tone.IDLE)

    def detail_context(self, request: HttpRequest, obj: User) -> Mapping[str, object]:
        """The user's direct reports too."""
        reports = User.objects.filter(Q(manager_id=obj.pk), deleted_at__isnull=True).defer("attributes")
        return {**super().detail_context(request, obj), "reports": list(reports[:MEMBERS_PER_PAGE])}


@admin.register(Group, site=site)
class GroupAdmin(DirectoryAdmin[Group]):
    """Groups in the cloud."""

    list_display = ("name", "mail", "description", "presence", "updated")
    search_fields = ("display_name", "mail")
    detail_template = "console/directory_group.html"

    def detail_context(self, request: HttpRequest, obj: Group) -> Mapping[str, object]:
        """The group's members too, and those of other forests that are in no target."""
        page = LimitedPaginator(members.memberships_of(obj), MEMBERS_PER_PAGE).get_page(
            request.GET.get("members")
        )
        unlinked = principals.unlinked(members.foreign_of(obj))
        strangers = LimitedPaginator(unlinked, MEMBERS_PER_PAGE).get_page(request.GET.get("strangers"))
        return {
            **super().detail_context(request, obj),
            "members_page": page,
            "members": members.described(page.object_list),
            "strangers_page": strangers,
            "strangers": principals.described(strangers.object_list),
        }


@admin.register(Contact, site=site)
class ContactAdmin(DirectoryAdmin[Contact]):
    """People outside, known by an address."""

    list_display = ("name", "mail", "company", "presence", "updated")
    search_fields = ("display_name", "mail")
    detail_template = "console/directory_contact.html"
