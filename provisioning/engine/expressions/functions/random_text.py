"""RandomString: characters from an injected random source."""

from __future__ import annotations

import string
from typing import Final

from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions.definitions import Parameter, Registry, optional
from provisioning.engine.values import Value, integer, text

registry: Final = Registry()

MAX_LENGTH: Final = 256
SPECIAL: Final = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"
"""The characters Windows counts as special for password complexity."""

_CLASSES: Final = (string.digits, SPECIAL, string.ascii_uppercase, string.ascii_lowercase)


@registry.contextual(
    "RandomString",
    Parameter("length", "Integer"),
    Parameter("minimumDigits", "Integer"),
    Parameter("minimumSpecial", "Integer"),
    Parameter("minimumCapital", "Integer"),
    Parameter("minimumLowercase", "Integer"),
    optional("charactersToAvoid"),
)
def random_string(context: EvaluationContext, length: Value, *rest: Value) -> Value:
    """A random text with at least so many characters of each class, in random order.

    Characters beyond the minima come from the classes that have one, else from digits and letters.
    """
    size = integer(length)
    minima = [integer(value) for value in rest[:4]]
    if not 0 <= size <= MAX_LENGTH or min(minima) < 0 or sum(minima) > size:
        raise EvaluationError("RandomStringParameters", "The lengths of RandomString do not fit.")
    classes = _classes(text(rest[4]) or "")
    chosen = [
        _pick(context, part) for part, minimum in zip(classes, minima, strict=True) for _ in range(minimum)
    ]
    wanted = [part for part, minimum in zip(classes, minima, strict=True) if minimum]
    pool = "".join(wanted or [classes[0], classes[2], classes[3]])
    chosen += [_pick(context, pool) for _ in range(size - len(chosen))]
    context.random.shuffle(chosen)
    return "".join(chosen)


def _classes(avoid: str) -> list[str]:
    return ["".join(character for character in part if character not in avoid) for part in _CLASSES]


def _pick(context: EvaluationContext, characters: str) -> str:
    if not characters:
        raise EvaluationError(
            "RandomStringParameters", "RandomString may use no character of a class it needs."
        )
    return context.random.choice(characters)
