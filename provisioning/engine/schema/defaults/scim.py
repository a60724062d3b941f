"""Default mapping to SCIM 2.0: core and enterprise user, group (RFC 7643 §4)."""

from __future__ import annotations

from typing import Final

from provisioning.engine.schema.defaults.tables import ANCHOR, NAME, PRINCIPAL_NAME

USER_NAME: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_NAME: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_FULL_NAME: Final = 'Join(" ",Trim([givenName]),Trim([sn]))'

TABLES: Final = {
    USER_NAME: f"""
externalId | {ANCHOR} | string | required exact match1
userName | {PRINCIPAL_NAME} | string | anchor match2
active | Not([accountDisabled]) | boolean | required
displayName | {NAME}
name.givenName | Trim([givenName])
name.familyName | Trim([sn])
name.middleName | Trim([middleName])
name.formatted | {_FULL_NAME}
nickName | Trim([mailNickname])
title | Trim([title])
preferredLanguage | Trim([preferredLanguage])
profileUrl | Trim([wWWHomePage])
userType | Trim([employeeType])
emails[type eq "work"].value | Trim([mail])
addresses[type eq "work"].formatted | | string
addresses[type eq "work"].streetAddress | Trim([streetAddress])
addresses[type eq "work"].locality | Trim([l])
addresses[type eq "work"].region | Trim([st])
addresses[type eq "work"].postalCode | Trim([postalCode])
addresses[type eq "work"].country | Trim([c])
phoneNumbers[type eq "work"].value | Trim([telephoneNumber])
phoneNumbers[type eq "mobile"].value | Trim([mobile])
phoneNumbers[type eq "home"].value | Trim([homePhone])
phoneNumbers[type eq "fax"].value | Trim([facsimileTelephoneNumber])
phoneNumbers[type eq "pager"].value | Trim([pager])
x509Certificates | [userCertificate] | binary | many
{ENTERPRISE}:employeeNumber | IIF(IsPresent([employeeNumber]),Trim([employeeNumber]),Trim([employeeID]))
{ENTERPRISE}:organization | Trim([company])
{ENTERPRISE}:division | Trim([division])
{ENTERPRISE}:department | Trim([department])
{ENTERPRISE}:costCenter | | string
{ENTERPRISE}:manager | [manager] | reference
""",
    GROUP_NAME: f"""
externalId | {ANCHOR} | string | required exact match1
displayName | {NAME} | string | anchor match2
members | [member] | reference | many
""",
}
