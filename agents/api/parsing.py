"""What comes in JSON bodies, checked by hand; errors name the field that is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from agents.api.http import Call
from agents.facts import DomainFacts, HostFacts, Presence
from provisioning_agent.wire.errors import WireError

MAX_DOMAINS: Final = 100
_MAX_COUNTERS: Final = 100
_MAX_ERRORS: Final = 20
_MAX_CSR: Final = 16 * 1024
# Domain names as AD takes them: DNS labels, underscores and letters beyond ASCII included (MS-ADTS §1.1).
_FQDN: Final = re.compile(r"(?!-)[\w-]{1,63}(?:\.[\w-]{1,63})*\Z")
_NETBIOS: Final = re.compile(r'[^\x00-\x1f\\/:*?"<>|\s]{1,15}\Z')
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,79}\Z")
_SID: Final = re.compile(r"S-1-5-21(?:-\d{1,10}){3}\Z")


def text(body: Mapping[str, Any], name: str, longest: int, *, may_lack: bool = False) -> str:
    """A text without control characters; raises ``MalformedRequest`` naming the field."""
    value = body.get(name)
    if value is None and may_lack:
        return ""
    if not isinstance(value, str) or not value.strip() or len(value) > longest or _has_controls(value):
        raise malformed(name, f"is not a text of 1 to {longest} characters")
    return value.strip()


def csr(body: Mapping[str, Any]) -> str:
    """The certificate request, PEM."""
    value = body.get("csr")
    if not isinstance(value, str) or not value.isascii() or len(value) > _MAX_CSR:
        raise malformed("csr", "is not a certificate request in PEM")
    return value


def host_facts(body: Mapping[str, Any], call: Call) -> HostFacts:
    """What the agent says of its host."""
    return HostFacts(
        name=text(body, "name", 255),
        version=text(body, "version", 64),
        operating_system=text(body, "os", 255, may_lack=True),
        address=call.address,
    )


def presence(body: Mapping[str, Any]) -> Presence | None:
    """The process and host that call; None from an agent that is too old to tell."""
    if body.get("instance") is None:
        return None
    try:
        instance_id = UUID(text(body, "instance", 36))
    except ValueError as error:
        raise malformed("instance", "is not a UUID") from error
    return Presence(
        instance_id,
        host=text(body, "host", 64, may_lack=True),
        sequence=text(body, "sequence", 64, may_lack=True),
    )


def report(body: Mapping[str, Any]) -> dict[str, Any]:
    """The counters and last errors of a bootstrap."""
    counters, errors = body.get("counters", {}), body.get("lastErrors", [])
    if not isinstance(counters, dict) or len(counters) > _MAX_COUNTERS:
        raise malformed("counters", f"is not an object of at most {_MAX_COUNTERS} numbers")
    if not all(type(value) in (int, float) for value in counters.values()):
        raise malformed("counters", "holds something that is not a number")
    if not isinstance(errors, list) or len(errors) > _MAX_ERRORS:
        raise malformed("lastErrors", f"is not a list of at most {_MAX_ERRORS}")
    failures = body.get("consecutiveFailures", 0)
    if type(failures) is not int or failures < 0:
        raise malformed("consecutiveFailures", "is not a number from 0")
    return {
        "counters": counters,
        "lastErrors": [_last_error(error) for error in errors],
        "consecutiveFailures": failures,
    }


def domains(body: Mapping[str, Any]) -> list[DomainFacts]:
    """The domains an agent serves, each once."""
    found = body.get("domains")
    if not isinstance(found, list) or len(found) > MAX_DOMAINS:
        raise malformed("domains", f"is not a list of at most {MAX_DOMAINS}")
    facts = [_domain(item) for item in found]
    if len({item.fqdn for item in facts}) != len(facts):
        raise malformed("domains", "names a domain twice")
    return facts


def malformed(where: str, what: str) -> WireError:
    """A ``MalformedRequest`` that names the field."""
    return WireError("MalformedRequest", f"{where} {what}; update the agent or correct its configuration.")


def _last_error(item: object) -> dict[str, str]:
    """Code and time, and nothing else: an agent that told more would tell what must not be kept."""
    code = item.get("code") if isinstance(item, dict) else None
    if not isinstance(code, str) or not _CODE.match(code):
        raise malformed("lastErrors", "holds something that has no code")
    found = {"code": code}
    at = item.get("at") if isinstance(item, dict) else None
    if at is not None:
        try:
            found["at"] = datetime.fromisoformat(str(at)).isoformat()
        except ValueError as error:
            raise malformed("lastErrors.at", "is not a time") from error
    return found


def _domain(item: object) -> DomainFacts:
    if not isinstance(item, dict):
        raise malformed("domains", "holds something that is not an object")
    return DomainFacts(
        fqdn=_matching(item, "fqdn", _FQDN).lower(),
        netbios=_matching(item, "netbios", _NETBIOS),
        forest=_matching(item, "forest", _FQDN).lower(),
        sid=_matching(item, "sid", _SID),
    )


def _matching(item: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = text(item, name, 255).rstrip(".")
    if not pattern.match(value):
        raise malformed(f"domains.{name}", "is not what a domain has there")
    return value


def _has_controls(value: str) -> bool:
    return any(unicodedata.category(letter) == "Cc" for letter in value)
