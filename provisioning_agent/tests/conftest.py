"""Fixtures of the agent's tests: a session with a real domain controller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ldap3 import Connection

from lab.agent.host import AgentHost
from lab.agent.playground import Playground
from lab.agent.portal_server import Portal
from lab.agent.reading import login_to
from lab.agent.serving import serving
from lab.certificates import TlsFiles, issue_server_certificate
from lab.samba import SambaForest
from provisioning_agent.ldap.connection import DirectoryLogin


@pytest.fixture
def admin(forest: SambaForest) -> Iterator[Connection]:
    """A connection that may change everything."""
    with forest.connect() as connection:
        yield connection


@pytest.fixture
def login(forest: SambaForest) -> DirectoryLogin:
    """The agent's way into the forest."""
    return login_to(forest)


@pytest.fixture
def ground(admin: Connection, login: DirectoryLogin, forest: SambaForest, playground: str) -> Playground:
    """A scope with nothing in it yet."""
    return Playground(admin, login, forest.dns_name, playground)


@pytest.fixture(scope="session")
def portal_tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """The portal's certificate and the CA that issued it."""
    return issue_server_certificate(tmp_path_factory.mktemp("portal"), "portal.test", "127.0.0.1")


@pytest.fixture
def portal(portal_tls: TlsFiles) -> Iterator[Portal]:
    """A portal that answers on a loopback port."""
    with serving(Portal(portal_tls)) as running:
        yield running


@pytest.fixture
def host(portal: Portal, forest: SambaForest, tmp_path: Path) -> Iterator[AgentHost]:
    """A host with its state directory, where the agent's command can be run."""
    machine = AgentHost(portal, forest, tmp_path)
    yield machine
    machine.stop_all()
