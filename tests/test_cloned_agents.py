"""Two real agents that share a copied state directory, at a real portal."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from agents.models import Agent, HealthSample
from agents.tests.cast import make_agent, make_domain
from agents.tests.portal_process import Portal, database_url, run_portal
from tests.agent_process import running, write_state


@pytest.fixture
def quick_portal(transactional_db: None, tmp_path: Path) -> Iterator[Portal]:
    """A portal that wants to hear of its agents every two seconds."""
    environment = {
        "DATABASE_URL": database_url(settings.DATABASES["default"]),
        "ISTHMUS_VAR": str(settings.VAR_DIR),
        "ISTHMUS_BOOTSTRAP_INTERVAL": "2",
    }
    folder = tmp_path / "portal"
    folder.mkdir()
    with run_portal(folder, environment) as portal:
        yield portal


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It never happened."
        time.sleep(0.1)


def samples() -> int:
    return HealthSample.objects.count()


def processes_heard() -> int:
    return HealthSample.objects.values("instance_id").order_by().distinct().count()


@pytest.mark.django_db(transaction=True)
def test_a_copied_state_directory_is_flagged_while_both_agents_run(
    quick_portal: Portal, tmp_path: Path
) -> None:
    now = timezone.now()
    member = make_agent(make_domain(), bootstrapped_at=None, issued_at=now - timedelta(minutes=1))
    original, copy = tmp_path / "original", tmp_path / "copy"
    write_state(original, quick_portal, member)
    with running(original):
        wait_for(lambda: samples() >= 2)
        assert Agent.objects.get().cloned_since is None
        shutil.copytree(original, copy)
        with running(copy):
            wait_for(lambda: Agent.objects.get().cloned_since is not None)
        assert "127.0.0.1" in Agent.objects.get().clone_evidence


@pytest.mark.django_db(transaction=True)
def test_restarts_and_a_move_are_not_flagged(quick_portal: Portal, tmp_path: Path) -> None:
    now = timezone.now()
    member = make_agent(make_domain(), bootstrapped_at=None, issued_at=now - timedelta(minutes=1))
    original, moved = tmp_path / "original", tmp_path / "moved"
    write_state(original, quick_portal, member)
    for runs in (1, 2):
        with running(original):
            wait_for(lambda runs=runs: processes_heard() == runs)  # type: ignore[misc]  # bound now
    shutil.copytree(original, moved)
    with running(moved):
        wait_for(lambda: processes_heard() == 3)
        before = samples()
        wait_for(lambda: samples() > before)
    assert Agent.objects.get().cloned_since is None
