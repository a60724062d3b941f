"""Error codes of the provisioning service, each with the sentence that says what to do.

Names of the original are kept where it has one (entra-cycle §12).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ERRORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "TimeOut": "No agent answered in time. Check that the agents of the domain run and reach the portal.",
        "HybridIdentityServiceNoAgentsAssigned": (
            "No agent is registered for the domain. Add an agent and let it serve this domain."
        ),
        "HybridIdentityServiceNoActiveAgents": (
            "The domain has agents, but none of them is active. Start one, or check its way to the portal."
        ),
        "HybridSynchronizationActiveDirectoryInternalServerError": (
            "The agent could not turn the request into an LDAP search. See the detail and the agent's log."
        ),
        "TooManyDeletes": (
            "The cycle would delete or disable too many objects. Look at the list, then allow or reject it."
        ),
        "EncounteredQuarantineException": (
            "The job fails as a whole and runs less often. Mend the cause; the next good cycle ends the quarantine."
        ),
        "EncounteredEscrowProportionThreshold": (
            "More than 40 % of what a cycle wrote failed. See the failures in the log and mend their cause; the "
            "quarantine ends when they succeed."
        ),
        "EncounteredBaseEscrowThreshold": (
            "More than 40 000 objects fail. See the failures in the log and mend their cause."
        ),
        "EncounteredTotalEscrowThreshold": (
            "More than 60 000 objects and references fail. See the failures in the log and mend their cause."
        ),
        "QuarantinedTooLong": (
            "The job was in quarantine for four weeks and is disabled. Mend the cause, then start the job."
        ),
        "RequestUnknown": "The request was lost from the bus. The next cycle asks again; nothing has to be done.",
        "AttributeValueMustBeUnique": (
            "Another object of the target holds the same value. Change one of the two in Active Directory."
        ),
        "ObjectTypeMismatch": (
            "An object of another type in the target holds the same value. Change one of the two, or remove the other."
        ),
        "InvalidHardMatch": (
            "An object made in the cloud has this source anchor. Allow takeover by hard match on the target, or change "
            "one of the two anchors."
        ),
        "InvalidAnchor": "The linked object is gone from the target. Restart the job to create it again.",
        "MissingValues": "The mapping gives no source anchor for the object. Map SourceAnchorBinary.",
        "DataValidationFailed": (
            "A value does not fit the target: of the wrong type, or too long. Correct it in Active Directory, or "
            "its mapping."
        ),
        "UnableToResolveReferenceAttributeValue": (
            "The object that is referred to is not in the target yet. It is linked as soon as it is."
        ),
        "SchemaAttributeNotFound": "The target has no such attribute. Remove it from the mapping.",
        "JobHeld": "The job is held. Allow or reject its deletions, or restart it.",
        "JobNotHeld": "The job is not held. Reload the page; somebody may have been faster.",
        "JobNotQuarantined": "The job is not in quarantine. Reload the page; it may have ended by itself.",
        "InvalidResetScope": (
            "The reset scope is not known. Name None, or a comma list of ConnectorDataStore, Escrows, Watermark, "
            "QuarantineState, Full and ForceDeletes."
        ),
        "ObjectNotFound": (
            "Active Directory has no such object in this domain. Check the name; an object that was deleted is "
            "found by its objectGUID."
        ),
        "HybridSynchronizationActiveDirectoryUnexpectedDuplicateEntriesFound": (
            "Several objects of Active Directory have this user principal name. Make it unique, or name the object "
            "by its DN or objectGUID."
        ),
        "ScopeObjectUnsuitable": (
            "Only organisational units, containers and security groups limit a scope. Name one of these, or use an "
            "attribute clause."
        ),
        "ObjectNotRead": (
            "Objects of this kind are not synchronized: computers, critical system objects, and types that have no "
            "enabled mapping."
        ),
        "OnDemandTimeOut": (
            "No agent answered in time. It may be reading a whole domain; try again, or look at its heartbeat."
        ),
        "CycleInTheWay": "A cycle of the job is about to write this object. Try again when it has ended.",
        "DriftNotReadable": "Only what the built-in directory holds can be compared so far. Choose such a target.",
        "ReconciliationUnderWay": (
            "A reconciliation of this configuration waits or is under way. Wait until it has ended."
        ),
        "AgentTooOld": "The agent that answered does not know single objects. Update it.",
        "JobDisabled": "The job is disabled. Start it first.",
        "CycleUndone": (
            "A cycle was undone, and the next one writes the same again as long as Active Directory, scope or mapping "
            "say so: mend them, then start the job."
        ),
        "CycleUnderWay": "A cycle of the job is under way. Pause the job, and try again when the cycle has ended.",
        "CycleNotUndoable": (
            "Only a cycle that has ended, and that ran under a version that keeps what an undo needs, can be undone. "
            "Wait for its end, or restart the job after mending Active Directory, scope or mapping."
        ),
        "UndoNotReadable": "Only what was written to the built-in directory can be undone so far.",
        "UndoHasChanged": "What the undo would do is not what was shown any more. Look at it again, then undo.",
        "ChangedSince": (
            "It was changed again since, by a later cycle or by hand, and is left alone. Undo the later cycle first, "
            "or change it by hand."
        ),
        "DeletedSince": "It is not in the target any more, so its old values are not written.",
        "WasThereBefore": (
            "The cycle did not create it: it was in the target before and was taken over. What it held then was not "
            "kept, so it is left alone. Delete it by hand if it is to go."
        ),
        "DeletedForGood": (
            "It was deleted more than 30 days ago and can not be restored. What Active Directory still has is created "
            "anew by the next cycle."
        ),
        "ReferenceNotThere": "What it referred to before is not in the target any more, so the reference stays.",
        "ObjectNotInBin": "The object is not soft-deleted. Reload the page; somebody may have been faster.",
        "NoLongerKnown": (
            "A restart of the job has forgotten the object since. Look for it in the target, and change it by hand."
        ),
    }
)

# A person has to act: the job is quarantined at once instead of failing every two minutes.
CRITICAL: Final = frozenset(
    {
        "AdBindFailed",
        "AdCertificateUntrusted",
        "ScopeContainerMissing",
        "ScopeGroupMissing",
    }
)
