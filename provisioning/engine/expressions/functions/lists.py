"""Functions on multi-valued attributes and application roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provisioning.engine.culture import lower
from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions.definitions import Parameter, Registry, optional
from provisioning.engine.expressions.functions.text import ignores_case
from provisioning.engine.values import Value, integer, many, text

registry: Final = Registry()

_LIST: Final = Parameter("attribute")
_ROLES: Final = Parameter("appRoleAssignments")


@registry.plain("Count", _LIST, result="Integer")
def count(attribute: Value) -> Value:
    """Number of values; 0 for null."""
    return len(many(attribute))


@registry.plain("Item", _LIST, Parameter("index", "Integer"))
def item(attribute: Value, index: Value) -> Value:
    """The value at index, counted from 1; null where the attribute is absent."""
    values = many(attribute)
    at = integer(index)
    if not values:
        return None
    if not 1 <= at <= len(values):
        raise EvaluationError("ItemOutOfRange", f"Item {at} does not exist; there are {len(values)} values.")
    return values[at - 1]


@registry.plain("Contains", _LIST, Parameter("search"), optional("compareType"), result="Integer")
def contains(attribute: Value, search: Value, compare_type: Value = None) -> Value:
    """The place (from 1) of the value that equals search; 0 where none does."""
    wanted = text(search)
    values = [text(member) for member in many(attribute)]
    if ignores_case(compare_type) and wanted is not None:
        wanted, values = lower(wanted), [lower(value or "") for value in values]
    return values.index(wanted) + 1 if wanted in values else 0


@registry.plain("RemoveDuplicates", _LIST, strict=True)
def remove_duplicates(attribute: Value) -> Value:
    """Each value once, in the order of first occurrence, compared exactly."""
    seen: dict[str, Value] = {}
    for member in many(attribute):
        seen.setdefault(text(member) or "", member)
    return list(seen.values())


@registry.plain("Split", Parameter("source"), optional("delimiter"), strict=True)
def split(source: Value, delimiter: Value = None) -> Value:
    """The parts between the delimiters (a comma by default), trimmed."""
    whole = text(source)
    if whole is None:
        return None
    return [part.strip() for part in whole.split(text(delimiter) or ",")]


def role_names(assignments: Value) -> list[str]:
    """The values of application role assignments, given as texts or as objects."""
    found: list[str] = []
    for member in many(assignments):
        name = member
        if isinstance(member, Mapping):
            name = next((str(member[key]) for key in ("value", "displayName") if member.get(key)), None)
        if written := text(name):
            found.append(written)
    return found


@registry.plain("AppRoleAssignments", _ROLES, strict=True)
def app_roles(assignments: Value) -> Value:
    """The names of all roles."""
    return role_names(assignments)


@registry.plain("SingleAppRoleAssignment", _ROLES, strict=True)
def single_app_role(assignments: Value) -> Value:
    """The name of the only role; an error where there are several."""
    names = role_names(assignments)
    if len(names) > 1:
        raise EvaluationError("SeveralAppRoles", f"One role is needed but there are {len(names)}.")
    return names[0] if names else None


@registry.plain("AppRoleAssignmentsComplex", _ROLES, strict=True)
def complex_app_roles(assignments: Value) -> Value:
    """SCIM roles (RFC 7643 §4.1.2), the first one primary."""
    return [
        {"primary": at == 0, "type": "WindowsAzureActiveDirectoryRole", "value": name, "display": name}
        for at, name in enumerate(role_names(assignments))
    ]
