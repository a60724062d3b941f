"""Mails: which were sent, which could not be."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from portal.console import badges, moments
from portal.console.base import ReadOnlyAdmin
from portal.console.site import site
from provisioning import mails
from provisioning.models import Notification


@admin.register(Notification, site=site)
class NotificationAdmin(ReadOnlyAdmin[Notification]):
    """Mails, the newest first."""

    list_display = ("subject", "configuration", "state_badge", "to", "created", "sent", "attempts")
    list_filter = (("state", ChoicesDropdownFilter), ("configuration", RelatedDropdownFilter))
    list_select_related = ("configuration",)
    search_fields = ("subject", "event_key")
    ordering = ("-id",)
    detail_template = "console/notification.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        """Mails without their configuration's schema."""
        return super().get_queryset(request).defer("configuration__schema")

    def detail_context(self, request: HttpRequest, obj: Notification) -> Mapping[str, object]:
        """The mail's text as it is sent."""
        return {"mail": mails.render(obj.template, obj.context)}

    @admin.display(description="State", ordering="state")
    def state_badge(self, notification: Notification) -> SafeString:
        """How far it has come."""
        return badges.state_badge(
            notification.state, notification.get_state_display(), notification.last_error
        )

    @admin.display(description="To")
    def to(self, notification: Notification) -> str:
        """Who gets it."""
        return ", ".join(notification.recipients)

    @admin.display(description="Created", ordering="created_at")
    def created(self, notification: Notification) -> SafeString:
        """When its event happened."""
        return moments.moment_html(notification.created_at, timezone.now())

    @admin.display(description="Sent", ordering="sent_at")
    def sent(self, notification: Notification) -> SafeString:
        """When the mail server took it."""
        return moments.moment_html(notification.sent_at, timezone.now(), missing="–")
