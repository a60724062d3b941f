"""An offer of the portal: taken when a supervisor is there to take it back, verified, installed, switched to."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from typing import Final

from provisioning_agent import __version__
from provisioning_agent.channel.http import PortalHttp
from provisioning_agent.channel.runtime import Runtime
from provisioning_agent.errors import AgentError
from provisioning_agent.wire.errors import WireError

from . import health
from .fetching import fetch
from .installing import install
from .trust import pin_root
from .versions import NOT_INSTALLED_FOR, Versions

log = logging.getLogger(__name__)

SUPERVISED: Final = "ISTHMUS_AGENT_SUPERVISED"
# What may be a directory's name and a file's name below ours (PEP 440, PEP 427).
_VERSION: Final = re.compile(r"[0-9][A-Za-z0-9.+!-]{0,62}\Z")
_TARGET: Final = re.compile(r"isthmus_agent-[A-Za-z0-9._+!-]{1,150}\.whl\Z")


@dataclass(frozen=True, slots=True)
class Offer:
    """A version to install, and its name in the update repository."""

    version: str
    target: str


def after_bootstrap(runtime: Runtime, http: PortalHttp, told: object) -> bool:
    """Say that this process is well, then take the offer if there is one; true if the agent is to start anew."""
    offer = parse(told)
    try:
        health.note(runtime.state)
        report_rollback(runtime)
        return offer is not None and take(runtime, http, offer)
    except AgentError as error:
        # A full disk must not keep the agent from answering.
        log.warning('event=update-not-looked-at code=%s detail="%s"', error.code, error.detail)
        return False


def parse(told: object) -> Offer | None:
    """The offer of a bootstrap answer, None if there is none that could be taken."""
    if not isinstance(told, dict):
        return None
    version, target = told.get("version"), told.get("target")
    if not isinstance(version, str) or not isinstance(target, str):
        return None
    return Offer(version, target) if _VERSION.match(version) and _TARGET.match(target) else None


def take(runtime: Runtime, http: PortalHttp, offer: Offer) -> bool:
    """Install the offered version and make it current, on trial; true if the agent is to start anew."""
    versions = Versions(runtime.state)
    record, now = versions.record(), runtime.clock.now()
    if offer.version == __version__ or record.trial or record.is_refused(offer.version, now):
        return False
    if os.environ.get(SUPERVISED) != "1":
        log.warning("event=update-not-taken version=%s run with 'isthmus-agent supervise'", offer.version)
        return False
    try:
        _install(runtime, http, versions, offer)
        versions.try_out(offer.version)
    except (AgentError, WireError) as error:
        runtime.status.noted(error.code, now)
        if error.code == "UpdateNotInstalled":
            record.refuse(offer.version, now + NOT_INSTALLED_FOR)
            versions.save(record)
        log.error(
            'event=update-failed version=%s code=%s detail="%s"', offer.version, error.code, error.detail
        )
        return False
    log.info("event=update-installed version=%s before=%s", offer.version, __version__)
    return True


def report_rollback(runtime: Runtime) -> None:
    """After a version was taken back, the one before tells so at its first bootstrap."""
    versions = Versions(runtime.state)
    record = versions.record()
    if record.rolled_back:
        log.error("event=update-rolled-back version=%s code=UpdateRolledBack", record.rolled_back)
        runtime.status.noted("UpdateRolledBack", runtime.clock.now())
        record.rolled_back = ""
        versions.save(record)


def _install(runtime: Runtime, http: PortalHttp, versions: Versions, offer: Offer) -> None:
    if not pin_root(http, runtime.state):
        raise AgentError("UpdateRefused", "The portal has no update repository.")
    release = fetch(http, runtime.state, offer.target)
    try:
        install(versions, release.wheel, offer.version, release.carried)
    finally:
        release.remove()
