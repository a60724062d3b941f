"""Scope filters: every operator, null, groups, and the explanation."""

from __future__ import annotations

import pytest

from provisioning.engine.operators import OPERATORS
from provisioning.engine.schema.model import Clause, Filter, FilterGroup
from provisioning.engine.scoping import compile_input_filter, compile_scope, explain_scope, scope_attributes
from provisioning.engine.values import Attributes, Value

CASES: list[tuple[str, tuple[str, ...], Value, bool]] = [
    ("EQUALS", ("HR",), "HR", True),
    ("EQUALS", ("HR",), "hr", False),
    ("EQUALS", ("IT", "HR"), "HR", True),
    ("EQUALS", ("512",), 512, True),
    ("EQUALS", ("a",), ["b", "a"], True),
    ("NOT EQUALS", ("HR",), "IT", True),
    ("NOT EQUALS", ("HR",), "HR", False),
    ("NOT EQUALS", ("IT", "HR"), "HR", False),
    ("REGEX MATCH", ("([1-9][0-9])",), "x42", True),
    ("REGEX MATCH", ("^hr$",), "HR", False),
    ("NOT REGEX MATCH", ("^x",), "yx", True),
    ("NOT REGEX MATCH", ("^x",), "xy", False),
    ("IS NOT NULL", (), "x", True),
    ("PRESENT", (), "x", True),
    ("IS TRUE", (), True, True),
    ("IS TRUE", (), "True", True),
    ("IS TRUE", (), False, False),
    ("IS FALSE", (), False, True),
    ("IS FALSE", (), True, False),
    ("INCLUDES", ("art",), "party", True),
    ("INCLUDES", ("ART",), "party", False),
    ("ENDS_WITH", ("ty",), "party", True),
    ("ENDS_WITH", ("pa",), "party", False),
    ("GREATER_THAN", ("9",), "10", True),
    ("GREATER_THAN", ("10",), 10, False),
    ("GREATER_THAN_OR_EQUALS", ("10",), 10, True),
    ("GREATER_THAN_OR_EQUALS", ("b",), "a", False),
    ("&", ("2",), 514, True),
    ("&", ("2",), 512, False),
    ("&", ("a,b",), "b", True),
    ("!&", ("2",), 512, True),
    ("!&", ("2",), 514, False),
    ("!&L", ("553648128",), 2147483648, True),
    ("!&L", ("2147483648",), 2147483648, False),
]


def passes(operator: str, values: tuple[str, ...], attributes: Attributes) -> bool:
    return compile_scope(Filter((FilterGroup(None, (Clause("a", operator, values),)),)))(attributes)


@pytest.mark.parametrize(("operator", "values", "actual", "result"), CASES)
def test_operator(operator: str, values: tuple[str, ...], actual: Value, result: bool) -> None:
    assert passes(operator, values, {"a": actual}) is result


@pytest.mark.parametrize("operator", [each.name for each in OPERATORS.values() if each.supported])
@pytest.mark.parametrize("attributes", [{}, {"a": None}, {"a": []}])
def test_a_null_attribute_fails_every_comparison(operator: str, attributes: Attributes) -> None:
    assert passes(operator, ("x",), attributes) is (operator == "IS NULL")


def test_a_present_attribute_is_not_null() -> None:
    assert not passes("IS NULL", (), {"a": "x"})


def clause(value: str, attribute: str = "department") -> Clause:
    return Clause(attribute, "EQUALS", (value,))


def test_clauses_of_a_group_must_all_hold_and_one_group_is_enough() -> None:
    scope = Filter(
        (FilterGroup("both", (clause("HR"), clause("DE", "c"))), FilterGroup("either", (clause("IT"),)))
    )
    in_scope = compile_scope(scope)
    assert in_scope({"department": "HR", "c": "DE"})
    assert not in_scope({"department": "HR", "c": "FR"})
    assert in_scope({"department": "IT"})
    assert scope_attributes(scope) == {"department", "c"}


def test_no_filter_lets_everything_pass() -> None:
    assert compile_scope(Filter())({})


def test_a_category_must_hold_besides_the_groups() -> None:
    scope = Filter(
        groups=(FilterGroup(None, (clause("HR"),)),),
        category_groups=(FilterGroup(None, (clause("u", "kind"),)),),
    )
    assert compile_scope(scope)({"department": "HR", "kind": "u"})
    assert not compile_scope(scope)({"department": "HR", "kind": "g"})


def test_an_input_filter_is_apart_from_the_scope() -> None:
    scope = Filter(input_groups=(FilterGroup(None, (clause("HR"),)),))
    assert compile_scope(scope)({})
    assert not compile_input_filter(scope)({})
    assert compile_input_filter(scope)({"department": "HR"})


def test_the_explanation_shows_every_clause_and_agrees_with_the_fast_path() -> None:
    scope = Filter(
        (FilterGroup("staff", (clause("HR"), clause("DE", "c"))), FilterGroup(None, (clause("IT"),)))
    )
    attributes: Attributes = {"department": "HR", "c": "FR"}
    decision = explain_scope(scope, attributes)
    assert decision.passed is compile_scope(scope)(attributes) is False
    assert [(each.group, each.attribute, each.actual, each.passed) for each in decision.clauses] == [
        ("staff", "department", "HR", True),
        ("staff", "c", "FR", False),
        ("Group 2", "department", "HR", False),
    ]


def test_the_explanation_does_not_show_a_redacted_value() -> None:
    scope = Filter((FilterGroup("g", (clause("HR"),)),))
    decision = explain_scope(scope, {"department": "HR"}, redacted=frozenset({"department"}))
    assert decision.passed
    assert decision.clauses[0].actual == "[Redact]"


def test_a_certificate_matches_by_the_common_name_of_its_subject(certificate: str) -> None:
    assert passes("VALID CERT MATCH", ("host-1",), {"a": [certificate]})
    assert not passes("VALID CERT MATCH", ("host-2",), {"a": [certificate]})
    assert not passes("VALID CERT MATCH", ("host-1",), {"a": "no certificate"})
    assert not passes("VALID CERT MATCH", ("host-1",), {"a": certificate[:40]})


@pytest.fixture(scope="module")
def certificate() -> str:
    """A self-signed certificate in base64 DER."""
    import base64
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corp"),
            x509.NameAttribute(NameOID.COMMON_NAME, "host-1"),
        ]
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host-2")])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()
