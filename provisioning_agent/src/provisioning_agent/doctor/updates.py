"""Updates: what the portal wants this agent to run and when, and whether its signatures still hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from provisioning_agent import __version__
from provisioning_agent.channel.http import PortalHttp
from provisioning_agent.errors import AgentError
from provisioning_agent.updates.fetching import ends
from provisioning_agent.updates.trust import is_pinned
from provisioning_agent.updates.versions import Record, Versions

from .model import Check, Status

_ASKED: Final = "asked which version this agent is to run"
_VERIFIED: Final = "fetched and verified the update repository's metadata"
_PIN_MISSING: Final = "pinned to a version that is not published"
# Left to renew in: the root needs a person with its key, the others a beat that runs.
_ROOT_SPARE: Final = timedelta(days=30)
_SPARE: Final = timedelta(days=1)


def check_updates(http: PortalHttp, state: Path, advice: object) -> list[Check]:
    """``advice`` is what the bootstrap told."""
    now = datetime.now(UTC)
    policy = policy_verdict(http.base, advice, Versions(state).record(), now)
    if not is_pinned(state):
        found = "no root of trust is kept: the portal had no update repository; its first offer brings one"
        return [policy, Check("update-metadata", http.base, _VERIFIED, found, Status.OK)]
    try:
        return [policy, metadata_verdict(http.base, ends(http, state), now)]
    except (AgentError, OSError) as error:
        code = f"{error.code}: {error.detail}" if isinstance(error, AgentError) else str(error)
        remedy = "The agent stays as it is until this is mended on the portal (docs/agent/updates.md)."
        return [policy, Check("update-metadata", http.base, _VERIFIED, code, Status.FAIL, remedy)]


def policy_verdict(target: str, advice: object, record: Record, now: datetime) -> Check:
    """Which version, and why now or not yet."""
    if not isinstance(advice, Mapping):
        return Check("updates", target, _ASKED, f"{__version__} runs; this portal does not tell", Status.OK)
    version, reason, at = (str(advice.get(name) or "") for name in ("version", "reason", "at"))
    if reason == _PIN_MISSING:
        remedy = "Publish that version, or change the agent's policy in the console."
        return Check("updates", target, _ASKED, f"{__version__} runs; {reason}", Status.WARN, remedy)
    if not version:
        return Check("updates", target, _ASKED, f"{__version__} runs; {reason}", Status.OK)
    found = f"{__version__} runs; {version} is to come: {reason}{f', {at}' if at else ''}"
    if record.is_refused(version, now):
        remedy = (
            "It did not install or did not bootstrap here: see the agent's log. It is tried again by itself."
        )
        until = record.refused[version]
        return Check("updates", target, _ASKED, f"{found}; left alone until {until}", Status.WARN, remedy)
    return Check("updates", target, _ASKED, found, Status.OK)


def metadata_verdict(target: str, roles: Mapping[str, datetime], now: datetime) -> Check:
    """Every role's end; an update is refused after the first of them."""
    left = {role: end - now for role, end in roles.items()}
    found = ", ".join(f"{role} ends in {days.days} days" for role, days in left.items())
    if left["root"] < _ROOT_SPARE:
        remedy = "On the portal's host: manage.py create_update_repository --root-key root.pem --renew-root"
        return Check("update-metadata", target, _VERIFIED, found, Status.WARN, remedy)
    if min(left.values()) < _SPARE:
        remedy = "The portal's beat renews it by itself: see that beat and a worker run there."
        return Check("update-metadata", target, _VERIFIED, found, Status.WARN, remedy)
    return Check("update-metadata", target, _VERIFIED, found, Status.OK)
