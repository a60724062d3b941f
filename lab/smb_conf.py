"""The smb.conf of a domain controller that lives in one directory and on one loopback address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# No file server and no winbind: nothing here mounts shares, and both need ports and time to start.
SERVICES = "rpc, ldap, cldap, kdc, drepl"


def render(directory: Path, *, realm: str, netbios: str, host: str, address: str) -> str:
    """The whole file as text; every path it names lies inside the directory."""
    lines = [
        f"\t{name} = {value}" for name, value in _settings(directory, realm, netbios, host, address).items()
    ]
    return "\n".join(["[global]", *lines, "", *_shares(directory, realm), ""])


def provision_options(directory: Path, address: str) -> list[str]:
    """The part of the settings that must already hold while the domain is being provisioned."""
    settings = {**_network(address), **_runtime_directories(directory)}
    return [f"--option={name}={value}" for name, value in settings.items()]


def _settings(directory: Path, realm: str, netbios: str, host: str, address: str) -> Mapping[str, object]:
    return {
        "server role": "active directory domain controller",
        "server services": SERVICES,
        "realm": realm,
        "workgroup": netbios,
        "netbios name": host.upper(),
        **_network(address),
        "private dir": directory / "private",
        "state directory": directory / "state",
        "cache directory": directory / "cache",
        "lock directory": directory,
        "binddns dir": directory / "bind-dns",
        **_runtime_directories(directory),
        "tls certfile": directory / "private/tls/cert.pem",
        "tls keyfile": directory / "private/tls/key.pem",
        "tls cafile": directory / "private/tls/ca.pem",
        "idmap_ldb:use rfc2307": "yes",
    }


def _network(address: str) -> Mapping[str, object]:
    return {"interfaces": f"{address}/8", "bind interfaces only": "yes"}


def _runtime_directories(directory: Path) -> Mapping[str, object]:
    run = directory / "run"
    return {
        "pid directory": run,
        "ncalrpc dir": run / "ncalrpc",
        "winbindd socket directory": run / "winbindd",
        "ntp signd socket directory": run / "ntp_signd",
        "log file": directory / "samba.log",
    }


def _shares(directory: Path, realm: str) -> list[str]:
    # Samba refuses to be a domain controller without these two.
    sysvol = directory / "state/sysvol"
    return [
        "[sysvol]",
        f"\tpath = {sysvol}",
        "[netlogon]",
        f"\tpath = {sysvol / realm.lower() / 'scripts'}",
    ]
