"""``isthmus-agent proxy``: the way to the portal that the agent's own configuration names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from provisioning_agent import config as configs
from provisioning_agent.channel import proxies
from provisioning_agent.cli.output import complain, say
from provisioning_agent.config import AgentConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.proxy import given, keep


def set_proxy(state: Path, url: str | None, credentials_file: Path | None) -> int:
    """Set what was given and say which way is taken; returns the exit code."""
    try:
        config = configs.load(state)
        wanted = keep(given(url, credentials_file, config.proxy), state)
        if wanted != config.proxy:
            config = replace(config, proxy=wanted)
            configs.save(state, config)
            say("Written. Restart the agent.")
        say(_way(config))
    except AgentError as error:
        return complain(error)
    return 0


def _way(config: AgentConfig) -> str:
    hop = proxies.used(config.portal, config.proxy)
    if hop is not None:
        return f"Calls to {config.portal} go through {hop.host}:{hop.port}, by {hop.named_by}."
    if config.proxy is not None:
        return f"{config.portal} is called directly: NO_PROXY names it."
    return f"{config.portal} is called directly."
