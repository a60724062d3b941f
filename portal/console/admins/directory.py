"""The built-in cloud directory: users, groups and contacts, to look at, and to bring back from the bin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from directory.models import Contact, DirectoryObject, Group, User
from directory.services.rows import RESTORABLE
from portal.console import attributes, audit, badges, links, members, moments
from portal.console.admins.log import as_guid
from portal.console.base import ReadOnlyAdmin
from portal.console.filters import EnabledFilter, SoftDeletedFilter
from portal.console.paginator import LimitedPaginator
from portal.console.site import site
from provisioning.models import Link, ObjectType
from provisioning.services import principals, restoring

MEMBERS_PER_PAGE = 50

D = TypeVar("D", bound=DirectoryObject)


class DirectoryAdmin(ReadOnlyAdmin[D]):
    """What the three kinds of object share."""

    list_filter: ClassVar[tuple[type[admin.SimpleListFilter], ...]] = (SoftDeletedFilter,)
    search_help_text = "Name, sign-in name, mail address, or id"
    ordering = (Lower("display_name"), "id")

    def get_urls(self) -> list[URLPattern]:
        """Bringing back has an address of its own."""
        restore = self.admin_site.admin_view(self.restore_view)
        name = f"directory_{self.opts.model_name}_restore"
        return [path("<uuid:object_id>/restore/", restore, name=name), *super().get_urls()]

    def restore_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Bring the object back, and tell what cycles do with it from now on."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        obj = self.visible_object(request, str(object_id))
        if not self._may_restore(request):
            raise PermissionDenied
        object_type = ObjectType[str(self.opts.model_name).upper()]
        try:
            done = restoring.restore(object_type, obj.pk, timezone.now())
        except restoring.RestoreRefused as refused:
            messages.error(request, str(refused))
        else:
            audit.record(request.user, obj, audit.RESTORED)
            along = f" {done.memberships} memberships came back with it." if done.memberships else ""
            messages.success(request, f"{obj} is restored.{along} {done.aftermath.sentence}")
        return redirect(f"admin:directory_{self.opts.model_name}_change", obj.pk)

    def _may_restore(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"directory.change_{self.opts.model_name}")

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
        in_bin = obj.deleted_at is not None and obj.deleted_at > timezone.now() - RESTORABLE
        return {
            "aftermath": restoring.outlook(obj.pk) if in_bin else None,
            "may_restore": in_bin and self._may_restore(request),
            "restore_url": reverse(f"admin:directory_{self.opts.model_name}_restore", args=[obj.pk]),
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
