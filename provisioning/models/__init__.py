"""Tables of the provisioning service."""

from __future__ import annotations

from provisioning.models.change import Change, ChangeKind, ChangeStatus, GroupFill, MemberChange
from provisioning.models.configuration import Configuration, NestedGroups, Reconcile, Target, TargetKind
from provisioning.models.cycle import Cycle, CycleKind, CycleStep
from provisioning.models.escrow import Escrow
from provisioning.models.job import Job, JobKind, JobState
from provisioning.models.link import Link, LinkMember, LinkMemberSet, LinkState
from provisioning.models.log import LogAction, LogStatus, ProvisioningLogEntry
from provisioning.models.notification import Notification, NotificationState
from provisioning.models.reconciliation import (
    DriftFinding,
    DriftKind,
    Reconciliation,
    ReconciliationMode,
    ReconciliationState,
)
from provisioning.models.source import (
    Arrival,
    ForeignPrincipal,
    MissingReference,
    ObjectType,
    ScopeKind,
    ScopeName,
    SeenObject,
    SourceMember,
    SourceMemberSet,
    SourceObject,
)

__all__ = [
    "Arrival",
    "Change",
    "ChangeKind",
    "ChangeStatus",
    "Configuration",
    "Cycle",
    "CycleKind",
    "CycleStep",
    "DriftFinding",
    "DriftKind",
    "Escrow",
    "ForeignPrincipal",
    "GroupFill",
    "Job",
    "JobKind",
    "JobState",
    "Link",
    "LinkMember",
    "LinkMemberSet",
    "LinkState",
    "LogAction",
    "LogStatus",
    "MemberChange",
    "MissingReference",
    "NestedGroups",
    "Notification",
    "NotificationState",
    "ObjectType",
    "ProvisioningLogEntry",
    "Reconcile",
    "Reconciliation",
    "ReconciliationMode",
    "ReconciliationState",
    "ScopeKind",
    "ScopeName",
    "SeenObject",
    "SourceMember",
    "SourceMemberSet",
    "SourceObject",
    "Target",
    "TargetKind",
]
