"""Values that can not be worked out end in an error with its code, never in anything else."""

from __future__ import annotations

import pytest

from provisioning.engine.errors import ERRORS, EvaluationError
from provisioning.engine.tests.support import code_of, evaluate
from provisioning.engine.values import Attributes

FAILURES: list[tuple[str, Attributes, str]] = [
    ('BitAnd([x],"1")', {"x": "abc"}, "NumberExpected"),
    ("BitAnd([x],1)", {"x": 2**70}, "NumberOutOfRange"),
    ("Left([x],[y])", {"x": "a"}, "NumberExpected"),
    ("Item([x],0)", {"x": ["a"]}, "ItemOutOfRange"),
    ("Item([x],2)", {"x": ["a"]}, "ItemOutOfRange"),
    ("CDate([x])", {"x": "soon"}, "DateExpected"),
    ("CDate([x])", {"x": "2021-02-30"}, "DateExpected"),
    ("CDate([x])", {"x": "0001-01-01+08:00"}, "DateOutOfRange"),
    ('DateAdd("d",9223372036854775807,Now())', {}, "DateOutOfRange"),
    ('DateAdd("yyyy",9999,Now())', {}, "DateOutOfRange"),
    ('DateAdd("fortnight",1,Now())', {}, "DateIntervalInvalid"),
    ("DateFromNum(9223372036854775806)", {}, "DateOutOfRange"),
    ('FormatDateTime("2021",,"yyyyMM","yyyy")', {}, "DateFormatMismatch"),
    ('FormatDateTime("20219",,"yyyyMM","yyyy")', {}, "DateFormatMismatch"),
    ('FormatDateTime("2021",,"\'yyyy","yyyy")', {}, "DateFormatInvalid"),
    ("ConvertFromBase64([x])", {"x": "%"}, "Base64Invalid"),
    ("ConvertFromBase64([x],ASCII)", {"x": "gIA="}, "EncodingInvalid"),
    ('ConvertFromBase64("AAAA","EBCDIC")', {}, "EncodingInvalid"),
    ("ConvertToBase64([x])", {"x": "\ud800"}, "EncodingInvalid"),
    ('ToLower("a","no culture")', {}, "CultureNotKnown"),
    ("StringFromSid([x])", {"x": "AAAA"}, "SidInvalid"),
    ("DNComponent([x],1)", {"x": "no name"}, "DistinguishedNameInvalid"),
    ('Replace([x],,[p],,"b",,)', {"x": "a", "p": "("}, "PatternInvalid"),
    ('Replace([x],,"a","n","b",,)', {"x": "a"}, "PatternGroupMissing"),
    ('Replace([x],"a",,,,,)', {"x": "a"}, "ReplaceParameters"),
    ("Replace([x])", {"x": "a"}, "ReplaceParameters"),
    ('Replace([x],"a","b",,"c",,)', {"x": "a"}, "ReplaceParameters"),
    ('Replace([x],"",,,"c",,)', {"x": "a"}, "ReplaceParameters"),
    ("RandomString(257,0,0,0,0)", {}, "RandomStringParameters"),
    ("RandomString(2,1,1,1,1)", {}, "RandomStringParameters"),
    ('RandomString(2,2,0,0,0,"0123456789")', {}, "RandomStringParameters"),
    ('InStr("a","b",1,"vbSometimes")', {}, "CompareTypeInvalid"),
    ('InStr("a","b",0)', {}, "NumberOutOfRange"),
    ("ToLower([x])", {"x": {"a": "b"}}, "TextExpected"),
]


@pytest.mark.parametrize(("expression", "attributes", "code"), FAILURES)
def test_failure(expression: str, attributes: Attributes, code: str) -> None:
    assert code_of(expression, attributes) == code


def test_the_default_domain_must_be_known() -> None:
    assert code_of("DefaultDomain()", default_domain=None) == "DefaultDomainMissing"


def test_a_text_can_not_grow_without_limit() -> None:
    doubling = "[x]"
    for _ in range(40):
        doubling = f'Replace({doubling},"a",,,"aaaaaaaaaaaaaaaa",,)'
    assert code_of(doubling, {"x": "a" * 100}) == "ValueTooLong"
    by_pattern = "[x]"
    for _ in range(40):
        by_pattern = f'Replace({by_pattern},,"a",,"$_$_",,)'
    assert code_of(by_pattern, {"x": "a" * 100}) == "ValueTooLong"
    assert code_of("&".join(["[x]"] * 1_000), {"x": "a" * 10_000}) == "ValueTooLong"
    assert code_of("Join([x],[x],[x],[x])", {"x": "a" * 400_000}) == "ValueTooLong"


def test_error_messages_hold_no_attribute_value() -> None:
    for expression, attributes, _code in FAILURES:
        if isinstance(attributes.get("x"), str) and len(str(attributes["x"])) > 3:
            with pytest.raises(EvaluationError) as caught:
                evaluate(expression, attributes)
            assert str(attributes["x"]) not in str(caught.value)


def test_every_code_has_a_remedy_that_is_a_sentence() -> None:
    for code, remedy in ERRORS.items():
        assert code.isidentifier()
        assert code[0].isupper()
        assert remedy.endswith(".")
