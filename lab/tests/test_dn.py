from __future__ import annotations

import pytest
from ldap3.utils.dn import parse_dn

from lab.dn import child_dn, escape_value


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("Müller, Jürgen", "Müller\\, Jürgen"),
        ("#1", "\\#1"),
        ("one #1", "one #1"),
        (" lead", "\\ lead"),
        ("trail ", "trail\\ "),
        (" ", "\\ "),
        ('a"b+c;d<e>f=g\\h', 'a\\"b\\+c\\;d\\<e\\>f\\=g\\\\h'),
        ("(brackets) *star*", "(brackets) *star*"),
    ],
)
def test_a_value_is_escaped_as_the_rfc_says(plain: str, escaped: str) -> None:
    assert escape_value(plain) == escaped


def test_another_parser_finds_the_components_again() -> None:
    dn = child_dn("CN", 'A, "B" + C', child_dn("OU", "x=y; z", "DC=corp,DC=example"))
    assert [kind for kind, _, _ in parse_dn(dn)] == ["CN", "OU", "DC", "DC"]
