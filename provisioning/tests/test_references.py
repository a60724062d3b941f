"""Managers follow Active Directory through deletions, returns, and people who are not there."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from directory.models import User
from directory.models.membership import MemberKind
from directory.services import objects
from directory.services.rows import ObjectWrite, Verb
from provisioning.models import Change, MissingReference, ObjectType, ProvisioningLogEntry, SourceObject
from provisioning.services import ingest, planning
from provisioning.services.phases import Phase
from provisioning.store import creations
from provisioning.store.batches import Batch
from provisioning.tests.answering import Bench, Resource, changed, guid_of, tombstone, user
from provisioning_agent.wire.pages import AD_SCHEMA

pytestmark = pytest.mark.django_db(transaction=True)


def below(name: str, manager: UUID | None, guid: UUID | None = None) -> Resource:
    """A user with this manager."""
    reference = {"value": str(manager), "display": "CN=manager"} if manager else None
    return user(name, guid, manager=reference)


def manager_of(name: str) -> str | None:
    """The manager's name in the target, also where that one is in the bin."""
    manager = User.objects.get(display_name=name).manager_id
    return str(User.objects.get(pk=manager).display_name) if manager else None


def test_a_manager_who_returns_is_linked_again() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    ada = below("ada", guid_of(boss))
    bench.cycle([boss, ada])
    bench.cycle([tombstone(boss)])
    assert manager_of("ada") is None
    bench.cycle([boss])
    assert manager_of("ada") == "boss"


def test_one_who_returns_without_a_manager_has_none() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    ada = below("ada", guid_of(boss))
    bench.cycle([boss, ada])
    bench.cycle([tombstone(ada)])
    bench.cycle([below("ada", None, guid_of(ada))])
    assert manager_of("ada") is None


def test_one_who_returns_below_a_stranger_has_no_manager() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    ada = below("ada", guid_of(boss))
    bench.cycle([boss, ada])
    bench.cycle([tombstone(ada)])
    bench.cycle([below("ada", uuid4(), guid_of(ada))])
    assert manager_of("ada") is None
    assert bench.cycle([]).count_planned == 0


def test_one_who_returns_unchanged_has_the_manager_again() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    ada = below("ada", guid_of(boss))
    bench.cycle([boss, ada])
    bench.cycle([tombstone(ada)])
    bench.cycle([ada])
    assert manager_of("ada") == "boss"


def test_a_manager_whom_we_do_not_know_replaces_the_old_one_by_none_until_he_appears() -> None:
    bench = Bench.set_up()
    boss, other = user("boss"), user("other")
    ada = below("ada", guid_of(boss))
    bench.cycle([boss, ada])
    bench.cycle([below("ada", guid_of(other), guid_of(ada))])
    assert manager_of("ada") is None
    bench.cycle([other])
    assert manager_of("ada") == "other"


def test_a_manager_who_is_deleted_in_the_same_cycle_is_not_linked() -> None:
    bench = Bench.set_up()
    boss, ada = user("boss"), below("ada", None)
    bench.cycle([boss, ada])
    cycle = bench.cycle([below("ada", guid_of(boss), guid_of(ada)), tombstone(boss)])
    assert (cycle.count_failed, manager_of("ada")) == (0, None)
    bench.cycle([boss])
    assert manager_of("ada") == "boss"


def test_one_who_managed_herself_returns_without_a_manager() -> None:
    bench = Bench.set_up()
    guid = uuid4()
    bench.cycle([below("ada", guid, guid)])
    assert manager_of("ada") == "ada"
    bench.cycle([below("ada", uuid4(), guid)])
    assert manager_of("ada") is None


def test_a_manager_whose_creation_is_refused_is_linked_once_it_succeeds() -> None:
    bench = Bench.set_up(parks_duplicates=False)
    bench.cycle([rival := user("rival", userPrincipalName="boss@corp.example")])
    boss = user("boss")
    ada, bob = below("ada", guid_of(boss)), below("bob", guid_of(rival))
    cycle = bench.cycle([ada, boss, bob])
    assert cycle.count_failed == 1
    # Ada was written with the id that the boss was to have: nobody has it, so that it is taken back.
    assert User.objects.get(display_name="ada").manager_id is None
    assert manager_of("bob") == "rival"
    assert bench.cycle([]).count_planned == 0
    bench.cycle([changed(rival, userPrincipalName="rival@corp.example")])
    bench.cycle([changed(boss, title="Head")])
    assert manager_of("ada") == "boss"


def test_a_manager_who_was_in_the_target_under_another_id_is_linked() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    anchor = str(boss[AD_SCHEMA]["objectGUID"])
    known = UUID(int=7)
    objects.write(MemberKind.USER, [ObjectWrite(1, Verb.CREATE, known, anchor, "{}")], timezone.now())
    assert bench.cycle([below("ada", guid_of(boss)), boss]).count_failed == 0
    assert User.objects.get(display_name="boss").pk == known
    assert User.objects.get(display_name="ada").manager_id == known
    assert bench.cycle([]).count_planned == 0


def test_a_manager_comes_with_the_creation_and_its_log_row() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    cycle = bench.cycle([below("ada", guid_of(boss)), boss])
    assert (cycle.count_planned, cycle.count_exported) == (2, 2)
    entry = ProvisioningLogEntry.objects.get(cycle_id=cycle.pk, source_name__startswith="CN=ada")
    assert {"displayName": "Manager", "oldValue": None, "newValue": boss["id"]} in entry.modified


def test_a_target_may_take_several_references_with_a_creation_each_of_its_types() -> None:
    bench = Bench.set_up()
    boss, aide, stranger = user("boss"), user("aide"), uuid4()
    cycle = bench.begin()
    bench.answer([below("ada", guid_of(boss)), boss, aide], mode="initial")
    ingest.ingest(cycle.pk)
    guids = {"Manager": boss["id"], "Assistant": aide["id"], "Owner": aide["id"], "Sponsor": str(stranger)}
    SourceObject.objects.filter(dn__startswith="CN=ada").update(reference_guids=guids)
    planning.plan(cycle.pk)
    users, contacts = (ObjectType.USER,), (ObjectType.CONTACT,)
    taken = {"Manager": users, "Assistant": users, "Owner": contacts, "Sponsor": users}
    with transaction.atomic():
        staged = creations.stage(bench.configuration.pk, Batch(cycle.pk, Phase.OBJECTS, 0), taken, {})
        [ada] = [one for one in staged.read() if one.references]
    found = {name: (one.guid, one.target_id) for name, one in ada.references.items()}
    assert found == {
        name: (one["id"], proposed_id(one)) for name, one in (("Manager", boss), ("Assistant", aide))
    }


def proposed_id(resource: Resource) -> str:
    """Under which the object is to be created."""
    source = SourceObject.objects.get(guid=guid_of(resource))
    return str(Change.objects.get(source_id=source.pk).proposed_id)


def test_who_waits_for_a_manager_is_looked_at_again_only_when_that_one_comes() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    ada = below("ada", guid_of(boss))
    bench.cycle([ada])
    assert not SourceObject.objects.filter(references_dirty=True).exists()
    assert list(MissingReference.objects.values_list("guid", flat=True)) == [guid_of(boss)]
    bench.cycle([user("somebody else")])
    assert (manager_of("ada"), MissingReference.objects.count()) == (None, 1)
    cycle = bench.cycle([boss])
    assert (manager_of("ada"), cycle.count_planned) == ("boss", 2)
    assert not MissingReference.objects.exists()
    assert not SourceObject.objects.filter(references_dirty=True).exists()


def test_a_manager_whom_the_target_keeps_is_a_manager_still() -> None:
    bench = Bench.set_up(skip_out_of_scope_deletions=True)
    boss, ada = user("boss"), below("ada", None)
    bench.cycle([boss, ada])
    bench.cycle([tombstone(boss, "outOfScope"), below("ada", guid_of(boss), guid_of(ada))])
    assert manager_of("ada") == "boss"


def test_a_reference_that_changed_while_its_holder_was_out_of_scope_is_written_on_return() -> None:
    bench = Bench.set_up(skip_out_of_scope_deletions=True)
    boss, other = user("boss"), user("other")
    ada = below("ada", guid_of(boss))
    bench.cycle([boss, other, ada])
    bench.cycle([changed_ada := below("ada", guid_of(other), guid_of(ada)), tombstone(ada, "outOfScope")])
    assert manager_of("ada") == "boss"
    bench.cycle([user("somebody else")])
    assert not SourceObject.objects.filter(references_dirty=True).exists()
    bench.cycle([changed_ada])
    assert manager_of("ada") == "other"
