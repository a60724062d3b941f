"""From an object mapping to a function of an object's attributes.

A target attribute whose value is None is to be cleared; one that is missing is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions.compiler import compile_expression, literal_value
from provisioning.engine.expressions.functions import find_function
from provisioning.engine.expressions.nodes import (
    Attribute,
    Call,
    Keyword,
    Node,
    Number,
    Omitted,
    Text,
    attribute_names,
    function_names,
    respelt,
    walk,
)
from provisioning.engine.schema.conversion import Convert, Json, converter, takes_text_as_it_is
from provisioning.engine.schema.model import (
    AttributeMapping,
    AttributeType,
    FlowBehavior,
    FlowType,
    ObjectMapping,
)
from provisioning.engine.scoping import scope_attributes
from provisioning.engine.values import IGNORED, Attributes, Compiled, Value

_ADDED_ONCE: Final = frozenset({"SelectUniqueValue"})
_WRAPPER: Final = "IgnoreFlowIfNullOrEmpty"
_SECRET_SOURCES: Final = frozenset({"passwordhash"})

_Step: TypeAlias = tuple[str, Compiled, Convert]
"""Target attribute, closure, conversion to the target's type."""
_Change: TypeAlias = Callable[[Value], Value]
_Direct: TypeAlias = tuple[str, _Change | None, Convert]
"""Target attribute, what happens to the one source value (None: nothing), conversion."""
_OfText: TypeAlias = tuple[str, Callable[[str], str] | None]
"""The same for a source value that is a text, where the target takes texts."""


class Mapped(NamedTuple):
    """One object as the target should see it.

    create_only holds what flows at creation alone; it is empty unless the object is being created.
    redacted names the target attributes whose values must never be shown.
    """

    attributes: dict[str, Json]
    create_only: dict[str, Json]
    redacted: frozenset[str]


@dataclass(frozen=True)
class CompiledMapping:
    """An object mapping ready to run, and what others need to know of it.

    source_attributes: what has to be read from the source, for the scope filter too.
    reference_targets: target attributes that hold references.
    clears_when_absent: those for which a null source clears the target.
    fill_only: written only while the target has no value.
    merge_only: values are added, never removed.
    flow_always: written again though nothing changed.
    added_once: written when an object is created.
    matching: target attributes to match by, in order.
    redacted: target attributes, redacted_sources: source attributes whose values must not be shown.
    """

    source_attributes: frozenset[str]
    reference_targets: frozenset[str]
    clears_when_absent: frozenset[str]
    fill_only: frozenset[str]
    merge_only: frozenset[str]
    flow_always: frozenset[str]
    added_once: frozenset[str]
    matching: tuple[str, ...]
    redacted: frozenset[str]
    redacted_sources: frozenset[str]
    _base: Mapping[str, Json]
    _direct: Mapping[str, tuple[_Direct, ...]]
    _of_texts: Mapping[str, _OfText]
    _computed: tuple[_Step, ...]
    _at_creation: tuple[_Step, ...]
    _defaults: Mapping[str, Json]

    def apply(self, attributes: Attributes, context: EvaluationContext, *, creating: bool = True) -> Mapped:
        """The target's attributes; EvaluationError names the target attribute that failed."""
        result = dict(self._base)
        self._flow_direct(result, attributes)
        self._flow_computed(self._computed, result, attributes, context)
        create_only = self._created(result, attributes, context) if creating and self._creates else {}
        for name in self._defaults:
            if result.get(name, "") is None:
                del result[name]
        return Mapped(result, create_only, self.redacted)

    @property
    def _creates(self) -> bool:
        return bool(self._at_creation or self._defaults)

    def _flow_direct(self, result: dict[str, Json], attributes: Attributes) -> None:
        """Most mappings read one attribute: what is absent then costs nothing."""
        target, direct, of_texts = "", self._direct, self._of_texts
        try:
            for name, value in attributes.items():
                if type(value) is str and (step := of_texts.get(name)) is not None:
                    target, of_text = step
                    result[target] = (value if of_text is None else of_text(value)) or None
                elif value is not None and name in direct:
                    for target, change, convert in direct[name]:
                        found = value if change is None else change(value)
                        if found is not None:
                            result[target] = convert(found)
        except EvaluationError as error:
            raise error.for_target(target, redacted=target in self.redacted) from None

    def _flow_computed(
        self,
        steps: tuple[_Step, ...],
        result: dict[str, Json],
        attributes: Attributes,
        context: EvaluationContext,
    ) -> None:
        target = ""
        try:
            for target, evaluate, convert in steps:
                found = evaluate(attributes, context)
                if found is IGNORED:
                    result.pop(target, None)
                elif found is not None:
                    result[target] = convert(found)
        except EvaluationError as error:
            raise error.for_target(target, redacted=target in self.redacted) from None

    def _created(
        self, result: Mapping[str, Json], attributes: Attributes, context: EvaluationContext
    ) -> dict[str, Json]:
        created: dict[str, Json] = {}
        self._flow_computed(self._at_creation, created, attributes, context)
        for target, value in self._defaults.items():
            if created.get(target) is None and result.get(target) is None:
                created[target] = value
        return {target: value for target, value in created.items() if value is not None}


def compile_mapping(mapping: ObjectMapping, *, explicit_nulls: bool = True) -> CompiledMapping:
    """Compile once, apply per object.

    With explicit_nulls a null source gives None for each target of clears_when_absent; without,
    the key is missing and the caller treats a missing key of that set as None. That is several
    times less to store where most attributes of most objects are empty.
    """
    return _Compilation(mapping, explicit_nulls=explicit_nulls).result()


class _Compilation:
    def __init__(self, mapping: ObjectMapping, *, explicit_nulls: bool) -> None:
        self.mapping = mapping
        self.explicit_nulls = explicit_nulls
        self.base: dict[str, Json] = {}
        self.direct: dict[str, tuple[_Direct, ...]] = {}
        self.of_texts: dict[str, _OfText] = {}
        self.computed: list[_Step] = []
        self.at_creation: list[_Step] = []
        self.defaults: dict[str, Json] = {}
        self.clears: set[str] = set()
        self.sources: set[str] = set()
        self.redacted: set[str] = set()
        self.redacted_sources: set[str] = set()

    def result(self) -> CompiledMapping:
        for each in self.mapping.attribute_mappings:
            self.add(each)
        if self.explicit_nulls:
            self.base = dict.fromkeys(self.clears) | self.base
        return CompiledMapping(
            source_attributes=frozenset(self.sources) | scope_attributes(self.mapping.scope),
            reference_targets=self.targets_of_type(AttributeType.REFERENCE),
            clears_when_absent=frozenset(self.clears),
            fill_only=self.targets_with(FlowType.ATTRIBUTE_ADD_ONLY),
            merge_only=self.targets_with(FlowType.VALUE_ADD_ONLY, FlowType.MULTI_VALUE_ADD_ONLY),
            flow_always=self.always_written(),
            added_once=self.targets_with(FlowType.OBJECT_ADD_ONLY),
            matching=self.matching(),
            redacted=frozenset(self.redacted),
            redacted_sources=frozenset(self.redacted_sources),
            _base=self.base,
            _direct=self.direct,
            # Few attributes flow to several targets; those take the longer way.
            _of_texts={name: step for name, step in self.of_texts.items() if len(self.direct[name]) == 1},
            _computed=tuple(self.computed),
            _at_creation=tuple(self.at_creation),
            _defaults=self.defaults,
        )

    def targets_with(self, *flows: FlowType) -> frozenset[str]:
        return frozenset(each.target for each in self.mapping.attribute_mappings if each.flow_type in flows)

    def always_written(self) -> frozenset[str]:
        mappings = self.mapping.attribute_mappings
        return frozenset(each.target for each in mappings if each.flow_behavior is FlowBehavior.ALWAYS)

    def targets_of_type(self, kind: AttributeType) -> frozenset[str]:
        mappings = self.mapping.attribute_mappings
        return frozenset(each.target for each in mappings if each.definition and each.definition.type is kind)

    def matching(self) -> tuple[str, ...]:
        used = [each for each in self.mapping.attribute_mappings if each.matching_priority > 0]
        return tuple(each.target for each in sorted(used, key=lambda each: each.matching_priority))

    def add(self, mapping: AttributeMapping) -> None:
        convert = converter(mapping.definition)
        if mapping.source is None:
            self.add_constant(mapping, convert)
            return
        node = self.canonical(mapping.source)
        self.note_sources(mapping.target, node)
        if mapping.default_value is not None:
            self.defaults[mapping.target] = convert(mapping.default_value)
        if mapping.flow_type is FlowType.OBJECT_ADD_ONLY or function_names(node) & _ADDED_ONCE:
            self.at_creation.append(
                (mapping.target, compile_expression(node, target=mapping.target), convert)
            )
            return
        self.add_flow(mapping, node, convert)

    def add_constant(self, mapping: AttributeMapping, convert: Convert) -> None:
        """Without a source the default is a constant; the flow type says when it is written."""
        if mapping.default_value is None:
            return
        if mapping.flow_type is FlowType.OBJECT_ADD_ONLY:
            self.defaults[mapping.target] = convert(mapping.default_value)
        else:
            self.base[mapping.target] = convert(mapping.default_value)

    def add_flow(self, mapping: AttributeMapping, node: Node, convert: Convert) -> None:
        if isinstance(node, (Text, Number, Keyword)):
            self.base[mapping.target] = convert(literal_value(node))
            return
        if self.flows_null(mapping, node):
            self.clears.add(mapping.target)
        attribute, changes = value_chain(node)
        if attribute is None:
            self.computed.append((mapping.target, compile_expression(node, target=mapping.target), convert))
        else:
            step = (mapping.target, chained(changes), convert)
            self.direct[attribute] = (*self.direct.get(attribute, ()), step)
            if takes_text_as_it_is(mapping.definition):
                self.add_short_cut(attribute, mapping.target, node)

    def add_short_cut(self, attribute: str, target: str, node: Node) -> None:
        """For an expression that is the attribute, or one step from it that is known for a text alone."""
        if isinstance(node, Attribute):
            self.of_texts[attribute] = target, None
        elif isinstance(node, Call) and isinstance(node.arguments[0], Attribute):
            definition = find_function(node.name)
            if definition is not None and definition.for_text is not None:
                self.of_texts[attribute] = target, definition.for_text

    def flows_null(self, mapping: AttributeMapping, node: Node) -> bool:
        wrapped = isinstance(node, Call) and node.name == _WRAPPER
        flows = mapping.definition is not None and mapping.definition.flow_null_values
        return flows and not wrapped and mapping.default_value is None

    def note_sources(self, target: str, node: Node) -> None:
        names = attribute_names(node)
        self.sources |= names
        hidden: set[str] = {name for name in names if name.lower() in _SECRET_SOURCES}
        for part in walk(node):
            if isinstance(part, Call) and part.name == "Redact":
                hidden |= attribute_names(part)
                self.redacted.add(target)
        if hidden:
            self.redacted.add(target)
        self.redacted_sources |= hidden

    def canonical(self, node: Node) -> Node:
        """The expression with attribute names spelt as the source directory spells them."""
        definition = self.mapping.source_definition
        if definition is None:
            return node
        spelling = {each.name.lower(): each.name for each in definition.attributes if not each.case_exact}
        return respelt(node, spelling)


def value_chain(node: Node) -> tuple[str | None, list[_Change]]:
    """The attribute an expression passes through functions of one value, and these, inmost first.

    None instead of the attribute where the expression is anything else.
    """
    if isinstance(node, Attribute):
        return node.name, []
    if not isinstance(node, Call) or any(not isinstance(part, Omitted) for part in node.arguments[1:]):
        return None, []
    definition = find_function(node.name)
    if definition is None or definition.unary is None or not node.arguments:
        return None, []
    attribute, changes = value_chain(node.arguments[0])
    return attribute, [*changes, definition.unary]


def chained(changes: list[_Change]) -> _Change | None:
    """One function for all, null ending the chain."""
    if len(changes) < 2:
        return changes[0] if changes else None

    def run(value: Value) -> Value:
        for change in changes:
            if value is None:
                return None
            value = change(value)
        return value

    return run
