"""A cycle without a change asks little of the database, however large the domain is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from provisioning.models import Cycle, CycleStep, SourceObject
from provisioning.services import ingest, jobs, starting
from provisioning.services.clock import now
from provisioning.store import pending
from provisioning.tests.answering import Bench, group, guid_of, user

pytestmark = pytest.mark.django_db(transaction=True)
# From the job that is due to the job that is free again; what the agent's own calls cost is not part of it.
MOST_TO_START = 10
MOST_TO_SETTLE = 15


def synchronized() -> Bench:
    """Somebody in a group, and everything of them in the target."""
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada, group("team", [guid_of(ada)])])
    assert bench.cycle().count_planned == 0
    return bench


def shown(captured: CaptureQueriesContext) -> str:
    return "\n".join(query["sql"] for query in captured.captured_queries)


def test_an_idle_cycle_is_settled_with_its_only_page_in_few_statements() -> None:
    bench = synchronized()
    jobs.run_now(bench.job, now())
    with CaptureQueriesContext(connection) as starts:
        assert starting.start_due(now())
    bench.answer([], mode="delta")
    cycle = Cycle.objects.latest("pk")
    with CaptureQueriesContext(connection) as settles:
        assert ingest.ingest(cycle.pk) == []
    cycle.refresh_from_db()
    assert (cycle.step, bench.job.current_cycle_id) == (CycleStep.DONE, None)
    assert (bench.job.watermark, bench.job.last_success_at) == (f"watermark-{bench.served}", cycle.ended_at)
    assert len(starts) <= MOST_TO_START, shown(starts)
    assert len(settles) <= MOST_TO_SETTLE, shown(settles)


def test_an_idle_cycle_does_not_read_the_schema_document() -> None:
    bench = synchronized()
    with CaptureQueriesContext(connection) as captured:
        bench.cycle()
    assert "provisioning_configuration" in shown(captured)
    assert '"schema"' not in shown(captured)


def test_what_is_pending_is_asked_of_indexes_alone() -> None:
    bench = synchronized()
    with nothing_is_scanned(), CaptureQueriesContext(connection) as captured:
        assert not pending.is_anything(bench.configuration.pk, 0, now())
    [question] = captured.captured_queries
    with nothing_is_scanned(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {question['sql']}")
        plan = [row[0] for row in cursor.fetchall()]
    assert any("Index" in line for line in plan)
    assert not [line for line in plan if "Seq Scan" in line]


@contextmanager
def nothing_is_scanned() -> Iterator[None]:
    """Small tables are scanned although they have an index; where there is none they still are."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        yield
        cursor.execute("RESET enable_seqscan")


@pytest.mark.parametrize("mark", ["is_dirty", "members_dirty", "references_dirty"])
def test_what_is_marked_is_planned_though_nothing_came(mark: str) -> None:
    bench = synchronized()
    SourceObject.objects.filter(object_type=2).update(**{mark: True})
    cycle = bench.begin()
    bench.answer([], mode="delta")
    assert ingest.ingest(cycle.pk) != []


def test_a_quarantined_job_is_freed_by_an_idle_cycle() -> None:
    bench = synchronized()
    job = bench.job
    job.state, job.state_reason, job.state_since = "quarantined", "TimeOut", now()
    job.save()
    bench.cycle()
    assert bench.job.state == "active"
