"""The real agent as a process, with a state directory as enrolment leaves it but without a domain to read."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agents.models import Agent
from agents.tests.cast import Member
from agents.tests.portal_process import Portal
from provisioning_agent.channel import identity
from provisioning_agent.config import AgentConfig, save

COMMAND = Path(sys.executable).with_name("isthmus-agent")


def write_state(state: Path, portal: Portal, member: Member) -> None:
    """The files of an enrolled agent."""
    certificate = Agent.objects.get(pk=member.id).certificate
    identity.save(state, identity.Identity(str(member.id), member.key, certificate))
    save(state, AgentConfig(str(member.id), "srv1", portal.url, (), portal.authority))


@contextmanager
def running(
    state: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """``isthmus-agent run`` (or what is given) until the end of the block; its log is ``state/../NAME.log``."""
    with state.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(
            [str(COMMAND), *(arguments or ("run",)), f"--state-dir={state}"],
            stderr=log,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
