"""Regular expressions in .NET's syntax, and hostile ones."""

from __future__ import annotations

import pytest

from provisioning.engine.errors import EvaluationError
from provisioning.engine.patterns import compile_pattern
from provisioning.engine.tests.support import code_of

HOSTILE = [
    (r"^(.*?,){30}P", "1," * 4_000),
    (r"(?:(?:x+)+)+\d", "x" * 5_000),
    (r"(\w*)*(\w*)*[.,]$", "x" * 3_000 + "!"),
]
HARMLESS = [(r"(a+)+$", "a" * 40 + "!"), (r"(x+x+)+y", "x" * 60), (r"^(\w+\s?)*$", "word " * 12 + "!")]
TOO_COMPLEX = [
    "a{999999999}",
    "((((a{1000}){1000}){1000}){1000})",
    "(?:a{50000}){50000}",
    "(" * 3_000 + ")" * 3_000,
    "(?:" * 300 + "a" + ")+" * 300,
    "x" * 5_001,
]


@pytest.mark.parametrize(("pattern", "subject"), HOSTILE)
def test_a_hostile_pattern_ends_in_an_object_error(pattern: str, subject: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_pattern(pattern).search(subject)
    assert caught.value.code == "PatternTimeout"


@pytest.mark.parametrize(("pattern", "subject"), HARMLESS)
def test_a_well_known_bomb_that_the_matcher_defuses_simply_does_not_match(pattern: str, subject: str) -> None:
    assert compile_pattern(pattern).search(subject) is None


@pytest.mark.parametrize("pattern", TOO_COMPLEX)
def test_a_pattern_that_would_eat_memory_is_refused(pattern: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_pattern(pattern)
    assert caught.value.code == "PatternTooComplex"


def test_a_hostile_pattern_in_replace_is_an_object_error() -> None:
    assert code_of('Replace([x],,[p],,"b",,)', {"x": "1," * 4_000, "p": "^(.*?,){30}P"}) == "PatternTimeout"


@pytest.mark.parametrize(
    "pattern",
    [
        "(?R)",
        "(?1)",
        "(?&name)",
        "(?P<n>a)",
        "(?<a-b>x)",
        "a)",
        "(a",
        "[a",
        r"\k<none>",
        r"\y",
        "a**",
        "*a",
        "a{2,1}",
    ],
)
def test_what_is_no_dotnet_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_pattern(pattern)
    assert caught.value.code == "PatternInvalid"


@pytest.mark.parametrize(
    ("pattern", "subject", "found"),
    [
        (r"(?<n>a+)b\k<n>", "xaabaax", "aabaa"),
        (r"(?'n'a)\k'n'", "aa", "aa"),
        (r"[a-z-[aeiou]]+", "aeixyz", "xyz"),
        (r"[]a]+", "x]a]", "]a]"),
        (r"[^]a]+", "]xy", "xy"),
        (r"[a&&b]+", "x&b&", "&b&"),
        (r"a{e<=1}", "a{e<=1}", "a{e<=1}"),
        (r"\p{Lu}+", "abCD", "CD"),
        (r"(?<=a+)b", "aab", "b"),
        (r"(?i)AbC", "xabc", "abc"),
        (r"a(?i)B", "aBAb", "aB"),
        (r"x\z", "ax", "x"),
        (r"x\Z", "ax\n", "x"),
        (r"x$", "ax\n", "x"),
        (r"\cI", "a\tb", "\t"),
        (r"[\b]", "a\bb", "\b"),
        (r"(?>a+)b", "aab", "aab"),
        (r"(?#note)a", "a", "a"),
    ],
)
def test_dotnet_syntax(pattern: str, subject: str, found: str) -> None:
    match = compile_pattern(pattern).search(subject)
    assert match is not None
    assert match[0] == found


def test_an_absolute_end_is_not_before_a_line_feed() -> None:
    assert compile_pattern(r"x\z").search("ax\n") is None


def test_unnamed_groups_are_counted_before_named_ones() -> None:
    pattern = compile_pattern(r"(?<first>a)(b)(?<last>c)(d)")
    assert pattern.substitute("abcd", "$1$2$3$4") == "bdac"
    assert pattern.substitute("abcd", "${last}${first}") == "ca"


@pytest.mark.parametrize(
    ("replacement", "result"),
    [
        ("$1", "x=b=z"),
        ("${n}", "x=b=z"),
        ("$$1", "x=$1=z"),
        ("[$&]", "x=[abc]=z"),
        ("$0", "x=abc=z"),
        ("$`", "x=x==z"),
        ("$'", "x==z=z"),
        ("$_", "x=x=abc=z=z"),
        ("$9", "x=$9=z"),
        ("${none}", "x=${none}=z"),
        ("$n", "x=$n=z"),
        ("\\1", "x=\\1=z"),
    ],
)
def test_replacement_syntax(replacement: str, result: str) -> None:
    assert compile_pattern("a(?<n>b)c").substitute("x=abc=z", replacement) == result


def test_every_match_has_its_named_group_replaced() -> None:
    assert compile_pattern(r"(?<d>\d)-").substitute_group("1-2-3", "d", "#") == "#-#-3"
