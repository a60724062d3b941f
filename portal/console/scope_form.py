"""The form of a scope: containers, groups, and attribute clauses by object type. No database: names are handed in.

The whole form travels with each press of a button; nothing is kept between two requests.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provisioning.engine.errors import SchemaError
from provisioning.engine.operators import OPERATORS, find_operator

TYPES: Final = ("user", "group", "contact")
_FILTERS: Final = {
    "container": ("containerFilter", "includedContainers"),
    "group": ("groupFilter", "includedGroups"),
}
_FIELD: Final = re.compile(r"clause-(user|group|contact)-(\d{1,4})-(\d{1,4})-attribute\Z")
_GROUP: Final = re.compile(r"clauses-(user|group|contact)-(\d{1,4})\Z")
_PLACE: Final = re.compile(r"synchronizationRules\[(\d+)\]\.objectMappings\[(\d+)\]\.scope\.groups\[(\d+)\]")
_CLAUSE: Final = re.compile(r"\.clauses\[(\d+)\]")


@dataclass(slots=True)
class Clause:
    """One row: attribute, operator, and values, one a line; ``error`` says what is wrong with it."""

    attribute: str = ""
    operator: str = "EQUALS"
    values: str = ""
    error: str = ""

    @property
    def takes_values(self) -> bool:
        """Whether the operator compares with something."""
        known = find_operator(self.operator)
        return known is None or known.arity == "Binary"


@dataclass(slots=True)
class Group:
    """Clauses that must all hold."""

    name: str = ""
    clauses: list[Clause] = field(default_factory=list)
    error: str = ""


@dataclass(slots=True)
class Form:
    """What is chosen: objectGUIDs by kind ("container", "group"), and the groups of clauses by object type."""

    chosen: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _FILTERS})
    clauses: dict[str, list[Group]] = field(default_factory=dict)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Form:
        """As a document, which was checked, says it."""
        form = cls()
        rule = _first_rule(document)
        for kind, (filter_name, list_name) in _FILTERS.items():
            form.chosen[kind] = list((rule.get(filter_name) or {}).get(list_name) or [])
        for name, mapping in _mappings(rule).items():
            groups = (mapping.get("scope") or {}).get("groups") or []
            form.clauses[name] = [_group_of(group) for group in groups]
        return form

    @classmethod
    def of_post(cls, posted: Mapping[str, Any], lists: Mapping[str, list[str]]) -> Form:
        """As it was sent; ``lists`` holds the fields that come several times."""
        form = cls(chosen={kind: list(dict.fromkeys(lists.get(kind, []))) for kind in _FILTERS})
        for name in (one for one in TYPES if f"type-{one}" in posted):
            form.clauses[name] = [
                Group(
                    str(posted.get(prefix, "")),
                    [
                        Clause(
                            attribute=str(posted[row]).strip(),
                            operator=str(posted.get(row.replace("-attribute", "-operator"), "")),
                            values=str(posted.get(row.replace("-attribute", "-values"), "")),
                        )
                        for row in _rows(posted, prefix)
                    ],
                )
                for prefix in _prefixes(posted, name)
            ]
        return form

    def act(self, verb: str) -> None:
        """Do what a button inside the form says: add or drop a place, a group of clauses or a clause."""
        action, _, rest = verb.partition(":")
        parts = rest.split(":")
        if action in ("choose", "drop") and parts[0] in self.chosen:
            held = [guid for guid in self.chosen[parts[0]] if guid != parts[1]]
            self.chosen[parts[0]] = held if action == "drop" else [*held, parts[1]]
        elif action == "either" and parts[0] in self.clauses:
            self.clauses[parts[0]].append(Group(clauses=[Clause()]))
        elif action == "and":
            self.clauses[parts[0]][int(parts[1])].clauses.append(Clause())
        elif action == "without":
            group = self.clauses[parts[0]][int(parts[1])]
            del group.clauses[int(parts[2])]
            if not group.clauses:
                del self.clauses[parts[0]][int(parts[1])]

    def applied(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with this scope, and everything else as it was."""
        changed = copy.deepcopy(dict(document))
        for rule in changed["synchronizationRules"]:
            for kind, (filter_name, list_name) in _FILTERS.items():
                rule[filter_name] = {list_name: list(self.chosen[kind])} if self.chosen[kind] else None
        for name, mapping in _mappings(_first_rule(changed)).items():
            groups = [_told(group) for group in self.clauses.get(name, ())]
            if groups or mapping.get("scope"):
                mapping["scope"] = {**(mapping.get("scope") or {}), "groups": groups}
        return changed

    def blame(self, document: Mapping[str, Any], error: SchemaError) -> bool:
        """Put an error beside the clause it is about; false where it is about none."""
        place = _PLACE.match(error.path)
        if place is None:
            return False
        at = document["synchronizationRules"][int(place[1])]["objectMappings"][int(place[2])]
        mappings = _mappings(_first_rule(document))
        name = next((name for name, mapping in mappings.items() if mapping is at), None)
        if name is None:
            return False
        group = self.clauses[name][int(place[3])]
        clause = _CLAUSE.match(error.path, place.end())
        told = f"{error.problem} {error.remedy}"
        if clause is None:
            group.error = told
        else:
            group.clauses[int(clause[1])].error = told
        return True


def operators() -> list[str]:
    """Every operator that can be used, as documents name it."""
    return [one.name for one in OPERATORS.values() if one.supported]


def attributes(document: Mapping[str, Any], object_type: str) -> list[str]:
    """The source attributes of a type that the document knows, for suggestions."""
    for directory in document.get("directories") or ():
        if directory.get("name") == _first_rule(document).get("sourceDirectoryName"):
            for one in directory.get("objects") or ():
                if str(one.get("name", "")).lower() == object_type:
                    return sorted(str(each["name"]) for each in one.get("attributes") or ())
    return []


def _first_rule(document: Mapping[str, Any]) -> dict[str, Any]:
    """The rule that is run: the one of the lowest priority number."""
    rules = document["synchronizationRules"]
    found: dict[str, Any] = min(rules, key=lambda rule: rule.get("priority") or 1)
    return found


def _mappings(rule: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The mapping of each object type that is read, as :meth:`Rule.object_mapping` finds it."""
    found: dict[str, dict[str, Any]] = {}
    for mapping in rule.get("objectMappings") or ():
        name = str(mapping.get("sourceObjectName", "")).lower()
        if name in TYPES and mapping.get("enabled", True):
            found.setdefault(name, mapping)
    return found


def _group_of(group: Mapping[str, Any]) -> Group:
    clauses = [
        Clause(
            attribute=clause["sourceOperandName"],
            operator=_spelt(clause["operatorName"]),
            values="\n".join((clause.get("targetOperand") or {}).get("values") or ()),
        )
        for clause in group.get("clauses") or ()
    ]
    return Group(group.get("name") or "", clauses)


def _spelt(operator: str) -> str:
    known = find_operator(operator)
    return known.name if known is not None else operator


def _told(group: Group) -> dict[str, Any]:
    return {
        "name": group.name or None,
        "clauses": [
            {
                "sourceOperandName": clause.attribute,
                "operatorName": clause.operator,
                "targetOperand": {"values": _lines(clause.values) if clause.takes_values else []},
            }
            for clause in group.clauses
        ],
    }


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\r\n", "\n").split("\n") if line]


def _prefixes(posted: Mapping[str, Any], name: str) -> Iterator[str]:
    """The groups of clauses that were sent for a type, in their order."""
    found = [match for key in posted if (match := _GROUP.match(key)) and match[1] == name]
    return (match[0] for match in sorted(found, key=lambda match: int(match[2])))


def _rows(posted: Mapping[str, Any], prefix: str) -> list[str]:
    """The fields of the attributes of a group's clauses, in their order."""
    at = prefix.replace("clauses-", "clause-")
    found = [match for key in posted if (match := _FIELD.match(key)) and key.startswith(f"{at}-")]
    return [match[0] for match in sorted(found, key=lambda match: int(match[3]))]
