"""What each function makes of an absent attribute, and scalar functions of several values."""

from __future__ import annotations

import pytest

from provisioning.engine.expressions.functions import FUNCTIONS
from provisioning.engine.tests.support import code_of, shown

NULLS: list[tuple[str, str, str | list[str] | None]] = [
    ("Append", 'Append([x],"a")', None),
    ("Append", 'Append("a",[x])', "a"),
    ("AppRoleAssignments", "AppRoleAssignments([x])", None),
    ("AppRoleAssignmentsComplex", "AppRoleAssignmentsComplex([x])", None),
    ("BitAnd", "BitAnd([x],1)", None),
    ("CBool", "CBool([x])", "False"),
    ("CDate", "CDate([x])", None),
    ("Coalesce", "Coalesce([x],[y])", None),
    ("Contains", 'Contains([x],"a")', "0"),
    ("ConvertFromBase64", "ConvertFromBase64([x])", None),
    ("ConvertToBase64", "ConvertToBase64([x])", None),
    ("ConvertToUTF8Hex", "ConvertToUTF8Hex([x])", None),
    ("Count", "Count([x])", "0"),
    ("CRef", "CRef([x])", None),
    ("CStr", "CStr([x])", None),
    ("DateAdd", 'DateAdd("d",1,[x])', None),
    ("DateDiff", 'DateDiff("d",[x],Now())', None),
    ("DateFromNum", "DateFromNum([x])", None),
    ("DNComponent", "DNComponent([x],1)", None),
    ("FormatDateTime", 'FormatDateTime([x],,"yyyy","yyyy")', None),
    ("FormatDateTime", 'FormatDateTime([x],"yyyy")', None),
    ("IgnoreFlowIfNullOrEmpty", "IgnoreFlowIfNullOrEmpty([x])", "(ignored)"),
    ("IIF", 'IIF([x]="a","yes","no")', "no"),
    ("IIF", 'IIF([x]="","yes","no")', "no"),
    ("IIF", 'IIF([x],"yes","no")', "no"),
    ("InStr", 'InStr([x],"a")', "0"),
    ("IsNothing", "IsNothing([x])", "True"),
    ("IsNull", "IsNull([x])", "True"),
    ("IsNullOrEmpty", "IsNullOrEmpty([x])", "True"),
    ("IsPresent", "IsPresent([x])", "False"),
    ("IsString", "IsString([x])", "False"),
    ("Item", "Item([x],1)", None),
    ("Join", 'Join(",",[x],"a",[y])', "a"),
    ("Join", 'Join(",",[x],[y])', ""),
    ("Left", "Left([x],3)", ""),
    ("Len", "Len([x])", "0"),
    ("Mid", "Mid([x],1,2)", ""),
    ("NormalizeDiacritics", "NormalizeDiacritics([x])", None),
    ("Not", "Not([x])", "True"),
    ("NumFromDate", "NumFromDate([x])", None),
    ("PCase", "PCase([x])", None),
    ("Prepend", 'Prepend("a",[x])', None),
    ("Redact", "Redact([x])", None),
    ("RemoveDuplicates", "RemoveDuplicates([x])", None),
    ("Replace", 'Replace([x],"a",,,"b",,)', None),
    ("Replace", 'Replace([x],"a",,,,,"aa")', None),
    ("Replace", 'Replace([x],,"a",,"b",,)', None),
    ("Replace", 'Replace([x],,"(?<n>a)","n",,[y],)', None),
    ("SingleAppRoleAssignment", "SingleAppRoleAssignment([x])", None),
    ("Split", 'Split([x],",")', None),
    ("StringFromSid", "StringFromSid([x])", None),
    ("StripSpaces", "StripSpaces([x])", None),
    ("Switch", 'Switch([x],"d","a","b")', "d"),
    ("ToLower", "ToLower([x])", None),
    ("ToUpper", "ToUpper([x])", None),
    ("Trim", "Trim([x])", None),
    ("Word", 'Word([x],1," ")', ""),
]
WITHOUT_SOURCE = {"Now", "Guid", "DefaultDomain", "RandomString", "Error", "SelectUniqueValue"}


@pytest.mark.parametrize(("expression", "result"), [case[1:] for case in NULLS])
def test_null(expression: str, result: str | list[str] | None) -> None:
    assert shown(expression) == result


def test_every_function_that_takes_a_source_has_its_null_pinned() -> None:
    assert {definition.name for definition in FUNCTIONS.values()} - WITHOUT_SOURCE == {
        case[0] for case in NULLS
    }


@pytest.mark.parametrize(
    "call", ["ToLower([m])", "Left([m],2)", 'Append([m],"x")', "StripSpaces([m])", "CStr([m])"]
)
def test_a_scalar_function_refuses_several_values_and_takes_a_single_one(call: str) -> None:
    assert code_of(call, {"m": ["a", "b"]}) == "SingleValueExpected"
    assert shown(call, {"m": ["ab"]}) in {"ab", "abx"}


def test_an_empty_list_is_an_absent_value() -> None:
    assert shown("IsNull([m])", {"m": []}) == "True"
    assert shown("ToLower([m])", {"m": []}) is None


def test_null_compares_unequal_even_to_null() -> None:
    assert shown('IIF([x]=[y],"same","different")') == "different"
    assert shown('IIF([x]<>[y],"different","same")') == "different"


def test_the_ignored_mark_counts_as_null_inside_another_function() -> None:
    assert shown('Coalesce(IgnoreFlowIfNullOrEmpty([x]),"d")') == "d"
    assert shown("ToLower(IgnoreFlowIfNullOrEmpty([x]))") is None
    assert shown('IIF("a"="a",IgnoreFlowIfNullOrEmpty([x]),"b")') == "(ignored)"
