"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", help="Where the agent keeps its files. [default: /var/lib/isthmus-agent]"),
]

Proxy = Annotated[
    str | None,
    typer.Option(
        help="Proxy to the portal, http://host:port, or 'none'. [default: what is set, else HTTPS_PROXY]"
    ),
]
ProxyCredentials = Annotated[
    Path | None, typer.Option(help="File with user:password for the proxy; it is copied.")
]


def state_of(given: Path | None) -> Path:
    """The state directory to use."""
    # Imported here so that --help answers at once.
    from provisioning_agent.config import default_state_dir

    return (given or default_state_dir()).absolute()
