"""What an enrolled agent knows: its portal, its id, its domains. One JSON file in the state directory.

The password of a domain's account lies in a file of its own (mode 0600) and is read each time it is used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

from .errors import AgentError
from .files import read_secret, write_private
from .proxy import ProxyConfig

DEFAULT_STATE: Final = Path("/var/lib/isthmus-agent")
_FILE: Final = "agent.json"


def default_state_dir() -> Path:
    """``ISTHMUS_AGENT_STATE`` or the usual place."""
    return Path(os.environ.get("ISTHMUS_AGENT_STATE") or DEFAULT_STATE)


@dataclass(frozen=True, slots=True)
class DomainConfig:
    """One domain: who it is, which servers to ask in which order, as whom, and what makes them trusted.

    Where none of ``servers`` answers, DNS is asked (``nameserver``: ``address[:port]``, else the host's own).
    ``managed``: the account is this agent's alone, which changes its password. ``keytab``: it is a group managed
    service account, whose password the host is handed for the keys in this file; there is no ``password_file`` then.
    """

    fqdn: str
    netbios: str
    forest: str
    sid: str
    servers: tuple[str, ...]
    user: str
    password_file: Path
    ca_file: Path | None = None
    fingerprint: str | None = None
    managed: bool = False
    nameserver: str | None = None
    keytab: Path | None = None

    def password(self) -> str:
        """The account's password, read now."""
        return read_secret(self.password_file)


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """One enrolled agent."""

    agent_id: str
    name: str
    portal: str
    domains: tuple[DomainConfig, ...]
    portal_ca_file: Path | None = None
    proxy: ProxyConfig | None = None

    def domain(self, fqdn: str) -> DomainConfig | None:
        """The domain of that name, None if this agent does not serve it."""
        wanted = fqdn.lower().rstrip(".")
        return next((domain for domain in self.domains if domain.fqdn == wanted), None)

    def with_domain(self, domain: DomainConfig) -> AgentConfig:
        """The same agent, serving this domain too or anew."""
        others = tuple(known for known in self.domains if known.fqdn != domain.fqdn)
        return replace(self, domains=(*others, domain))


def load(state: Path) -> AgentConfig:
    """The configuration in a state directory."""
    try:
        return _from_json(orjson.loads((state / _FILE).read_bytes()))
    except FileNotFoundError as error:
        raise AgentError(
            "NotEnrolled", f"No agent is enrolled in {state}; run 'isthmus-agent enrol'."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AgentError("StateUnreadable", f"{state / _FILE} can not be used; enrol again.") from error


def save(state: Path, config: AgentConfig) -> None:
    """Store the configuration, mode 0600."""
    write_private(state / _FILE, orjson.dumps(_to_json(config), option=orjson.OPT_INDENT_2))


def _to_json(config: AgentConfig) -> dict[str, Any]:
    return {
        "agentId": config.agent_id,
        "name": config.name,
        "portal": config.portal,
        "portalCaFile": _path(config.portal_ca_file),
        "proxy": _proxy_to_json(config.proxy),
        "domains": [
            {
                "fqdn": domain.fqdn,
                "netbios": domain.netbios,
                "forest": domain.forest,
                "sid": domain.sid,
                "servers": list(domain.servers),
                "user": domain.user,
                "passwordFile": str(domain.password_file),
                "caFile": _path(domain.ca_file),
                "fingerprint": domain.fingerprint,
                "managed": domain.managed,
                "nameserver": domain.nameserver,
                "keytab": _path(domain.keytab),
            }
            for domain in config.domains
        ],
    }


def _from_json(body: dict[str, Any]) -> AgentConfig:
    return AgentConfig(
        agent_id=str(body["agentId"]),
        name=str(body["name"]),
        portal=str(body["portal"]),
        portal_ca_file=_optional(body.get("portalCaFile")),
        proxy=_proxy(body.get("proxy")),
        domains=tuple(_domain(domain) for domain in body["domains"]),
    )


def _proxy_to_json(proxy: ProxyConfig | None) -> dict[str, Any] | None:
    return None if proxy is None else {"url": proxy.url, "credentialsFile": _path(proxy.credentials_file)}


def _proxy(body: dict[str, Any] | None) -> ProxyConfig | None:
    return None if body is None else ProxyConfig(str(body["url"]), _optional(body.get("credentialsFile")))


def _domain(body: dict[str, Any]) -> DomainConfig:
    return DomainConfig(
        fqdn=str(body["fqdn"]),
        netbios=str(body["netbios"]),
        forest=str(body["forest"]),
        sid=str(body["sid"]),
        servers=tuple(str(server) for server in body["servers"]),
        user=str(body["user"]),
        password_file=Path(body["passwordFile"]),
        ca_file=_optional(body.get("caFile")),
        fingerprint=body.get("fingerprint"),
        managed=bool(body.get("managed")),
        nameserver=body.get("nameserver"),
        keytab=_optional(body.get("keytab")),
    )


def _path(path: Path | None) -> str | None:
    return str(path) if path else None


def _optional(text: str | None) -> Path | None:
    return Path(text) if text else None
