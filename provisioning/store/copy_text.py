"""COPY's text format (PostgreSQL manual, COPY, Text Format): lines made by hand, for narrow rows by the million."""

from __future__ import annotations


def pairs(left: str, right: str, *rest: str) -> str:
    """Lines that share their first field, and the fields after the second, of which ``right`` has a line for each.

    None holds what would have to be escaped; there is at least one.
    """
    first, last = f"{left}\t", "".join(f"\t{one}" for one in rest) + "\n"
    return first + right.replace("\n", last + first) + last
