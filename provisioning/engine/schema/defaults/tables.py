"""What of Active Directory flows to the built-in directory, one table per target object type.

{domain} and {netbios} stand for the AD domain of the configuration, as text literals.
"""

from __future__ import annotations

from typing import Final

ANCHOR: Final = "IIF(IsPresent([mS-DS-ConsistencyGuid]),[mS-DS-ConsistencyGuid],[objectGUID])"
"""mS-DS-ConsistencyGuid where present, else objectGUID: both arrive as base64 of their 16 bytes."""

NAME: Final = "IIF(IsPresent([displayName]),Trim([displayName]),Trim([cn]))"

PRINCIPAL_NAME: Final = (
    "IIF(IsPresent([userPrincipalName]),Trim([userPrincipalName]),IIF(IsPresent([sAMAccountName]),"
    'Join("@",[sAMAccountName],{domain}),Error("The account has neither a principal nor an account name.")))'
)

LAST_CHANGE: Final = 'FormatDateTime(DateFromNum([pwdLastSet]),"yyyyMMddHHmmss.0Z")'

USER: Final = f"""
SourceAnchorBinary | {ANCHOR} | string | anchor exact match1
UserPrincipalName | {PRINCIPAL_NAME} | string | required match2
OnPremisesUserPrincipalName | [userPrincipalName]
AccountEnabled | Not([accountDisabled]) | boolean | required
OnPremisesSamAccountName | [sAMAccountName]
OnPremiseSecurityIdentifier | [objectSid] | binary
OnPremisesDistinguishedName | [distinguishedName]
DnsDomainName | {{domain}}
NetBiosName | {{netbios}}
LastPasswordChangeTimestamp | {LAST_CHANGE}
CommonName | Trim([cn])
DisplayName | {NAME}
CredentialData | | string | secret
UserType | | string | keep
"""

PERSON: Final = """
GivenName | Trim([givenName])
Surname | Trim([sn])
MiddleName | Trim([middleName])
Initials | Trim([initials])
Alias | Trim([mailNickname])
Mail | Trim([mail])
ProxyAddresses | Trim([proxyAddresses]) | string | many exact
TargetAddress | Trim([targetAddress])
LegacyExchangeDN | [legacyExchangeDN]
CountryLetterCode | Trim([c])
Country | Trim([co])
CountryCode | [countryCode] | integer
City | Trim([l])
State | Trim([st])
PostalCode | Trim([postalCode])
StreetAddress | Trim([streetAddress])
PostOfficeBox | Trim([postOfficeBox]) | string | many
PhysicalDeliveryOfficeName | Trim([physicalDeliveryOfficeName])
Company | Trim([company])
Department | Trim([department])
JobTitle | Trim([title])
Description | Trim([description])
Info | [info]
Manager | [manager] | reference
TelephoneNumber | Trim([telephoneNumber])
Mobile | Trim([mobile])
HomePhone | Trim([homePhone])
Pager | Trim([pager])
FacsimileTelephoneNumber | Trim([facsimileTelephoneNumber])
IpPhone | Trim([ipPhone])
TelephoneAssistant | Trim([telephoneAssistant])
OtherTelephone | Trim([otherTelephone]) | string | many
OtherMobile | Trim([otherMobile]) | string | many
OtherHomePhone | Trim([otherHomePhone]) | string | many
OtherPager | Trim([otherPager]) | string | many
OtherFacsimileTelephoneNumber | Trim([otherFacsimileTelephoneNumber]) | string | many
OtherIpPhone | Trim([otherIpPhone]) | string | many
Url | Trim([url]) | string | many
WwwHomePage | Trim([wWWHomePage])
ThumbnailPhoto | [thumbnailPhoto] | binary
UserCertificate | [userCertificate] | binary | many
UserSMIMECertificate | [userSMIMECertificate] | binary | many
MsDSHABSeniorityIndex | [msDS-HABSeniorityIndex] | integer
MsDSPhoneticDisplayName | Trim([msDS-PhoneticDisplayName])
"""

EMPLOYEE: Final = """
EmployeeId | Trim([employeeID])
EmployeeNumber | Trim([employeeNumber])
EmployeeType | Trim([employeeType])
PreferredLanguage | Trim([preferredLanguage])
PreferredDataLocation | Trim([msDS-preferredDataLocation])
UsageLocation | Trim([msExchUsageLocation])
MsExchArchiveGUID | [msExchArchiveGUID] | binary
MsExchArchiveName | [msExchArchiveName] | string | many
MsExchArchiveStatus | [msExchArchiveStatus] | integer
MsExchAssistantName | [msExchAssistantName]
MsExchAuditAdmin | [msExchAuditAdmin] | integer
MsExchAuditDelegate | [msExchAuditDelegate] | integer
MsExchAuditDelegateAdmin | [msExchAuditDelegateAdmin] | integer
MsExchAuditOwner | [msExchAuditOwner] | integer
MsExchBlockedSendersHash | [msExchBlockedSendersHash] | binary
MsExchBypassAudit | [msExchBypassAudit] | boolean
MsExchDelegateListLink | [msExchDelegateListLink] | string | many
MsExchELCExpirySuspensionEnd | [msExchELCExpirySuspensionEnd]
MsExchELCExpirySuspensionStart | [msExchELCExpirySuspensionStart]
MsExchELCMailboxFlags | [msExchELCMailboxFlags] | integer
MsExchImmutableId | [msExchImmutableId]
MsExchMailboxAuditEnable | [msExchMailboxAuditEnable] | boolean
MsExchMailboxAuditLogAgeLimit | [msExchMailboxAuditLogAgeLimit] | integer
MsExchMailboxGuid | [msExchMailboxGuid] | binary
MsExchRemoteRecipientType | [msExchRemoteRecipientType] | integer
MsExchResourceCapacity | [msExchResourceCapacity] | integer
MsExchResourceDisplay | [msExchResourceDisplay]
MsExchResourceMetaData | [msExchResourceMetaData] | string | many
MsExchResourceSearchProperties | [msExchResourceSearchProperties] | string | many
MsExchSafeRecipientsHash | [msExchSafeRecipientsHash] | binary
MsExchSafeSendersHash | [msExchSafeSendersHash] | binary
MsExchTeamMailboxExpiration | [msExchTeamMailboxExpiration]
MsExchTeamMailboxOwners | [msExchTeamMailboxOwners] | string | many
MsExchTeamMailboxSharePointUrl | [msExchTeamMailboxSharePointUrl]
MsExchUserHoldPolicies | [msExchUserHoldPolicies] | string | many
MsRTCSIPApplicationOptions | [msRTCSIP-ApplicationOptions] | integer
MsRTCSIPDeploymentLocator | [msRTCSIP-DeploymentLocator]
MsRTCSIPLine | [msRTCSIP-Line]
MsRTCSIPOptionFlags | [msRTCSIP-OptionFlags] | integer
MsRTCSIPOwnerUrn | [msRTCSIP-OwnerUrn]
MsRTCSIPPrimaryUserAddress | [msRTCSIP-PrimaryUserAddress]
MsRTCSIPUserEnabled | [msRTCSIP-UserEnabled] | boolean
"""

RECIPIENT: Final = """
AuthOrig | [authOrig] | string | many
UnauthOrig | [unauthOrig] | string | many
DLMemRejectPerms | [dLMemRejectPerms] | string | many
DLMemSubmitPerms | [dLMemSubmitPerms] | string | many
PublicDelegates | [publicDelegates] | string | many
MsExchBypassModerationLink | [msExchBypassModerationLink] | string | many
MsExchCoManagedByLink | [msExchCoManagedByLink] | string | many
MsExchEnableModeration | [msExchEnableModeration] | boolean
MsExchHideFromAddressLists | [msExchHideFromAddressLists] | boolean
MsExchLitigationHoldDate | [msExchLitigationHoldDate]
MsExchLitigationHoldOwner | [msExchLitigationHoldOwner]
MsExchModeratedByLink | [msExchModeratedByLink] | string | many
MsExchModerationFlags | [msExchModerationFlags] | integer
MsExchRecipientDisplayType | [msExchRecipientDisplayType] | integer
MsExchRecipientTypeDetails | [msExchRecipientTypeDetails] | integer
MsExchRequireAuthToSendTo | [msExchRequireAuthToSendTo] | boolean
MsExchRetentionComment | [msExchRetentionComment]
MsExchRetentionUrl | [msExchRetentionURL]
MsExchSenderHintTranslations | [msExchSenderHintTranslations] | string | many
"""

GROUP: Final = f"""
SourceAnchorBinary | {ANCHOR} | string | anchor exact match1
DisplayName | {NAME} | string | required
CommonName | Trim([cn])
Description | Trim([description])
Info | [info]
Alias | Trim([mailNickname])
Mail | Trim([mail])
ProxyAddresses | Trim([proxyAddresses]) | string | many exact
LegacyExchangeDN | [legacyExchangeDN]
SecurityEnabled | CBool(BitAnd([groupType],&H80000000)) | boolean
Members | [member] | reference | many
ManagedBy | CStr([managedBy])
HideDLMembership | [hideDLMembership] | boolean
OnPremisesSamAccountName | [sAMAccountName]
OnPremiseSecurityIdentifier | [objectSid] | binary
OnPremisesDistinguishedName | [distinguishedName]
DnsDomainName | {{domain}}
NetBiosName | {{netbios}}
MsDSHABSeniorityIndex | [msDS-HABSeniorityIndex] | integer
MsDSPhoneticDisplayName | Trim([msDS-PhoneticDisplayName])
MsOrgIsOrganizational | [msOrg-IsOrganizational] | boolean
OOFReplyToOriginator | [oOFReplyToOriginator] | boolean
ReportToOriginator | [reportToOriginator] | boolean
ReportToOwner | [reportToOwner] | boolean
"""

CONTACT: Final = f"""
SourceAnchorBinary | {ANCHOR} | string | anchor exact match1
DisplayName | {NAME} | string | required
CommonName | Trim([cn])
OnPremisesDistinguishedName | [distinguishedName]
DnsDomainName | {{domain}}
NetBiosName | {{netbios}}
"""

EXTENSIONS: Final = "\n".join(
    [f"ExtensionAttribute{number} | Trim([extensionAttribute{number}])" for number in range(1, 16)]
    + [
        f"MsExchExtensionCustomAttribute{number} | Trim([msExchExtensionCustomAttribute{number}]) | string | many"
        for number in range(1, 6)
    ]
)

DIRECTORY: Final = {
    "User": "\n".join((USER, PERSON, EMPLOYEE, RECIPIENT, EXTENSIONS)),
    "Group": "\n".join((GROUP, RECIPIENT, EXTENSIONS)),
    "Contact": "\n".join((CONTACT, PERSON, RECIPIENT, EXTENSIONS)),
}
