"""Targets: what the built-in directory lets synchronization take over."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.validators import RegexValidator
from django.db.models import Model
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from portal.console.base import ConsoleAdmin
from portal.console.site import site
from provisioning.models import Target
from provisioning.services import target_settings

if TYPE_CHECKING:
    TargetModelForm = forms.ModelForm[Target]
else:
    TargetModelForm = forms.ModelForm

_SWITCHES = ("blocks_hard_match", "blocks_soft_match", "parks_duplicates", "initial_domain")
DOMAIN = r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$"


class TargetForm(TargetModelForm):
    """Name, and the switches out of the settings."""

    blocks_hard_match = forms.BooleanField(
        label="Block takeover by hard match",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="An object made in the cloud is not taken over though it has the source anchor of an incoming one.",
    )
    blocks_soft_match = forms.BooleanField(
        label="Block soft match",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="A new object is not matched by user principal name or primary SMTP address. Recommended when "
        "not migrating.",
    )
    parks_duplicates = forms.BooleanField(
        label="Park duplicate values",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="A user principal name or primary SMTP address that another object holds does not fail the object: "
        "the value is parked and given back when it is free.",
    )
    initial_domain = forms.CharField(
        label="Initial domain",
        max_length=255,
        validators=[RegexValidator(DOMAIN, "Give a domain name, such as corp.example.")],
        widget=UnfoldAdminTextInputWidget,
        help_text="Of the placeholder that stands in for a parked user principal name.",
    )

    class Meta:
        model = Target
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in asdict(target_settings.policy_of(self.instance.settings)).items():
            self.fields[name].initial = value

    def save(self, commit: bool = True) -> Target:
        """With the switches put back into the settings."""
        switches = {name: self.cleaned_data[name] for name in _SWITCHES}
        self.instance.settings = target_settings.changed(self.instance.settings, switches)
        return super().save(commit)


@admin.register(Target, site=site)
class TargetAdmin(ConsoleAdmin[Target]):
    """Where configurations write to."""

    form = TargetForm
    list_display = ("name", "kind")
    search_fields = ("name",)
    fieldsets = ((None, {"fields": ("name",)}), ("Matching", {"fields": _SWITCHES}))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: what was written to it stays."""
        return False
