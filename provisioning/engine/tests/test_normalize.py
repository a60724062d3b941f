"""The table of NormalizeDiacritics, letter by letter as documented."""

from __future__ import annotations

import unicodedata

import pytest

from provisioning.engine.tests.support import evaluate

TABLE = {
    "a": "ä à â ã å á ą ă ā ā́ ā̀ ā̂ ā̃ ǟ ā̈ ǡ a̱ å̄",
    "ae": "æ ǣ",
    "c": "ç č ć c̄ c̱",
    "d": "ď d̄ ḏ",
    "e": "ë è é ê ę ě ė ē ḗ ḕ ē̂ ē̃ ê̄ e̱ ë̄ e̊̄",
    "g": "ğ ḡ g̱",
    "i": "ï î ì í ı ī ī́ ī̀ ī̂ ī̃ i̱",
    "l": "ľ ł l̄ ḹ ḻ",
    "n": "ñ ń ň n̄ ṉ",
    "o": "ö ò ő õ ô ó ō ṓ ṑ ō̂ ō̃ ȫ ō̈ ǭ ȭ ȱ o̱",
    "oe": "ø ø̄ œ̄",
    "r": "ř r̄ ṟ ṝ",
    "ss": "ß",
    "s": "š ś ș ş s̄ s̱",
    "t": "ť ț t̄ ṯ",
    "u": "ü ù û ú ů ű ū ū́ ū̀ ū̂ ū̃ u̇̄ ǖ ṻ ṳ̄ u̱",
    "y": "ÿ ý ȳ ȳ́ ȳ̀ ȳ̃ y̱",
    "z": "ź ž ż z̄ ẕ",
}
LETTERS = [(letter, plain) for plain, letters in TABLE.items() for letter in letters.split()]


@pytest.mark.parametrize(("letter", "plain"), LETTERS)
def test_a_letter_loses_its_marks_in_both_cases_and_either_form(letter: str, plain: str) -> None:
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, letter)
        assert evaluate("NormalizeDiacritics([x])", {"x": f"<{written}>"}) == f"<{plain}>"
    if letter not in {"ß", "ı"}:
        capital = letter.upper()
        assert evaluate("NormalizeDiacritics([x])", {"x": f"<{capital}>"}) == f"<{plain.upper()}>"


def test_the_dotted_capital_i_becomes_i() -> None:
    assert evaluate("NormalizeDiacritics([x])", {"x": "İzmir"}) == "Izmir"


@pytest.mark.parametrize("letter", ["œ", "Œ", "đ", "ð", "þ", "ţ", "ķ", "ģ", "ŝ", "ĉ", "ŵ", "ŷ", "ạ"])
def test_what_is_not_in_the_table_stays(letter: str) -> None:
    assert evaluate("NormalizeDiacritics([x])", {"x": letter}) == letter


def test_the_rest_loses_its_marks_where_that_is_asked_for() -> None:
    assert evaluate("NormalizeDiacritics([x])", {"x": "ţạŵđ"}, strip_unlisted_diacritics=True) == "tawđ"
