"""The sidebar: what a person may see, grouped by what they come for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Item:
    """One link; without a permission every member of staff sees it."""

    title: str
    icon: str
    view: str
    permission: str = ""


_GROUPS: tuple[tuple[str, tuple[Item, ...]], ...] = (
    (
        "Overview",
        (
            Item("Dashboard", "dashboard", "admin:index"),
            Item("Heartbeat", "monitor_heart", "admin:heartbeat", "agents.view_agent"),
        ),
    ),
    (
        "Agents & domains",
        (
            Item("Agents", "dns", "admin:agents_agent_changelist", "agents.view_agent"),
            Item("Domains", "account_tree", "admin:agents_domain_changelist", "agents.view_domain"),
            Item(
                "Enrolment tokens",
                "key",
                "admin:agents_enrolmenttoken_changelist",
                "agents.view_enrolmenttoken",
            ),
        ),
    ),
    (
        "Configurations",
        (
            Item(
                "Configurations",
                "sync_alt",
                "admin:provisioning_configuration_changelist",
                "provisioning.view_configuration",
            ),
            Item("Targets", "cloud", "admin:provisioning_target_changelist", "provisioning.view_target"),
            Item("Jobs", "schedule", "admin:provisioning_job_changelist", "provisioning.view_job"),
            Item(
                "Source objects",
                "database",
                "admin:provisioning_sourceobject_changelist",
                "provisioning.view_sourceobject",
            ),
            Item("Cycles", "cycle", "admin:provisioning_cycle_changelist", "provisioning.view_cycle"),
        ),
    ),
    (
        "Provisioning log",
        (
            Item(
                "Log",
                "receipt_long",
                "admin:provisioning_provisioninglogentry_changelist",
                "provisioning.view_provisioninglogentry",
            ),
            Item(
                "Notifications",
                "mail",
                "admin:provisioning_notification_changelist",
                "provisioning.view_notification",
            ),
        ),
    ),
    (
        "Cloud directory",
        (
            Item("Users", "person", "admin:directory_user_changelist", "directory.view_user"),
            Item("Groups", "group", "admin:directory_group_changelist", "directory.view_group"),
            Item("Contacts", "contacts", "admin:directory_contact_changelist", "directory.view_contact"),
        ),
    ),
    (
        "Administration",
        (
            Item("Administrators", "manage_accounts", "admin:auth_user_changelist", "auth.view_user"),
            Item("Roles", "shield_person", "admin:auth_group_changelist", "auth.view_group"),
            Item("API tokens", "token", "admin:authtoken_tokenproxy_changelist", "authtoken.view_tokenproxy"),
            Item("REST API", "api", "api-docs"),
        ),
    ),
)


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's sidebar structure with the items this person may open; empty groups are left out."""
    shown = (
        (title, [_entry(item) for item in items if _permitted(request, item)]) for title, items in _GROUPS
    )
    return [{"title": title, "items": entries} for title, entries in shown if entries]


def _permitted(request: HttpRequest, item: Item) -> bool:
    return not item.permission or request.user.has_perm(item.permission)


def _entry(item: Item) -> dict[str, Any]:
    return {"title": item.title, "icon": item.icon, "link": reverse(item.view)}
