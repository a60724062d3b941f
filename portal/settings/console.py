"""The look of the admin console."""

from __future__ import annotations

UNFOLD = {
    "SITE_TITLE": "Isthmus",
    "SITE_HEADER": "Isthmus",
    "SITE_SUBHEADER": "Cloud sync for Active Directory",
    "SHOW_HISTORY": True,
}
