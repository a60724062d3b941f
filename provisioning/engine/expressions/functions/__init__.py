"""Every function of the language, found by name whatever its case."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from provisioning.engine.expressions.definitions import FunctionDefinition
from provisioning.engine.expressions.functions import (
    conditions,
    dates,
    encoding,
    lists,
    normalize,
    random_text,
    replace,
    text,
)

_FAMILIES: Final = (conditions, dates, encoding, lists, normalize, random_text, replace, text)

FUNCTIONS: Final[Mapping[str, FunctionDefinition]] = MappingProxyType(
    {name: definition for family in _FAMILIES for name, definition in family.registry.functions.items()}
)


def find_function(name: str) -> FunctionDefinition | None:
    """The function of that name in any spelling of upper and lower case."""
    return FUNCTIONS.get(name.lower())
