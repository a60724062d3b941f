"""Tables and bounds on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.usage import MEGABYTE, Usage

_console = Console(width=100, highlight=False)


@dataclass(frozen=True)
class Bound:
    """A figure that must not be exceeded."""

    name: str
    figure: float
    most: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is not exceeded."""
        return self.figure <= self.most


def say(text: str) -> None:
    """One line."""
    _console.print(text)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table whose first column is text and whose others are figures."""
    shown = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        shown.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        shown.add_row(*(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row))
    _console.print(shown)


def processes(usages: Sequence[Usage]) -> None:
    """Processor seconds and peak memory of each process."""
    rows = [(one.name, one.cpu_seconds, f"{one.peak_bytes / MEGABYTE:.0f}") for one in usages]
    table("Processes", ("process", "CPU seconds", "peak memory (MB)"), rows)


def verdict(bounds: Sequence[Bound]) -> int:
    """Show each bound; returns the exit status."""
    rows = [
        (one.name, one.figure, f"{one.most:g} {one.unit}", "yes" if one.holds else "NO") for one in bounds
    ]
    table("Bounds", ("what", "measured", "at most", "holds"), rows)
    return 0 if all(one.holds for one in bounds) else 1
