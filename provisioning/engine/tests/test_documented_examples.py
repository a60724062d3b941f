"""Every example of the language's documentation, one line each: expression, attributes, result."""

from __future__ import annotations

import base64
import re
from uuid import UUID

import pytest

from provisioning.engine.tests.support import code_of, evaluate, shown
from provisioning.engine.values import Attributes

SWITCH_ZONE = (
    'Switch([state],"Australia/Sydney","NSW","Australia/Sydney","QLD","Australia/Brisbane",'
    '"SA","Australia/Adelaide")'
)
PHONE = r'"\\+(?<isdCode>\\d* )(?<phoneNumber>\\d{10})"'
ALIAS = (
    'IIF(Len([LastName])<=5,Left(Join("",[LastName],[FirstName]),10),'
    'Join("",Mid([LastName],1,9),Mid([FirstName],1,1)))'
)
UPN = (
    'ToLower(Join("@",NormalizeDiacritics(StripSpaces(Join(".",[PreferredFirstName],[PreferredLastName]))),'
    '"contoso.com"))'
)
FOX = "The quick brown fox"

EXAMPLES: list[tuple[str, Attributes, str | list[str] | None]] = [
    ('Append([upn],".test")', {"upn": "John.Doe@contoso.com"}, "John.Doe@contoso.com.test"),
    ('Append("SMTP:","a@b.c")', {}, "SMTP:a@b.c"),
    ("AppRoleAssignments([appRoleAssignments])", {"appRoleAssignments": ["A", "B"]}, ["A", "B"]),
    ("BitAnd(&HF,&HF7)", {}, "7"),
    ("BitAnd([userAccountControl],2)", {"userAccountControl": 514}, "2"),
    ("BitAnd([userAccountControl],2)", {"userAccountControl": "514"}, "2"),
    ("CBool([a]=[b])", {"a": "x", "b": "x"}, "True"),
    ("CBool([a]=[b])", {"a": "x", "b": "y"}, "False"),
    ('CBool("0")', {}, "False"),
    ('CDate("2020-03-16-07:00")', {}, "3/16/2020 7:00:00 AM"),
    ('CDate("2009-06-15T01:45:30-07:00")', {}, "6/15/2009 8:45:30 AM"),
    ("Coalesce([mail],[upn])", {"upn": "John.Doe@contoso.com"}, "John.Doe@contoso.com"),
    ('Coalesce([a],[b],"n/a")', {}, "n/a"),
    ('Coalesce([a],"b")', {"a": ""}, ""),
    ('ConvertFromBase64("SGVsbG8gd29ybGQh",UTF8)', {}, "Hello world!"),
    ('ConvertFromBase64("SABlAGwAbABvACAAdwBvAHIAbABkACEA")', {}, "Hello world!"),
    ('ConvertToBase64("Hello world!")', {}, "SABlAGwAbABvACAAdwBvAHIAbABkACEA"),
    ('ConvertToUTF8Hex("Hello world!")', {}, "48656C6C6F20776F726C6421"),
    ("Count([proxyAddresses])", {"proxyAddresses": ["a", "b", "c"]}, "3"),
    ("CStr([dn])", {"dn": "cn=Joe,dc=contoso,dc=com"}, "cn=Joe,dc=contoso,dc=com"),
    (
        "CStr([dn])",
        {"dn": {"value": "guid", "display": "cn=Joe,dc=contoso,dc=com"}},
        "cn=Joe,dc=contoso,dc=com",
    ),
    ("CStr(5)", {}, "5"),
    ('DateAdd("d",7,CDate("2012-03-16-07:00"))', {}, "3/23/2012 7:00:00 AM"),
    ('DateAdd("d",-10,CDate("2012-03-16-07:00"))', {}, "3/6/2012 7:00:00 AM"),
    ('DateAdd("yyyy",2,CDate("2012-03-16-07:00"))', {}, "3/16/2014 7:00:00 AM"),
    ('DateDiff("d","2021-08-18+08:00","2021-08-31+08:00")', {}, "13"),
    ('DateDiff("d","8/25/2021 5:41:18 PM","2012-03-16-07:00")', {}, "-3449"),
    ('DateDiff("m","8/25/2021 5:41:18 PM","2012-03-16-07:00")', {}, "-113"),
    ('DateDiff("yyyy","8/25/2021 5:41:18 PM","2012-03-16-07:00")', {}, "-9"),
    ('DateDiff("ww","8/25/2021 5:41:18 PM","2012-03-16-07:00")', {}, "-493"),
    ("DateFromNum(129699324000000000)", {}, "1/1/2012 11:00:00 PM"),
    ("DateFromNum([x])", {"x": 0}, None),
    ("DateFromNum([x])", {"x": 9223372036854775807}, None),
    ('Join("@",[mailNickname],DefaultDomain())', {"mailNickname": "joe"}, "joe@contoso.com"),
    ("DNComponent(CRef([dn]),1)", {"dn": "cn=Joe,ou=Staff,dc=contoso"}, "Joe"),
    ("DNComponent([dn],2)", {"dn": r"cn=Doe\, Joe,ou=A\2bB,dc=contoso"}, "A+B"),
    (
        'IIF(IsPresent([accountName]),[accountName],Error("AccountName is required"))',
        {"accountName": "a"},
        "a",
    ),
    ('FormatDateTime([d],,"yyyyMMddHHmmss.fZ","yyyy-MM-dd")', {"d": "20150123105347.1Z"}, "2015-01-23"),
    ('FormatDateTime([d],"yyyyMMddHHmmss.fZ","yyyy-MM-dd")', {"d": "20150123105347.1Z"}, "2015-01-23"),
    (
        'FormatDateTime(DateFromNum([pwdLastSet]),"yyyyMMddHHmmss.0Z")',
        {"pwdLastSet": 132772253564048004},
        "20210927140916.0Z",
    ),
    ("IgnoreFlowIfNullOrEmpty([department])", {}, "(ignored)"),
    ("IgnoreFlowIfNullOrEmpty([department])", {"department": ""}, "(ignored)"),
    ("IgnoreFlowIfNullOrEmpty([department])", {"department": "HR"}, "HR"),
    (
        'IgnoreFlowIfNullOrEmpty(Switch([prefix],"","3443","Dr.","3444","Prof."))',
        {"prefix": "9999"},
        "(ignored)",
    ),
    (
        'IgnoreFlowIfNullOrEmpty(Switch([prefix],"","3443","Dr.","3444","Prof."))',
        {"prefix": "3444"},
        "Prof.",
    ),
    ('IIF([country]="USA",[country],[department])', {"country": "USA", "department": "HR"}, "USA"),
    ('IIF([country]="USA",[country],[department])', {"country": "FR", "department": "HR"}, "HR"),
    (
        'IIF([country]="USA",IIF([state]="CA","True","False"),"False")',
        {"country": "USA", "state": "CA"},
        "True",
    ),
    (
        'IIF([country]="USA",IIF([state]="CA","True","False"),"False")',
        {"country": "USA", "state": "TX"},
        "False",
    ),
    (
        'IIF(DateDiff("d",Now(),CDate([StatusHireDate]))>5,"False","True")',
        {"StatusHireDate": "2021-07-20"},
        "False",
    ),
    (
        'IIF(DateDiff("d",Now(),CDate([StatusHireDate]))>5,"False","True")',
        {"StatusHireDate": "2021-07-04"},
        "True",
    ),
    (f'InStr("{FOX}","quick")', {}, "5"),
    (f'InStr("{FOX}","QUICK")', {}, "0"),
    (f'InStr("{FOX}","QUICK",1,vbTextCompare)', {}, "5"),
    ("IsNothing([x])", {}, "True"),
    ("IsNull([displayName])", {}, "True"),
    ("IsNull([displayName])", {"displayName": ""}, "False"),
    ('IsNullOrEmpty("")', {}, "True"),
    ("IsPresent([directManager])", {"directManager": "x"}, "True"),
    ('IsString("a")', {}, "True"),
    ("Item([proxyAddresses],1)", {"proxyAddresses": ["SMTP:a@x", "smtp:b@x"]}, "SMTP:a@x"),
    ('Join("@","joe","x.y")', {}, "joe@x.y"),
    ('Join("",[LastName],[FirstName])', {"LastName": "Smith", "FirstName": "John"}, "SmithJohn"),
    ('Join(", ","",[surname],[givenName])', {"surname": "Doe", "givenName": "John"}, "Doe, John"),
    ('Join(",",[mv])', {"mv": ["a", "b"]}, "a,b"),
    ('Left("John Doe",3)', {}, "Joh"),
    ('Left("ab",5)', {}, "ab"),
    ('Left("ab",-1)', {}, "ab"),
    ('Left("ab",0)', {}, ""),
    ('Len("John Doe")', {}, "8"),
    ("Len(42568)", {}, "5"),
    ('Mid("John",1,3)', {}, "Joh"),
    ('Mid("John Doe",3,5)', {}, "hn Do"),
    ('Mid("John Doe",6)', {}, "Doe"),
    ("Mid([objectId],25,12)", {"objectId": "00aa00aa-bb11-cc22-dd33-44ee44ee44ee"}, "44ee44ee44ee"),
    ('Mid("John",3,99)', {}, "hn"),
    ('Mid("John",1,0)', {}, ""),
    ('Mid("John",1,-1)', {}, "John"),
    ('Mid("John",9,2)', {}, "John"),
    ('Mid("John",0,2)', {}, "John"),
    ('NormalizeDiacritics("Zoë")', {}, "Zoe"),
    ('NormalizeDiacritics("Jéssica")', {}, "Jessica"),
    ('NormalizeDiacritics("Strauß")', {}, "Strauss"),
    ('NormalizeDiacritics("Øystein")', {}, "OEystein"),
    ("Not([IsSoftDeleted])", {"IsSoftDeleted": False}, "True"),
    ("Not([IsSoftDeleted])", {"IsSoftDeleted": "True"}, "False"),
    ('Not("anything")', {}, "True"),
    ("Now()", {}, "7/2/2021 3:33:38 PM"),
    ('NumFromDate("2020-12-31 23:59:59-08:00")', {}, "132539615990000000"),
    ('NumFromDate(CDate("2012-01-01 23:00:00"))', {}, "129699324000000000"),
    ('PCase("PABLO GONSALVES (SECOND)")', {}, "Pablo Gonsalves (Second)"),
    ('PCase(Join(" ","GREGORY","JAMES"))', {}, "Gregory James"),
    ('PCase("DE\'SILVA")', {}, "De'silva"),
    ('PCase("ann-marie o_neil","-")', {}, "Ann-Marie o_neil"),
    ('Prepend("SMTP:","a@b")', {}, "SMTP:a@b"),
    ("Redact([userPrincipalName])", {"userPrincipalName": "a@b"}, "a@b"),
    ("RemoveDuplicates([mv])", {"mv": ["a", "b", "a"]}, ["a", "b"]),
    ("SingleAppRoleAssignment([appRoleAssignments])", {"appRoleAssignments": ["Editor"]}, "Editor"),
    ('Split("PermissionSetOne, PermissionSetTwo",",")', {}, ["PermissionSetOne", "PermissionSetTwo"]),
    ('Split(Join(",",[a],[b]),",")', {"a": "smtp:x", "b": "SMTP:y"}, ["smtp:x", "SMTP:y"]),
    ('StripSpaces("Van Der Berg")', {}, "VanDerBerg"),
    (SWITCH_ZONE, {"state": "QLD"}, "Australia/Brisbane"),
    (SWITCH_ZONE, {"state": "XX"}, "Australia/Sydney"),
    (SWITCH_ZONE, {"state": "qld"}, "Australia/Sydney"),
    ('Switch([country],[country],"","Other")', {}, "Other"),
    ('Switch([country],[country],"","Other")', {"country": "FR"}, "FR"),
    ('Switch([Active],,"1","T","0","F")', {"Active": "2"}, None),
    ('Switch([Active],,"1","T","0","F")', {"Active": "1"}, "T"),
    ('Switch(IsPresent([jobTitle]),"DefaultValue","True",[jobTitle])', {"jobTitle": "CEO"}, "CEO"),
    ('Switch(IsPresent([jobTitle]),"DefaultValue","True",[jobTitle])', {}, "DefaultValue"),
    ("Switch(IsPresent([a]),[a],IsPresent([b]),[b])", {"a": "1", "b": "2"}, "1"),
    ("Switch(IsPresent([a]),[a],IsPresent([b]),[b])", {"b": "2"}, "2"),
    ('ToLower("John.SMITH@x")', {}, "john.smith@x"),
    ('ToUpper("abc")', {}, "ABC"),
    ('ToUpper("istanbul","tr-TR")', {}, "İSTANBUL"),
    ('ToLower("ISTANBUL","tr-TR")', {}, "ıstanbul"),
    ('Trim(" Test ")', {}, "Test"),
    ("Trim([mv])", {"mv": [" a", "b "]}, ["a", "b"]),
    (f'Word("{FOX}",3," ")', {}, "brown"),
    (f'Word("{FOX}",9," ")', {}, ""),
    (f'Word("{FOX}",0," ")', {}, ""),
    ('Word("a, b;c",3,",; ")', {}, "c"),
    # Replace, form by form
    (
        'Replace([BusinessTitle],"Product Developer",,,"Software Engineer",,)',
        {"BusinessTitle": "Product Developer"},
        "Software Engineer",
    ),
    ('Replace([mail],"@contoso.com",,,"",,)', {"mail": "john.doe@contoso.com"}, "john.doe"),
    ('Replace([mail], "@x.com", , ,"", ,)', {"mail": "a@x.com"}, "a"),
    (
        'Replace([UserID],"<username>",,,,,"<username>@contoso.com")',
        {"UserID": "jsmith"},
        "jsmith@contoso.com",
    ),
    (f'Replace([phone],,{PHONE},,"${{phoneNumber}}",,)', {"phone": "+91 9998887777"}, "9998887777"),
    ('Replace([name],,"[a-zA-Z_]*",,"",,)', {"name": "john_doe72"}, "72"),
    (
        r'Replace([street],,"(?<streetNumber>^\\d*)","streetNumber","888",,)',
        {"street": "545 Tremont Street"},
        "888 Tremont Street",
    ),
    (
        f'Replace([telephoneNumber],,{PHONE},"phoneNumber",,[mobile],)',
        {"telephoneNumber": "", "mobile": "+91 8887779999"},
        "8887779999",
    ),
    (
        f'Replace([telephoneNumber],,{PHONE},"phoneNumber",,[mobile],)',
        {"telephoneNumber": "123", "mobile": "+91 8887779999"},
        "123",
    ),
    ('Replace([preferredLanguage],"-",,,"_",,)', {"preferredLanguage": "EN-US"}, "EN_US"),
    # composites
    ("Append(Mid([givenName],1,3),Mid([surname],1,5))", {"givenName": "John", "surname": "Doe"}, "JohDoe"),
    (ALIAS, {"FirstName": "John", "LastName": "Smith"}, "SmithJohn"),
    (ALIAS, {"FirstName": "John", "LastName": "Featherstonehaugh"}, "FeatherstJ"),
    (UPN, {"PreferredFirstName": "John", "PreferredLastName": "Smith"}, "john.smith@contoso.com"),
    (
        'Split(Join(",",Append("smtp:",[A]),Append("SMTP:",[B])),",")',
        {"A": "a@x", "B": "b@x"},
        ["smtp:a@x", "SMTP:b@x"],
    ),
    (
        'Join("",1000,Replace(ConvertToUTF8Hex([objectId]),,"[a-zA-Z_]*",,"",,))',
        {"objectId": "J-1"},
        "10004231",
    ),
    (
        'NumFromDate(Join("",FormatDateTime([ContractEndDate],,"yyyy-MM-ddzzz","yyyy-MM-dd")," 23:59:59-08:00"))',
        {"ContractEndDate": "2020-12-31-08:00"},
        "132539615990000000",
    ),
    (
        'IIF(InStr([userPrincipalName],"@partners")>0,"Guest","Member")',
        {"userPrincipalName": "a@partners.x"},
        "Guest",
    ),
    (
        'IIF(InStr([userPrincipalName],"@partners")>0,"Guest","Member")',
        {"userPrincipalName": "a@x"},
        "Member",
    ),
    # comparisons and concatenation
    ('IIF([a]<>"x","differs","same")', {}, "differs"),
    ('IIF([a]="x","same","differs")', {}, "differs"),
    ('IIF("10">"9","number","text")', {}, "number"),
    ('IIF([n]>=3,"yes","no")', {"n": 3}, "yes"),
    ('IIF([n]<3,"yes","no")', {}, "no"),
    ('IIF([b]="True","yes","no")', {"b": True}, "yes"),
    ('IIF(CDate([d])<Now(),"past","future")', {"d": "2001-01-01"}, "past"),
    ('"a" & [b] & "c"', {"b": "-"}, "a-c"),
    ('Append("Company name: ","\\"Contoso\\"")', {}, 'Company name: "Contoso"'),
    ('""', {}, ""),
    ("[urn:contoso:employee:HireDate]", {"urn:contoso:employee:HireDate": "x"}, "x"),
    ('[emails[type eq "work"].value]', {'emails[type eq "work"].value': "x"}, "x"),
]


@pytest.mark.parametrize(("expression", "attributes", "result"), EXAMPLES)
def test_example(expression: str, attributes: Attributes, result: str | list[str] | None) -> None:
    assert shown(expression, attributes) == result


def test_a_sid_is_written_as_text() -> None:
    raw = bytes.fromhex("010500000000000515000000") + b"".join(
        n.to_bytes(4, "little") for n in (1, 2, 3, 500)
    )
    sid = {"objectSid": base64.b64encode(raw).decode()}
    assert evaluate("StringFromSid([objectSid])", sid) == "S-1-5-21-1-2-3-500"


def test_a_new_guid_is_random_lower_case_and_hyphenated() -> None:
    found = evaluate("Guid()")
    assert isinstance(found, str)
    assert str(UUID(found)) == found
    assert UUID(found).version == 4


def test_error_fails_the_object_with_its_text() -> None:
    assert (
        code_of('IIF(IsPresent([accountName]),[accountName],Error("AccountName is required"))')
        == "ExpressionError"
    )


def test_a_branch_not_taken_is_not_evaluated() -> None:
    assert evaluate('IIF("a"="a","fine",Error("never"))') == "fine"
    assert evaluate('Switch("k",Error("never"),"k","fine","l",Error("never"))') == "fine"
    assert evaluate('Coalesce("fine",Error("never"))') == "fine"


@pytest.mark.parametrize(
    ("expression", "pattern"),
    [
        ("RandomString(6,3,0,0,3)", r"[a-z0-9]{6}"),
        ('RandomString(10,2,2,2,1,"?,")', r"[^?,]{10}"),
        ("RandomString(3, 3, 0, 0, 0, )", r"[0-9]{3}"),
        ("RandomString(12,0,0,0,0)", r"[A-Za-z0-9]{12}"),
    ],
)
def test_a_random_string_keeps_its_minima(expression: str, pattern: str) -> None:
    found = evaluate(expression)
    assert isinstance(found, str)
    assert re.fullmatch(pattern, found)


def test_a_random_string_has_enough_of_each_class() -> None:
    found = str(evaluate('RandomString(10,2,2,2,1,"?,")'))
    assert sum(c.isdigit() for c in found) >= 2
    assert sum(c.isupper() for c in found) >= 2
    assert sum(c.islower() for c in found) >= 1
    assert sum(not c.isalnum() for c in found) >= 2


def test_the_composite_for_a_unique_principal_name_has_three_digits_before_the_domain() -> None:
    without_suffix = 'Replace([userName],,"(?<Suffix>@(.)*)","Suffix","",,)'
    expression = f'Join("",{without_suffix},RandomString(3,3,0,0,0,),"@",DefaultDomain())'
    found = str(evaluate(expression, {"userName": "ada@old.example"}))
    assert re.fullmatch(r"ada[0-9]{3}@contoso\.com", found)


def test_select_unique_value_takes_the_first_that_is_free() -> None:
    taken = {"John.Smith@contoso.com"}
    expression = (
        'SelectUniqueValue(Join("@","John.Smith","contoso.com"),Join("@","J.Smith","contoso.com"),'
        'Join("@","Jo.Smith","contoso.com"))'
    )
    found = evaluate(expression, is_unique=lambda _target, value: value not in taken)
    assert found == "J.Smith@contoso.com"
    assert code_of(expression, is_unique=lambda _target, _value: False) == "NoUniqueValue"


def test_application_roles_become_scim_roles() -> None:
    found = evaluate(
        "AppRoleAssignmentsComplex([appRoleAssignments])", {"appRoleAssignments": ["Admin", "Reader"]}
    )
    assert isinstance(found, list)
    assert [(each["value"], each["primary"]) for each in found] == [("Admin", True), ("Reader", False)]
    assert code_of("SingleAppRoleAssignment([r])", {"r": ["A", "B"]}) == "SeveralAppRoles"
