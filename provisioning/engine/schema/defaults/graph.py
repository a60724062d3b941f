"""Default mapping to Microsoft Entra ID through Microsoft Graph, by Graph's property names."""

from __future__ import annotations

from typing import Final

from provisioning.engine.schema.defaults.tables import ANCHOR, NAME, PRINCIPAL_NAME

# A nickname may hold no characters that mail addresses do not allow; accounts always have one.
_NICKNAME: Final = (
    'IIF(IsPresent([mailNickname]),Trim([mailNickname]),Replace([sAMAccountName],,"[^A-Za-z0-9._-]",,"",,))'
)

_EXTENSIONS: Final = "\n".join(
    f"onPremisesExtensionAttributes.extensionAttribute{number} | Trim([extensionAttribute{number}])"
    for number in range(1, 16)
)

TABLES: Final = {
    "user": f"""
onPremisesImmutableId | {ANCHOR} | string | anchor exact match1
userPrincipalName | {PRINCIPAL_NAME} | string | required match2
accountEnabled | Not([accountDisabled]) | boolean | required
displayName | {NAME} | string | required
mailNickname | {_NICKNAME} | string | required
givenName | Trim([givenName])
surname | Trim([sn])
mail | Trim([mail])
otherMails | | string | many
jobTitle | Trim([title])
companyName | Trim([company])
department | Trim([department])
officeLocation | Trim([physicalDeliveryOfficeName])
employeeId | Trim([employeeID])
employeeType | Trim([employeeType])
employeeOrgData.division | Trim([division])
streetAddress | Trim([streetAddress])
city | Trim([l])
state | Trim([st])
postalCode | Trim([postalCode])
country | Trim([co])
mobilePhone | Trim([mobile])
businessPhones | Trim([telephoneNumber]) | string | many
faxNumber | Trim([facsimileTelephoneNumber])
preferredLanguage | Trim([preferredLanguage])
preferredDataLocation | Trim([msDS-preferredDataLocation])
usageLocation | Trim([msExchUsageLocation])
userType | | string | keep
manager | [manager] | reference
{_EXTENSIONS}
""",
    "group": f"""
uniqueName | {ANCHOR} | string | anchor exact match1
displayName | {NAME} | string | required match2
description | Trim([description])
mailNickname | {_NICKNAME} | string | required
mailEnabled | "False" | boolean | required
securityEnabled | "True" | boolean | required
members | [member] | reference | many
owners | | reference | many
""",
    "orgContact": f"""
onPremisesImmutableId | {ANCHOR} | string | anchor exact match1
displayName | {NAME} | string | required
givenName | Trim([givenName])
surname | Trim([sn])
mail | Trim([mail]) | string | match2
mailNickname | Trim([mailNickname])
proxyAddresses | Trim([proxyAddresses]) | string | many exact
jobTitle | Trim([title])
companyName | Trim([company])
department | Trim([department])
manager | [manager] | reference
""",
}
