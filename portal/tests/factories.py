"""Rows as a running installation would have them."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from agents.models import Agent, AgentState, Domain, ResourceGrouping, StateChange
from directory.models import Contact, Group
from directory.models import User as DirectoryUser
from directory.tests import memberships
from provisioning.engine.schema import default_schema
from provisioning.models import (
    Change,
    ChangeKind,
    Configuration,
    Cycle,
    CycleKind,
    CycleStep,
    Job,
    JobState,
    Link,
    LogAction,
    LogStatus,
    ObjectType,
    ProvisioningLogEntry,
    SourceObject,
    Target,
)

FIRST = (
    "Ada",
    "Zoë",
    "Grace",
    "Jürgen",
    "Renée",
    "Søren",
    "Lucía",
    "Paweł",
    "Mehmet",
    "Amélie",
    "Noah",
    "Ines",
)
LAST = ("Lovelace", "O'Brien", "Müller", "Nowak", "García", "Lindqvist", "Okafor", "Dubois", "Rossi", "Çelik")
DEPARTMENTS = ("Finance", "Sales", "Research", "Operations", "Human Resources", "IT")


def administrator(username: str = "admin") -> User:
    """A superuser."""
    return User.objects.create_superuser(username, f"{username}@contoso.example", "correct horse battery")


def staff(username: str, *permissions: str) -> User:
    """A member of staff with just these permissions (``app.codename``)."""
    user = User.objects.create_user(username, password="correct horse battery", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def domain(fqdn: str, **fields: Any) -> Domain:
    """An AD domain."""
    defaults = {
        "netbios": fqdn.split(".")[0].upper()[:15],
        "forest": fqdn,
        "sid": "S-1-5-21-" + "-".join(str(random.randrange(10**9)) for _ in range(3)),
    }
    return Domain.objects.create(fqdn=fqdn, **{**defaults, **fields})


def agent(name: str, *domains: Domain, state: AgentState = AgentState.ACTIVE, silent_for: int = 90) -> Agent:
    """An agent that bootstrapped ``silent_for`` seconds ago."""
    now = timezone.now()
    heard = now - timedelta(seconds=silent_for)
    made = Agent.objects.create(
        name=name,
        version="0.1.0",
        operating_system="Debian GNU/Linux 12",
        external_ip="203.0.113.17",
        state=state,
        last_bootstrap_at=heard,
        next_bootstrap_at=heard + timedelta(minutes=10),
        certificate="-----BEGIN CERTIFICATE-----",
        certificate_thumbprint=uuid.uuid4().hex[:32],
        certificate_not_after=now + timedelta(days=151),
    )
    Agent.objects.filter(pk=made.pk).update(registered_at=now - timedelta(days=29))
    ResourceGrouping.objects.bulk_create(ResourceGrouping(agent=made, domain=each) for each in domains)
    made.refresh_from_db()
    return made


def flip(of: Agent, before: AgentState, after: AgentState, *, hours_ago: float, reason: str = "") -> None:
    """A change of state in the past."""
    at = timezone.now() - timedelta(hours=hours_ago)
    StateChange.objects.create(
        agent=of, at=at, before=before, after=after, reason=reason or "One bootstrap was missed."
    )


def target() -> Target:
    """The built-in directory."""
    return Target.objects.get_or_create(name="Cloud directory")[0]


def configuration(name: str, of: Domain, *, state: JobState = JobState.ACTIVE, **fields: Any) -> Job:
    """A configuration's object job."""
    now = timezone.now()
    made = Configuration.objects.create(
        name=name,
        domain=of,
        target=target(),
        schema=default_schema(domain_fqdn=of.fqdn, domain_netbios=of.netbios),
        notification_addresses=["it@contoso.example"],
        **fields,
    )
    runs = state in (JobState.ACTIVE, JobState.QUARANTINED)
    return Job.objects.create(
        configuration=made,
        state=state,
        state_since=now - timedelta(days=3, hours=4),
        next_run_at=now + timedelta(seconds=73) if runs else None,
        last_success_at=now - timedelta(seconds=47) if state != JobState.DISABLED else None,
        watermark="opaque" if runs else "",
        watermark_at=now - timedelta(seconds=47) if runs else None,
    )


def cycle(
    job: Job, step: CycleStep = CycleStep.DONE, *, minutes_ago: float = 1, seconds: float = 2.4, **fields: Any
) -> Cycle:
    """One run of a job."""
    started = timezone.now() - timedelta(minutes=minutes_ago)
    ended = started + timedelta(seconds=seconds) if step in (CycleStep.DONE, CycleStep.FAILED) else None
    return Cycle.objects.create(
        job=job,
        kind=fields.pop("kind", CycleKind.DELTA),
        step=step,
        started_at=started,
        moved_at=ended or timezone.now(),
        ended_at=ended,
        **fields,
    )


def log_entry(of: Cycle, name: str, **fields: Any) -> ProvisioningLogEntry:
    """One line of the log."""
    defaults: dict[str, Any] = {
        "at": timezone.now() - timedelta(seconds=30),
        "configuration_id": of.job.configuration_id,
        "cycle_id": of.pk,
        "object_type": ObjectType.USER,
        "source_guid": uuid.uuid4(),
        "source_name": name,
        "action": LogAction.UPDATE,
        "status": LogStatus.SUCCESS,
    }
    return ProvisioningLogEntry.objects.create(**{**defaults, **fields})


def filled_group(
    of: Cycle, name: str, *members: SourceObject, unnamed: int = 0, **fields: Any
) -> ProvisioningLogEntry:
    """The line about the members of a group that the cycle has created; ``unnamed`` are more of them."""
    told = {"displayName": "members added", "count": len(members) + unnamed, "oldValue": None}
    kept = {"stored_modified": [told], "members": [one.pk for one in members]}
    return log_entry(of, name, object_type=ObjectType.GROUP, **kept, **fields)


def source(of: Configuration, dn: str, **fields: Any) -> SourceObject:
    """An AD object as last reported."""
    made = _source(of, dn, **fields)
    made.save()
    return made


def link(of: SourceObject, target_id: uuid.UUID, exported: dict[str, Any]) -> Link:
    """What was written for an AD object."""
    made = _link(of, target_id, exported)
    made.save()
    return made


def _source(of: Configuration, dn: str, **fields: Any) -> SourceObject:
    defaults: dict[str, Any] = {
        "configuration": of,
        "guid": uuid.uuid4(),
        "object_type": ObjectType.USER,
        "dn": dn,
        "attributes_hash": b"0" * 16,
        "wanted_hash": b"0" * 16,
        "updated_at": timezone.now(),
    }
    return SourceObject(**{**defaults, **fields})


def _link(of: SourceObject, target_id: uuid.UUID, exported: dict[str, Any]) -> Link:
    now = timezone.now()
    return Link(
        source=of,
        configuration=of.configuration,
        target_id=str(target_id),
        exported=exported,
        exported_hash=b"0" * 16,
        linked_at=now,
        updated_at=now,
    )


@dataclass(frozen=True, slots=True)
class Person:
    """Names of a made-up person."""

    given: str
    surname: str
    number: int

    @property
    def display_name(self) -> str:
        """As people write it."""
        return f"{self.given} {self.surname}"

    @property
    def upn(self) -> str:
        """A sign-in name that no one else has."""
        return f"user{self.number:04d}@contoso.example"


def person(number: int) -> Person:
    """The same person for the same number."""
    return Person(FIRST[number % len(FIRST)], LAST[(number // len(FIRST)) % len(LAST)], number)


def user(number: int, **fields: Any) -> DirectoryUser:
    """A user of the cloud directory."""
    return users([number], **fields)[0]


def users(numbers: Iterable[int], **fields: Any) -> list[DirectoryUser]:
    """Users of the cloud directory, written at once."""
    return DirectoryUser.objects.bulk_create(_user(number, **fields) for number in numbers)


def _user(number: int, **fields: Any) -> DirectoryUser:
    who, moment = person(number), timezone.now() - timedelta(minutes=number)
    attributes = {
        "UserPrincipalName": who.upn,
        "DisplayName": who.display_name,
        "GivenName": who.given,
        "Surname": who.surname,
        "Mail": who.upn,
        "Department": DEPARTMENTS[number % len(DEPARTMENTS)],
        "JobTitle": "Analyst",
        "AccountEnabled": number % 9 != 0,
        "ProxyAddresses": [f"SMTP:{who.upn}", f"smtp:{number}@contoso.example"],
    }
    return DirectoryUser(
        immutable_id=anchor(), attributes=attributes, created_at=moment, updated_at=moment, **fields
    )


def group(name: str, *members: DirectoryUser, **fields: Any) -> Group:
    """A group of the cloud directory with its members."""
    now = timezone.now()
    made = Group.objects.create(
        immutable_id=anchor(),
        attributes={"DisplayName": name, "Description": f"Everybody in {name}", "Mail": None},
        created_at=now,
        updated_at=now,
        **fields,
    )
    memberships.join(made.pk, *(member.pk for member in members))
    return made


def contact(name: str) -> Contact:
    """A contact of the cloud directory."""
    now = timezone.now()
    attributes = {"DisplayName": name, "Mail": "partner@fabrikam.example", "Company": "Fabrikam"}
    return Contact.objects.create(
        immutable_id=anchor(), attributes=attributes, created_at=now, updated_at=now
    )


def anchor() -> str:
    """A source anchor nobody else has."""
    return base64.b64encode(uuid.uuid4().bytes_le).decode()


def held(job: Job, people: int) -> Cycle:
    """Hold a job over this many removals, every tenth of them a disable."""
    waiting = cycle(job, CycleStep.HELD, minutes_ago=12, count_imported=people, count_planned=people)
    gone = SourceObject.objects.bulk_create(_gone(job.configuration, number) for number in range(people))
    Link.objects.bulk_create(
        _link(each, uuid.uuid4(), {"UserPrincipalName": person(number).upn})
        for number, each in enumerate(gone)
    )
    Change.objects.bulk_create(
        Change(
            cycle=waiting,
            source_id=each.pk,
            object_type=ObjectType.USER,
            kind=ChangeKind.DELETE if number % 10 else ChangeKind.DISABLE,
            phase=3,
            batch=0,
        )
        for number, each in enumerate(gone)
    )
    disables = len(range(0, people, 10))
    Job.objects.filter(pk=job.pk).update(
        state=JobState.HELD,
        current_cycle=waiting,
        next_run_at=None,
        state_reason="TooManyDeletes",
        state_detail=f"This cycle would delete {people - disables} and disable {disables} objects.",
        state_since=timezone.now() - timedelta(minutes=12),
    )
    job.refresh_from_db()
    return waiting


def _gone(of: Configuration, number: int) -> SourceObject:
    dn = f"CN={person(number).display_name} {number},OU=Former,DC=branch,DC=contoso,DC=example"
    return _source(of, dn, is_gone=True, gone_reason="deleted" if number % 3 else "out of scope")


def schema() -> dict[str, Any]:
    """A small schema document in Graph's shape."""
    direct = {"Department": "department", "Title": "title", "Surname": "sn", "GivenName": "givenName"}
    attributes: list[dict[str, Any]] = [
        {
            "targetAttributeName": name,
            "flowType": "Always",
            "source": {"type": "Attribute", "expression": f"[{field}]"},
        }
        for name, field in direct.items()
    ]
    attributes.append(
        {
            "targetAttributeName": "UserPrincipalName",
            "flowType": "ObjectAddOnly",
            "matchingPriority": 1,
            "source": {
                "type": "Function",
                "expression": "IIF(IsPresent([userPrincipalName]), [userPrincipalName], [mail])",
            },
        }
    )
    mapping = {
        "name": "Provision Active Directory users",
        "sourceObjectName": "user",
        "targetObjectName": "User",
        "enabled": True,
        "attributeMappings": attributes,
    }
    return {"synchronizationRules": [{"name": "AD to directory", "objectMappings": [mapping]}]}


def moment(minutes_ago: float) -> datetime:
    """A moment in the past."""
    return timezone.now() - timedelta(minutes=minutes_ago)
