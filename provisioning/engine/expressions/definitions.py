"""How a function of the language is declared: its signature and how a call of it is compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from provisioning.engine.context import EvaluationContext
from provisioning.engine.expressions.nodes import Node, Omitted
from provisioning.engine.values import Attributes, Compiled, Value

ParameterType: TypeAlias = Literal[
    "String", "Integer", "Boolean", "DateTime", "Reference", "Binary", "Pattern"
]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; a repeated one takes all further arguments."""

    name: str
    type: ParameterType = "String"
    required: bool = True
    repeated: bool = False


def optional(name: str, kind: ParameterType = "String") -> Parameter:
    """A parameter whose slot may be left empty."""
    return Parameter(name, kind, required=False)


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call to compile: the arguments as nodes and compiled, None where a slot is empty."""

    nodes: tuple[Node, ...]
    arguments: tuple[Compiled | None, ...]
    target: str

    def required(self, index: int) -> Compiled:
        """The argument at index, or one that gives null where it is omitted."""
        argument = self.arguments[index] if index < len(self.arguments) else None
        return argument if argument is not None else absent

    def optional(self, index: int) -> Compiled | None:
        """The argument at index, None where it is omitted."""
        return self.arguments[index] if index < len(self.arguments) else None


def absent(_attributes: Attributes, _context: EvaluationContext) -> Value:
    """What an omitted argument evaluates to."""
    return None


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function of the language; strict means: null first argument, null result.

    unary is the function itself where it is strict and can do with its first argument alone;
    for_text does the same to a str alone, faster.
    """

    name: str
    parameters: tuple[Parameter, ...]
    build: Callable[[CallSite], Compiled]
    result: ParameterType = "String"
    strict: bool = False
    unary: Callable[[Value], Value] | None = None
    for_text: Callable[[str], str] | None = None

    def parameter(self, index: int) -> Parameter | None:
        """The parameter that takes the argument at index (from 0); None when there are too many."""
        if index < len(self.parameters):
            return self.parameters[index]
        return self._repeated(index)

    def _repeated(self, index: int) -> Parameter | None:
        cycle = [parameter for parameter in self.parameters if parameter.repeated]
        if not cycle:
            return None
        return cycle[(index - len(self.parameters)) % len(cycle)]

    @property
    def minimum(self) -> int:
        """The least number of arguments."""
        return minimum_of(self.parameters)


def minimum_of(parameters: tuple[Parameter, ...]) -> int:
    """The place of the last required parameter, from 1; 0 where none is."""
    return max((place for place, parameter in enumerate(parameters, 1) if parameter.required), default=0)


class Registry:
    """The functions of one family, filled by its decorators at import."""

    def __init__(self) -> None:
        self.functions: dict[str, FunctionDefinition] = {}

    def add(self, definition: FunctionDefinition) -> None:
        """Make a function known by its name, whatever its case."""
        self.functions[definition.name.lower()] = definition

    def plain(
        self,
        name: str,
        *parameters: Parameter,
        result: ParameterType = "String",
        strict: bool = False,
        for_text: Callable[[str], str] | None = None,
    ) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
        """Declare a function of its argument values alone; strict ones are not called with null.

        Parameters that are optional need a default in Python too.
        """
        needed = minimum_of(parameters)

        def register(function: Callable[..., Value]) -> Callable[..., Value]:
            def build(site: CallSite) -> Compiled:
                return _plain_call(function, _given(site, needed), strict=strict)

            unary = function if strict and needed == 1 else None
            self.add(FunctionDefinition(name, parameters, build, result, strict, unary, for_text))
            return function

        return register

    def contextual(
        self, name: str, *parameters: Parameter, result: ParameterType = "String", strict: bool = False
    ) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
        """Declare a function that gets the EvaluationContext before its argument values."""

        def register(function: Callable[..., Value]) -> Callable[..., Value]:
            def build(site: CallSite) -> Compiled:
                return _contextual_call(function, site, len(parameters), strict=strict)

            self.add(FunctionDefinition(name, parameters, build, result, strict))
            return function

        return register

    def lazy(
        self, name: str, *parameters: Parameter, result: ParameterType = "String"
    ) -> Callable[[Callable[[CallSite], Compiled]], Callable[[CallSite], Compiled]]:
        """Declare a function that compiles its own call and evaluates only what it needs."""

        def register(build: Callable[[CallSite], Compiled]) -> Callable[[CallSite], Compiled]:
            self.add(FunctionDefinition(name, parameters, build, result))
            return build

        return register


def _plain_call(function: Callable[..., Value], arguments: tuple[Compiled, ...], *, strict: bool) -> Compiled:
    if strict:
        return _strict_call(function, arguments)
    if len(arguments) == 1:
        (only,) = arguments
        return lambda attributes, context: function(only(attributes, context))
    if len(arguments) == 2:
        first, second = arguments
        return lambda attributes, context: function(first(attributes, context), second(attributes, context))
    return lambda attributes, context: function(*[argument(attributes, context) for argument in arguments])


def _strict_call(function: Callable[..., Value], arguments: tuple[Compiled, ...]) -> Compiled:
    first, rest = arguments[0], arguments[1:]

    def unary(attributes: Attributes, context: EvaluationContext) -> Value:
        value = first(attributes, context)
        return None if value is None else function(value)

    def call(attributes: Attributes, context: EvaluationContext) -> Value:
        value = first(attributes, context)
        if value is None:
            return None
        return function(value, *[argument(attributes, context) for argument in rest])

    return call if rest else unary


def _contextual_call(function: Callable[..., Value], site: CallSite, arity: int, *, strict: bool) -> Compiled:
    arguments = _given(site, arity)

    def call(attributes: Attributes, context: EvaluationContext) -> Value:
        values = [argument(attributes, context) for argument in arguments]
        if strict and values[0] is None:
            return None
        return function(context, *values)

    return call


def _given(site: CallSite, least: int) -> tuple[Compiled, ...]:
    """One closure per argument, at least so many; trailing empty slots beyond that are cut off."""
    nodes = list(site.nodes)
    while len(nodes) > least and isinstance(nodes[-1], Omitted):
        nodes.pop()
    return tuple(site.required(index) for index in range(max(least, len(nodes))))
