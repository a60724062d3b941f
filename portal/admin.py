"""Where Django's admin looks for the console's model pages."""

from __future__ import annotations

from portal.console import admins

__all__ = ["admins"]
