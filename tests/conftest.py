"""The whole of Isthmus as processes, real domain controllers, real agents and a real mail server.

One installation serves all tests here. A test that breaks something waits until it is whole again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from lab.population import Company
from lab.pytest_forest import ForestFactory
from lab.smtp import Mailbox
from lab.stack import Stack, free_port, running
from tests.database import Database
from tests.sites import FirstCycle, Installation, Site

LOG_LINES = 25


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Portal, agents' listener, worker and beat with their own database, in quick cycles."""
    # Not below pytest's own folder: the embedded server runs as another account and has to get through.
    with tempfile.TemporaryDirectory(prefix="isthmus-stack-") as folder, Mailbox(port=free_port()) as mailbox:
        stack = Stack(Path(folder), _quick(mailbox))
        with running(stack):
            yield Installation(stack, stack.client(), Database(stack.directory / "postgres"), mailbox)


def _quick(mailbox: Mailbox) -> dict[str, str]:
    return {
        "ISTHMUS_CYCLE_INTERVAL": "5",
        "ISTHMUS_CYCLE_STALLED": "3",
        # Tests make several changes between two cycles; notification has tests of its own.
        "ISTHMUS_CHANGE_NOTIFICATION": "false",
        "ISTHMUS_BUS_LEASE": "5",
        "ISTHMUS_SMTP_HOST": mailbox.host,
        "ISTHMUS_SMTP_PORT": str(mailbox.port),
    }


@pytest.fixture(scope="session")
def joined_corp(
    installation: Installation, make_forest: ForestFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A company with an agent and a configuration that is not started yet."""

    def company(base_dn: str) -> Company:
        return Company(base_dn, users=120, groups=24, contacts=10, biggest_group=40)

    forest = make_forest("stack.example", "STACK", company=company)
    site = Site(installation, forest, company(forest.base_dn), tmp_path_factory.mktemp("corp"))
    try:
        site.add_agent("corp-1")
        site.configure(delete_threshold=5)
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="session")
def corp_at_first(joined_corp: Site) -> FirstCycle:
    """What was to be seen after the company's first cycle."""
    return joined_corp.first_cycle()


@pytest.fixture(scope="session")
def corp(joined_corp: Site, corp_at_first: FirstCycle) -> Site:
    """A company that is in sync and whose job runs all the time; what tests change in it stays."""
    return joined_corp


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the processes wrote goes with a failure."""
    report = yield
    installation = getattr(item, "funcargs", {}).get("installation")
    if report.failed and isinstance(installation, Installation):
        for name, child in installation.stack.children.items():
            report.sections.append((f"end of the log of {name}", child.log_tail(LOG_LINES)))
    return report
