"""One-time enrolment tokens: made on the page "Add an agent", listed here, deleted here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString

from agents.models import EnrolmentToken
from portal.console import badges, moments
from portal.console.base import ConsoleAdmin
from portal.console.site import site


@admin.register(EnrolmentToken, site=site)
class EnrolmentTokenAdmin(ConsoleAdmin[EnrolmentToken]):
    """Tokens without their secret: that was shown once."""

    list_display = ("__str__", "status", "hint", "given_to", "created", "expires", "used_by")
    list_select_related = ("created_by", "used_by")
    search_fields = ("label", "hint", "issued_to")
    detail_template = "console/enrolment_token.html"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page that shows the new token once."""
        return redirect("admin:add_agent")

    def has_change_permission(self, request: HttpRequest, obj: EnrolmentToken | None = None) -> bool:
        """A token does not change; it is used, runs out, or is deleted."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[EnrolmentToken]:
        """Tokens without their digest."""
        return super().get_queryset(request).defer("digest", "used_by__certificate", "used_by__report")

    @admin.display(description="Status")
    def status(self, token: EnrolmentToken) -> SafeString:
        """Whether it still works."""
        if token.used_at:
            return badges.badge("used", badges.Tone.GOOD, moments.exact(token.used_at))
        if token.expires_at <= timezone.now():
            return badges.badge("expired", badges.Tone.IDLE)
        return badges.badge("waiting", badges.Tone.INFO)

    @admin.display(description="Created by")
    def given_to(self, token: EnrolmentToken) -> str:
        """The user of the console who made it, or the Entra account that signed in for it."""
        return str(token.created_by) if token.created_by else token.issued_to or "-"

    @admin.display(description="Created", ordering="created_at")
    def created(self, token: EnrolmentToken) -> SafeString:
        """When it was made."""
        return moments.moment_html(token.created_at, timezone.now())

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, token: EnrolmentToken) -> SafeString:
        """When it stops working."""
        return moments.moment_html(token.expires_at, timezone.now())
