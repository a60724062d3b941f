"""A worker, an agent or the listener is killed in the middle of a first cycle: nothing is lost or done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from lab.enrolment import Agent
from lab.population import Company
from lab.portal_client import Document
from lab.pytest_forest import ForestFactory
from tests.sites import Installation, Site
from tests.worlds import World

pytestmark = [pytest.mark.stack, pytest.mark.forest]

# More than two pages, and more than one batch of changes.
USERS = 2100


@pytest.fixture(scope="module")
def joined_group(
    installation: Installation, make_forest: ForestFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A bigger company with two agents."""

    def company(base_dn: str) -> Company:
        return Company(base_dn, users=USERS, groups=20, contacts=10, biggest_group=150)

    forest = make_forest("group.example", "GROUP", company=company)
    site = Site(installation, forest, company(forest.base_dn), tmp_path_factory.mktemp("group"))
    try:
        site.add_agent("group-1")
        site.add_agent("group-2")
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def active_directory(joined_group: Site) -> World:
    """Everybody there; no test changes them."""
    return joined_group.in_active_directory()


@pytest.fixture
def group(joined_group: Site) -> Iterator[Site]:
    """The company with a new configuration that is not started yet."""
    joined_group.configure()
    yield joined_group
    joined_group.remove()


def leaseholder(group: Site) -> Agent:
    """The agent that answers this configuration right now; others of the installation may be asked too."""
    holder = group.database.value(
        "SELECT r.leased_by_id::text FROM agents_busrequest r JOIN provisioning_cycle c ON c.request_id = r.id"
        " WHERE r.state = 'leased' AND c.job_id = %s",
        group.job_id,
    )
    return next(agent for agent in group.agents if agent.id == holder)


def ended(group: Site) -> Document:
    """The first cycle, once it has ended."""
    group.until(group.ended_cycles, "the first cycle ended")
    group.steer("pause")
    return group.ended_cycles()[-1]


def assert_everything_once(group: Site, cycle: Document, active_directory: World) -> None:
    """The result is what an undisturbed cycle has, in the directory and in the log."""
    assert (cycle["step"], cycle["count_failed"]) == ("done", 0)
    assert cycle["count_imported"] == len(active_directory)
    assert group.in_cloud() == active_directory
    rows = Counter(
        (row["action"], row["modified"][0]["displayName"] == "members added") for row in group.log()
    )
    everybody = active_directory.values()
    assert rows == {
        ("Create", False): len(active_directory),
        ("Update", True): sum(bool(one.get("members")) for one in everybody),
    }


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("provisioning_sourcememberset", id="while it merges a page"),
        pytest.param("provisioning_link", id="while it writes objects"),
        pytest.param("provisioning_linkmemberset", id="while it writes memberships"),
    ],
)
def test_a_worker_is_killed(group: Site, active_directory: World, table: str) -> None:
    stack = group.installation.stack
    with group.database.writers_wait(table) as somebody_waits:
        group.steer("start")
        group.until(somebody_waits, f"the worker is about to write to {table}")
        stack.children["worker"].kill()
    stack.start_process("worker")
    assert_everything_once(group, ended(group), active_directory)


def test_an_agent_is_killed_and_another_reads_for_it(group: Site, active_directory: World) -> None:
    with group.database.second_page_waits() as it_waits:
        group.steer("start")
        group.until(it_waits, "the agent has sent a second page")
        killed = leaseholder(group)
        killed.process.kill()
    cycle = ended(group)
    [(attempt, answered_by)] = group.database.rows(
        "SELECT r.attempt, r.leased_by_id::text FROM agents_busrequest r"
        " JOIN provisioning_cycle c ON c.request_id = r.id WHERE c.id = %s",
        cycle["id"],
    )
    killed.process.start()
    assert (attempt, answered_by != killed.id) == (2, True)
    assert_everything_once(group, cycle, active_directory)


def test_the_listener_is_killed_while_a_page_comes_in(group: Site, active_directory: World) -> None:
    stack = group.installation.stack
    with group.database.second_page_waits() as it_waits:
        group.steer("start")
        group.until(it_waits, "the agent has sent a second page")
        stack.children["hybrid"].kill()
    stack.wait_until_ready(stack.start_process("hybrid"))
    assert_everything_once(group, ended(group), active_directory)
    assert all(agent.process.running for agent in group.agents)
