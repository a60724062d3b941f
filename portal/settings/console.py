"""The look of the admin console. Everything it needs is served from here: no host but ours is asked."""

from __future__ import annotations

from django.http import HttpRequest
from django.templatetags.static import static


def _stylesheet(request: HttpRequest) -> str:
    return static("console/console.css")


def _icon(request: HttpRequest) -> str:
    return static("console/isthmus.svg")


UNFOLD = {
    "SITE_TITLE": "Isthmus",
    "SITE_HEADER": "Isthmus",
    "SITE_SUBHEADER": "Cloud sync for Active Directory",
    "SITE_URL": None,
    "SITE_ICON": _icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": [_stylesheet],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "portal.console.navigation.groups",
    },
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .014 205)",
            "100": "oklch(94.5% .032 205)",
            "200": "oklch(89.5% .06 206)",
            "300": "oklch(82% .095 208)",
            "400": "oklch(72% .115 212)",
            "500": "oklch(61% .112 216)",
            "600": "oklch(51.5% .098 219)",
            "700": "oklch(44.5% .084 221)",
            "800": "oklch(38.5% .069 223)",
            "900": "oklch(34% .056 225)",
            "950": "oklch(25.5% .046 227)",
        },
    },
}
