"""COPY's text format (PostgreSQL manual, COPY, Text Format): lines made by hand, for narrow rows by the million."""

from __future__ import annotations

from collections.abc import Iterable


def pairs(left: str, right: Iterable[str], *rest: str) -> str:
    """Lines that share their first field, and the fields after the second; none holds what would have to be escaped."""
    first, last = f"{left}\t", "".join(f"\t{one}" for one in rest) + "\n"
    return "".join([f"{first}{one}{last}" for one in right])
