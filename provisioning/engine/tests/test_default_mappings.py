"""The default mappings on real-looking objects."""

from __future__ import annotations

import pytest

from provisioning.engine.errors import EvaluationError
from provisioning.engine.mapping import CompiledMapping, Mapped, compile_mapping
from provisioning.engine.schema import default_schema, load
from provisioning.engine.tests.support import context
from provisioning.engine.values import Attributes

ADA: Attributes = {
    "objectGUID": "eFY0EjQSeFaavN7wEjRWeA==",
    "distinguishedName": "CN=Ada Lovelace,OU=Staff,DC=corp,DC=example",
    "accountDisabled": False,
    "userAccountControl": 512,
    "sAMAccountName": "ada",
    "userPrincipalName": "ada@corp.example",
    "cn": "Ada Lovelace",
    "displayName": " Ada Lovelace ",
    "givenName": "Ada",
    "sn": "Lovelace",
    "mail": "ada@corp.example",
    "proxyAddresses": ["smtp:a@corp.example", "SMTP:ada@corp.example"],
    "title": "Countess",
    "countryCode": 826,
    "description": ["First programmer"],
    "pwdLastSet": 132772253564048004,
    "objectSid": "AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAA9AEAAA==",
    "manager": {"value": "0b6f2d3e-0000-0000-0000-000000000001", "display": "CN=Boss,DC=corp,DC=example"},
    "extensionAttribute15": " x ",
}
USER_TARGETS = """
    SourceAnchorBinary UserPrincipalName OnPremisesUserPrincipalName AccountEnabled
    OnPremisesSamAccountName OnPremiseSecurityIdentifier OnPremisesDistinguishedName DnsDomainName
    NetBiosName LastPasswordChangeTimestamp CommonName DisplayName GivenName Surname Initials MiddleName
    Alias Mail ProxyAddresses TargetAddress LegacyExchangeDN CountryLetterCode Country CountryCode City
    State PostalCode StreetAddress PostOfficeBox PhysicalDeliveryOfficeName Company Department JobTitle
    Description EmployeeId EmployeeNumber EmployeeType Info Manager TelephoneNumber Mobile HomePhone
    Pager FacsimileTelephoneNumber IpPhone OtherTelephone TelephoneAssistant ExtensionAttribute1
    ExtensionAttribute15 PreferredLanguage ThumbnailPhoto Url WwwHomePage UserCertificate
    UserSMIMECertificate UsageLocation PreferredDataLocation MsExchHideFromAddressLists MsExchMailboxGuid
    MsRTCSIPPrimaryUserAddress MsDSHABSeniorityIndex MsDSPhoneticDisplayName
    """


def mapping(kind: str, target: str = "directory") -> CompiledMapping:
    document = default_schema(target=target, domain_fqdn="corp.example", domain_netbios="CORP")
    found = load(document).rules[0].object_mapping(kind)
    assert found is not None
    return compile_mapping(found)


def values(kind: str, attributes: Attributes, target: str = "directory") -> dict[str, object]:
    result: Mapped = mapping(kind, target).apply(attributes, context())
    return {name: value for name, value in result.attributes.items() if value is not None}


def test_a_user_reaches_the_directory() -> None:
    assert values("user", ADA) == {
        "SourceAnchorBinary": "eFY0EjQSeFaavN7wEjRWeA==",
        "UserPrincipalName": "ada@corp.example",
        "OnPremisesUserPrincipalName": "ada@corp.example",
        "AccountEnabled": True,
        "OnPremisesSamAccountName": "ada",
        "OnPremiseSecurityIdentifier": ADA["objectSid"],
        "OnPremisesDistinguishedName": ADA["distinguishedName"],
        "DnsDomainName": "corp.example",
        "NetBiosName": "CORP",
        "LastPasswordChangeTimestamp": "20210927140916.0Z",
        "CommonName": "Ada Lovelace",
        "DisplayName": "Ada Lovelace",
        "GivenName": "Ada",
        "Surname": "Lovelace",
        "Mail": "ada@corp.example",
        "ProxyAddresses": ["SMTP:ada@corp.example", "smtp:a@corp.example"],
        "JobTitle": "Countess",
        "CountryCode": 826,
        "Description": "First programmer",
        "Manager": ADA["manager"],
        "ExtensionAttribute15": "x",
    }


def test_the_user_mapping_names_every_documented_target() -> None:
    targets = set(mapping("user").apply(ADA, context()).attributes)
    assert targets >= frozenset(USER_TARGETS.split())


def test_the_anchor_is_the_consistency_guid_where_there_is_one() -> None:
    anchored = {**ADA, "mS-DS-ConsistencyGuid": "AAAAAAAAAAAAAAAAAAAAAA=="}
    assert values("user", anchored)["SourceAnchorBinary"] == "AAAAAAAAAAAAAAAAAAAAAA=="


def test_a_disabled_account_is_disabled() -> None:
    assert values("user", {**ADA, "accountDisabled": True})["AccountEnabled"] is False


def test_a_cleared_attribute_is_cleared_in_the_target() -> None:
    without_title = {name: value for name, value in ADA.items() if name != "title"}
    mapped = mapping("user").apply(without_title, context()).attributes
    assert "JobTitle" in mapped
    assert mapped["JobTitle"] is None


def test_required_attributes_are_never_cleared() -> None:
    assert {"SourceAnchorBinary", "UserPrincipalName", "AccountEnabled"}.isdisjoint(
        mapping("user").clears_when_absent
    )


def test_an_account_without_a_principal_name_gets_one_from_its_account_name() -> None:
    nameless = {name: value for name, value in ADA.items() if name != "userPrincipalName"}
    assert values("user", nameless)["UserPrincipalName"] == "ada@corp.example"
    with pytest.raises(EvaluationError) as caught:
        values("user", {name: value for name, value in nameless.items() if name != "sAMAccountName"})
    assert caught.value.target == "UserPrincipalName"


@pytest.mark.parametrize(
    ("group_type", "is_security"), [(-2147483646, True), (2, False), (-2147483640, True)]
)
def test_a_group_reaches_the_directory(group_type: int, is_security: bool) -> None:
    group: Attributes = {
        "objectGUID": "eFY0EjQSeFaavN7wEjRWeA==",
        "cn": "Staff",
        "sAMAccountName": "staff",
        "groupType": group_type,
        "distinguishedName": "CN=Staff,DC=corp,DC=example",
        "managedBy": {"value": "g", "display": "CN=Boss,DC=corp,DC=example"},
    }
    assert values("group", group) == {
        "SourceAnchorBinary": "eFY0EjQSeFaavN7wEjRWeA==",
        "DisplayName": "Staff",
        "CommonName": "Staff",
        "SecurityEnabled": is_security,
        "OnPremisesSamAccountName": "staff",
        "OnPremisesDistinguishedName": "CN=Staff,DC=corp,DC=example",
        "ManagedBy": "CN=Boss,DC=corp,DC=example",
        "DnsDomainName": "corp.example",
        "NetBiosName": "CORP",
    }
    assert mapping("group").reference_targets == {"Members"}


def test_a_contact_reaches_the_directory() -> None:
    found = values(
        "contact", {"objectGUID": "x", "cn": "Carl", "mail": "carl@else.example", "company": "Else"}
    )
    assert found["Mail"] == "carl@else.example"
    assert found["Company"] == "Else"
    assert "AccountEnabled" not in found


def test_references_are_told_apart() -> None:
    assert mapping("user").reference_targets == {"Manager"}
    assert mapping("contact").reference_targets == {"Manager"}


def test_a_user_reaches_a_scim_service() -> None:
    found = values("user", ADA, "scim")
    assert found["userName"] == "ada@corp.example"
    assert found["active"] is True
    assert found["name.familyName"] == "Lovelace"
    assert found['emails[type eq "work"].value'] == "ada@corp.example"
    assert found["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"] == ADA["manager"]


def test_a_user_reaches_graph() -> None:
    found = values("user", ADA, "graph")
    assert found["onPremisesImmutableId"] == "eFY0EjQSeFaavN7wEjRWeA=="
    assert found["accountEnabled"] is True
    assert found["mailNickname"] == "ada"
    assert found["onPremisesExtensionAttributes.extensionAttribute15"] == "x"


def test_the_mapping_of_inet_org_persons_is_there_for_both_but_rests() -> None:
    rule = load(default_schema(domain_fqdn="corp.example", domain_netbios="CORP")).rules[0]
    names = [(each.source_object, each.enabled) for each in rule.object_mappings]
    assert names == [("user", True), ("inetOrgPerson", False), ("group", True), ("contact", True)]


def test_password_hashes_flow_only_where_asked_for_and_are_redacted() -> None:
    document = default_schema(domain_fqdn="corp.example", domain_netbios="CORP", password_hash=True)
    found = load(document).rules[0].object_mapping("user")
    assert found is not None
    assert compile_mapping(found).redacted == {"CredentialData"}
    assert mapping("user").redacted == frozenset()
    assert "PasswordHash" not in mapping("user").source_attributes


def test_a_domain_name_with_a_quote_can_not_break_out_of_its_literal() -> None:
    document = default_schema(domain_fqdn='a"b\\', domain_netbios="CORP")
    found = load(document).rules[0].object_mapping("user")
    assert found is not None
    assert compile_mapping(found).apply(ADA, context()).attributes["DnsDomainName"] == 'a"b\\'
