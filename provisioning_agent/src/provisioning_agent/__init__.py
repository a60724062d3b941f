"""The Isthmus provisioning agent: reads Active Directory and answers the hybrid identity service."""

from __future__ import annotations

__version__ = "0.1.0"
