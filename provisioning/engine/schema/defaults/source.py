"""Active Directory as a source directory: the types of the attributes the default mappings read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from provisioning.engine.schema.model import (
    AttributeDefinition,
    AttributeType,
    Directory,
    ObjectDefinition,
    ReferencedObject,
)

NAME: Final = "Active Directory"
OBJECTS: Final = ("user", "inetOrgPerson", "group", "contact")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INTEGERS: Final = _words(
    """
    countryCode groupType userAccountControl pwdLastSet msDS-HABSeniorityIndex
    msExchArchiveStatus msExchAuditAdmin msExchAuditDelegate msExchAuditDelegateAdmin
    msExchAuditOwner msExchELCMailboxFlags msExchMailboxAuditLogAgeLimit msExchModerationFlags
    msExchRecipientDisplayType msExchRecipientTypeDetails msExchRemoteRecipientType
    msExchResourceCapacity msRTCSIP-ApplicationOptions msRTCSIP-OptionFlags
    """
)
_BOOLEANS: Final = _words(
    """
    accountDisabled hideDLMembership msExchBypassAudit msExchEnableModeration
    msExchHideFromAddressLists msExchMailboxAuditEnable msExchRequireAuthToSendTo
    msOrg-IsOrganizational msRTCSIP-UserEnabled oOFReplyToOriginator reportToOriginator
    reportToOwner isCriticalSystemObject
    """
)
_BINARIES: Final = _words(
    """
    objectGUID mS-DS-ConsistencyGuid objectSid msExchArchiveGUID msExchBlockedSendersHash
    msExchMailboxGuid msExchSafeRecipientsHash msExchSafeSendersHash thumbnailPhoto
    userCertificate userSMIMECertificate
    """
)
_REFERENCES: Final = _words(
    """
    manager member managedBy authOrig unauthOrig dLMemRejectPerms dLMemSubmitPerms
    publicDelegates msExchBypassModerationLink msExchCoManagedByLink msExchDelegateListLink
    msExchModeratedByLink msExchTeamMailboxOwners
    """
)
_MULTIVALUED: Final = _words(
    """
    member proxyAddresses postOfficeBox description url otherTelephone otherMobile
    otherHomePhone otherPager otherFacsimileTelephoneNumber otherIpPhone userCertificate
    userSMIMECertificate authOrig unauthOrig dLMemRejectPerms dLMemSubmitPerms publicDelegates
    msExchArchiveName msExchBypassModerationLink msExchCoManagedByLink msExchDelegateListLink
    msExchModeratedByLink msExchResourceMetaData msExchResourceSearchProperties
    msExchSenderHintTranslations msExchTeamMailboxOwners msExchUserHoldPolicies
    msExchExtensionCustomAttribute1 msExchExtensionCustomAttribute2
    msExchExtensionCustomAttribute3 msExchExtensionCustomAttribute4
    msExchExtensionCustomAttribute5
    """
)
# Not mapped by default, but what scope filters and expressions ask for most.
_USEFUL: Final = _words(
    """
    objectGUID mS-DS-ConsistencyGuid distinguishedName sAMAccountName whenChanged whenCreated
    adminDescription isCriticalSystemObject
    """
)
_USEFUL_OF_USERS: Final = _words(
    """
    userAccountControl accountExpires division
    """
)
_SECRET: Final = frozenset({"PasswordHash"})


def active_directory(attributes: dict[str, frozenset[str]], source_id: str) -> Directory:
    """The source directory; attributes gives the names the mappings of each object type read."""
    return Directory(
        id=source_id,
        name=NAME,
        read_only=True,
        discoverabilities="AttributeNames, AttributeDataTypes, AttributeReadOnly, ReferenceAttributes",
        objects=tuple(ObjectDefinition(name, _definitions(name, attributes[name])) for name in OBJECTS),
    )


def _definitions(object_name: str, mapped: Iterable[str]) -> tuple[AttributeDefinition, ...]:
    extra = _USEFUL_OF_USERS | _SECRET if object_name in {"user", "inetOrgPerson"} else frozenset()
    names = frozenset(mapped) | _USEFUL | extra
    return tuple(_definition(name) for name in sorted(names, key=str.lower))


def _definition(name: str) -> AttributeDefinition:
    kind = _kind(name)
    referenced = tuple(ReferencedObject(each, "distinguishedName") for each in OBJECTS)
    return AttributeDefinition(
        name=name,
        type=kind,
        anchor=name == "objectGUID",
        multivalued=name in _MULTIVALUED,
        referenced_objects=referenced if kind is AttributeType.REFERENCE else (),
    )


def _kind(name: str) -> AttributeType:
    for names, kind in (
        (_INTEGERS, AttributeType.INTEGER),
        (_BOOLEANS, AttributeType.BOOLEAN),
        (_BINARIES, AttributeType.BINARY),
        (_REFERENCES, AttributeType.REFERENCE),
    ):
        if name in names:
            return kind
    return AttributeType.STRING
