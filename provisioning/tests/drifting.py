"""Drift as somebody else brings it about, in the tables of the directory itself, and reconciliations run to the end."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils import timezone

from directory.models import Membership, User
from directory.tests import memberships
from provisioning.models import DriftFinding, Reconciliation, ReconciliationMode
from provisioning.services import reconciliations
from provisioning.services.hints import Hint
from provisioning.tests.answering import Bench, group, guid_of, run_to_end, user

REPORT, REPAIR = ReconciliationMode.REPORT, ReconciliationMode.REPAIR


def begin(bench: Bench, mode: ReconciliationMode) -> tuple[Reconciliation, list[Hint]]:
    """Ask for a reconciliation and start it; its first hints."""
    run = reconciliations.ask(bench.configuration, mode, timezone.now())
    hints = reconciliations.start_due(timezone.now())
    assert hints
    return run, hints


def reconcile(bench: Bench, mode: ReconciliationMode = REPORT) -> Reconciliation:
    """One reconciliation from the asking to its end."""
    run, hints = begin(bench, mode)
    run_to_end(hints)
    run.refresh_from_db()
    assert run.ended_at is not None
    assert bench.job.current_cycle is None
    return run


def found(run: Reconciliation) -> list[tuple[str, str, str]]:
    """Kind, object and member of everything that was listed, by their first names."""
    rows = DriftFinding.objects.filter(reconciliation=run)
    return sorted((one.kind, _first(one.source_name), _first(one.member_name)) for one in rows)


def execute(statement: str, *parameters: Any, **named: Any) -> int:
    """Write past us; how many rows that changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, named or parameters)
        return int(cursor.rowcount)


def id_of(name: str) -> Any:
    """The id of a user or group of the directory by its display name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM directory_user WHERE display_name = %(name)s UNION ALL"
            " SELECT id FROM directory_group WHERE display_name = %(name)s",
            {"name": name},
        )
        [[found_id]] = cursor.fetchall()
        return found_id


def join(group: str, member: Any) -> None:
    """Make an object, by its id, a member of a group."""
    memberships.join(id_of(group), member)


def leave(group: str, member: str) -> None:
    """End a membership."""
    there = Membership.objects.filter(group_id=id_of(group), member_id=id_of(member))
    assert there.count() == 1
    memberships.leave(id_of(group), id_of(member))
    assert there.count() == 0


def vanish(user: str) -> None:
    """Remove a user for good, as the directory does: with its memberships, and without a trace."""
    memberships.end(id_of(user))
    execute("DELETE FROM directory_user WHERE id = %s", id_of(user))


class Company:
    """Six people, a boss among them, and two groups, as they are in AD and in the target."""

    def __init__(self, **switches: object) -> None:
        self.boss = user("boss")
        manager = {"value": self.boss["id"], "display": "CN=boss"}
        self.ada = user("ada", department="Sales", manager=manager)
        self.bob, self.cid, self.dan = user("bob"), user("cid", manager=manager), user("dan")
        self.eve = user("eve", accountDisabled=True)
        self.people = [self.boss, self.ada, self.bob, self.cid, self.dan, self.eve]
        self.staff = group("staff", [guid_of(one) for one in self.people[:4]])
        self.club = group("club", [guid_of(self.dan)])
        self.bench = Bench.set_up(**switches)
        self.bench.cycle([*self.people, self.staff, self.club])


def drift_of_every_kind(company: Company) -> None:
    """One of each, but for a deleted object that is back."""
    execute(
        """UPDATE directory_user SET attributes = attributes || '{"Department": "Other"}' WHERE id = %s""",
        id_of("ada"),
    )
    execute("UPDATE directory_user SET manager_id = %s WHERE id = %s", id_of("bob"), id_of("cid"))
    execute("UPDATE directory_user SET deleted_at = now() WHERE id = %s", id_of("dan"))
    leave("staff", "boss")
    join("club", id_of("ada"))
    stranger = User.objects.create(
        attributes={"DisplayName": "stranger", "AccountEnabled": True},
        created_at=timezone.now(),
        updated_at=timezone.now(),
    )
    join("club", stranger.pk)
    vanish("bob")


def _first(dn: str) -> str:
    return dn.partition(",")[0].removeprefix("CN=")
