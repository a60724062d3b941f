"""What a read of people and groups asks for: the attributes a full default mapping uses."""

from __future__ import annotations

# fmt: off
USER_ATTRIBUTES: tuple[str, ...] = (
    "objectGUID", "objectSid", "objectClass", "parentGUID", "name", "cn", "isDeleted", "whenCreated",
    "whenChanged", "sAMAccountName", "userPrincipalName", "userAccountControl", "accountExpires", "pwdLastSet",
    "displayName", "givenName", "sn", "initials", "middleName", "mail", "mailNickname", "proxyAddresses",
    "targetAddress", "otherMailbox", "title", "department", "company", "division", "manager", "assistant",
    "description", "info", "employeeID", "employeeNumber", "employeeType", "physicalDeliveryOfficeName",
    "streetAddress", "postOfficeBox", "l", "st", "postalCode", "c", "co", "countryCode", "telephoneNumber",
    "otherTelephone", "homePhone", "mobile", "pager", "ipPhone", "facsimileTelephoneNumber", "wWWHomePage", "url",
    "preferredLanguage", "thumbnailPhoto", "msDS-ExternalDirectoryObjectId", "extensionAttribute1",
    "extensionAttribute2", "extensionAttribute3", "sIDHistory", "primaryGroupID",
)
GROUP_ATTRIBUTES: tuple[str, ...] = (
    "objectGUID", "objectSid", "objectClass", "parentGUID", "name", "cn", "isDeleted", "whenCreated",
    "whenChanged", "sAMAccountName", "displayName", "description", "info", "groupType", "mail", "mailNickname",
    "proxyAddresses", "managedBy", "member",
)
# fmt: on
