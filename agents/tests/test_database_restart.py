"""PostgreSQL goes away and comes back while agents wait: a server of its own, so that no other test feels it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
import pytest

from agents.tests.portal_process import ROOT, Portal, serve
from agents.tests.waiting import until, until_stays
from agents.tests.wire_client import Meanwhile, Wire

_PREPARE = """
import sys
from pathlib import Path
from django.core.management import call_command
from django.utils import timezone
from agents.tests.cast import make_agent, make_domain
from agents.tests.portal_process import write_certificate
call_command("migrate", verbosity=0)
write_certificate(Path(sys.argv[1]))
member = make_agent(make_domain(), bootstrapped_at=timezone.now(), issued_at=timezone.now())
print(member.bus_token(timezone.now()))
"""
_QUEUE = """
from django.utils import timezone
from agents.models import Domain
from agents.tests.cast import queue
print(queue(Domain.objects.get(), timezone.now()).pk)
"""
_SET_UP = "import django; from portal import embedded; embedded.ensure_running(); django.setup()\n"
_RESTART = "from portal import embedded; embedded.stop(); embedded.start()"
_STOP = "from portal import embedded; embedded.stop()"


def run(code: str, environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    # Not below pytest's own folder: the embedded server runs as another account and has to get through.
    with tempfile.TemporaryDirectory(prefix="isthmus-") as folder:
        Path(folder).chmod(0o755)
        found = {"ISTHMUS_VAR": folder, "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "portal.settings"}
        try:
            yield found
        finally:
            run(_STOP, found)


@pytest.fixture(scope="module")
def wire(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Wire, Portal]]:
    folder = tmp_path_factory.mktemp("portal")
    token = run(_SET_UP + _PREPARE, environment, str(folder)).splitlines()[-1]
    with serve(folder, environment) as portal:
        agent = Wire(portal)
        agent.use(token)
        yield agent, portal


def test_agents_that_wait_through_a_restart_of_the_database_get_the_next_request(
    wire: tuple[Wire, Portal], environment: dict[str, str]
) -> None:
    agent, portal = wire
    with Meanwhile() as meanwhile:
        waiting = meanwhile.poll(agent, 50)
        until_stays(lambda: not waiting.done())
        run(_RESTART, environment)
        until(lambda: "Listening for wake-ups broke off" in portal.log.read_text())
        assert not waiting.done()
        queued = run(_SET_UP + _QUEUE, environment)
        assert waiting.result(timeout=60).json()["requestId"] == queued


def test_while_the_database_is_away_calls_are_refused_and_afterwards_served(
    wire: tuple[Wire, Portal], environment: dict[str, str]
) -> None:
    agent, portal = wire
    assert agent.poll(0).status_code == 204
    run(_STOP, environment)
    refused = agent.poll(0)
    assert refused.status_code == 503
    extension = refused.json()["urn:isthmus:scim:api:messages:1.0:Error"]
    assert (extension["code"], extension["retry"]) == ("ServiceUnavailable", True)
    assert extension["correlationId"] in portal.log.read_text()
    assert orjson.loads(refused.content)["detail"].endswith("try again.")
    run("from portal import embedded; embedded.start()", environment)
    assert agent.poll(0).status_code == 204
