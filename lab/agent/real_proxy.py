"""A real HTTP proxy (proxy.py) that wants a password; it tunnels, or breaks TLS open as company proxies do."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lab.certificates import TlsFiles, issue_authority
from lab.processes import Child

USER = "agent"
_COMMAND = Path(sys.executable).with_name("proxy")
_START_S = 20.0
# Written when a tunnel ends. Without credentials there is no target yet.
_TUNNEL = re.compile(r" - CONNECT (\S+:[0-9]+) - ")


class RealProxy(Child):
    """On a loopback port. With ``upstream_ca``, what is sent is decrypted and sent on, under ``authority``.

    With ``tls`` the proxy itself is spoken to over TLS.
    """

    def __init__(
        self, directory: Path, password: str, *, upstream_ca: Path | None = None, tls: TlsFiles | None = None
    ) -> None:
        self._scheme = "http" if tls is None else "https"
        self.user_info = f"{USER}:{password}"
        self._port_file = directory / "proxy.port"
        self.authority = directory / "proxy-ca.pem"
        directory.mkdir(parents=True, exist_ok=True)
        command = [str(_COMMAND), "--hostname", "127.0.0.1", "--port", "0"]
        command += ["--port-file", str(self._port_file), "--basic-auth", self.user_info]
        command += ["--num-workers", "1", "--num-acceptors", "1"]
        if upstream_ca is not None:
            command += self._intercepting(directory, upstream_ca)
        if tls is not None:
            command += ["--cert-file", str(tls.certificate), "--key-file", str(tls.key)]
        super().__init__(command, directory / "proxy.log")

    def _intercepting(self, directory: Path, upstream_ca: Path) -> list[str]:
        key, names_key = directory / "proxy-ca.key", directory / "proxy-names.key"
        issue_authority(self.authority, key, "Laboratory proxy")
        # The key of the certificates it makes for each name.
        issue_authority(directory / "unused.pem", names_key, "unused")
        options = {"ca-cert-file": self.authority, "ca-key-file": key, "ca-signing-key-file": names_key}
        options |= {"ca-cert-dir": directory / "names", "ca-file": upstream_ca}
        return [word for name, path in options.items() for word in (f"--{name}", str(path))]

    def start(self) -> RealProxy:
        """Start it, and wait until it listens."""
        self._port_file.unlink(missing_ok=True)
        super().start()
        self.wait_until(lambda: bool(self._port()), seconds=_START_S)
        return self

    def __enter__(self) -> RealProxy:
        return self.start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port()}"

    @property
    def url(self) -> str:
        """Without credentials."""
        return f"{self._scheme}://{self.address}"

    @property
    def url_with_password(self) -> str:
        """As an environment variable has it."""
        return f"{self._scheme}://{self.user_info}@{self.address}"

    def tunnels(self) -> list[str]:
        """The targets of the tunnels that have ended."""
        return _TUNNEL.findall(self.log.read_text())

    def wait_for_tunnels(self, number: int, seconds: float = 20) -> list[str]:
        """Those targets, once there are so many."""
        self.wait_until(lambda: len(self.tunnels()) >= number, seconds=seconds)
        return self.tunnels()

    def refused(self) -> int:
        """How many came without the right password."""
        return self.log.read_text().count("ProxyAuthenticationFailed")

    def _port(self) -> str:
        return self._port_file.read_text().strip() if self._port_file.exists() else ""
