"""What the demo tells at its end: on the screen and in ``summary.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.portal_client import PortalClient

KINDS = ("users", "groups", "contacts")


@dataclass
class Summary:
    """Counts, seconds, and each change that was verified."""

    directory: dict[str, int] = field(default_factory=dict)
    memberships: int = 0
    seconds_until_in_sync: float = 0.0
    seconds_initial_cycle: float = 0.0
    seconds_delta_cycle: float | None = None
    seconds_until_changes_arrived: float | None = None
    verified: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def count(self, client: PortalClient) -> None:
        """Ask the portal what is in the directory now."""
        counts = client.get("directory/summary")
        self.directory = {kind: counts[kind] for kind in KINDS}
        self.memberships = counts["memberships"]

    def write(self, path: Path) -> None:
        """Leave it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def show(self, console: Console) -> None:
        """Print it as a table."""
        table = Table(title="In the cloud directory", title_justify="left")
        table.add_column("what")
        table.add_column("how much", justify="right")
        for kind in KINDS:
            table.add_row(kind, str(self.directory.get(kind, 0)))
        table.add_row("memberships", str(self.memberships))
        table.add_row("seconds from nothing to in sync", f"{self.seconds_until_in_sync:.1f}")
        table.add_row("seconds of the initial cycle", f"{self.seconds_initial_cycle:.1f}")
        console.print(table)
