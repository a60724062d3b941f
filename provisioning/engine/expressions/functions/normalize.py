"""NormalizeDiacritics: the documented table, letter by letter."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from provisioning.engine.context import EvaluationContext
from provisioning.engine.expressions.definitions import Parameter, Registry
from provisioning.engine.values import Value, limited, text

registry: Final = Registry()

# Letters by result; code points in hex, + between a base and its combining marks.
_TABLE: Final = {
    "a": "E4 E0 E2 E3 E5 E1 105 103 101 101+301 101+300 101+302 101+303 1DF 101+308 1E1 61+331 E5+304",
    "ae": "E6 1E3",
    "c": "E7 10D 107 63+304 63+331",
    "d": "10F 64+304 1E0F",
    "e": "EB E8 E9 EA 119 11B 117 113 1E17 1E15 113+302 113+303 EA+304 65+331 EB+304 65+30A+304",
    "g": "11F 1E21 67+331",
    "i": "EF EE EC ED 131 12B 12B+301 12B+300 12B+302 12B+303 69+331",
    "l": "13E 142 6C+304 1E39 1E3B",
    "n": "F1 144 148 6E+304 1E49",
    "o": "F6 F2 151 F5 F4 F3 14D 1E53 1E51 14D+302 14D+303 22B 14D+308 1ED 22D 231 6F+331",
    "oe": "F8 F8+304 153+304",
    "r": "159 72+304 1E5F 1E5D",
    "ss": "DF",
    "s": "161 15B 219 15F 73+304 73+331",
    "t": "165 21B 74+304 1E6F",
    "u": "FC F9 FB FA 16F 171 16B 16B+301 16B+300 16B+302 16B+303 75+307+304 1D6 1E7B 1E73+304 75+331",
    "y": "FF FD 233 233+301 233+300 233+303 79+331",
    "z": "17A 17E 17C 7A+304 1E95",
}


def _letters() -> dict[str, str]:
    found: dict[str, str] = {"İ": "I"}
    for result, codes in _TABLE.items():
        for code in codes.split():
            letter = unicodedata.normalize("NFC", "".join(chr(int(part, 16)) for part in code.split("+")))
            found[letter] = result
            capital = unicodedata.normalize("NFC", letter.upper())
            if not capital.isascii():
                found[capital] = result.upper()
    return found


LETTERS: Final = _letters()
_LETTER: Final = re.compile("|".join(sorted(map(re.escape, LETTERS), key=len, reverse=True)))


@registry.contextual("NormalizeDiacritics", Parameter("source"), strict=True)
def normalize_diacritics(context: EvaluationContext, source: Value) -> Value:
    """Letters of the table without their marks; others too where the context asks for it."""
    whole = text(source)
    if whole is None or whole.isascii():
        return whole
    plain = _LETTER.sub(lambda match: LETTERS[match[0]], unicodedata.normalize("NFC", whole))
    return limited(_stripped(plain) if context.strip_unlisted_diacritics else plain)


def _stripped(whole: str) -> str:
    parts = unicodedata.normalize("NFD", whole)
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))
