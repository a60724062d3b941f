"""The portal as a process of its own: uvicorn, TLS, a certificate of our own authority."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from agents.authority import issue_server_certificate

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Portal:
    """Where it answers, the authority to trust, its process and its log."""

    url: str
    authority: Path
    process: subprocess.Popen[bytes]
    log: Path


def database_url(database: Mapping[str, Any]) -> str:
    """``DATABASE_URL`` for a database on a unix socket or a host."""
    name, user = quote(database["NAME"], safe=""), quote(database["USER"], safe="")
    password = quote(database.get("PASSWORD") or "", safe="")
    login = f"{user}:{password}" if password else user
    if str(database["HOST"]).startswith("/"):
        return f"postgresql://{login}@/{name}?host={quote(database['HOST'], safe='')}"
    return f"postgresql://{login}@{database['HOST']}:{database['PORT'] or 5432}/{name}"


def write_certificate(folder: Path) -> None:
    """``server.pem``, ``server.key`` and ``ca.pem`` for this machine."""
    made = issue_server_certificate(["localhost", "127.0.0.1"])
    for name, content in (("server.pem", made.chain), ("server.key", made.key), ("ca.pem", made.authority)):
        (folder / name).write_text(content, encoding="ascii")


@contextmanager
def run_portal(folder: Path, environment: Mapping[str, str]) -> Iterator[Portal]:
    """A portal on a free port, with a certificate of the authority in the current database."""
    write_certificate(folder)
    with serve(folder, environment) as portal:
        yield portal


@contextmanager
def serve(folder: Path, environment: Mapping[str, str]) -> Iterator[Portal]:
    """A portal on a free port, with the certificate files in ``folder``."""
    port = _free_port()
    url = f"https://localhost:{port}"
    command = [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--port", str(port)]
    command += ["--ssl-certfile", str(folder / "server.pem"), "--ssl-keyfile", str(folder / "server.key")]
    command += ["--timeout-graceful-shutdown", "2"]
    log = folder / "portal.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, "ISTHMUS_AGENT_URL": url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    portal = Portal(url, folder / "ca.pem", process, log)
    try:
        _wait_until_up(portal)
        yield portal
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(portal: Portal) -> None:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at and portal.process.poll() is None:
        try:
            if requests.get(f"{portal.url}/healthz", verify=str(portal.authority), timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError(f"The portal did not come up:\n{portal.log.read_text()}")
