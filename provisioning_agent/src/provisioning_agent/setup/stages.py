"""One step of the wizard: told before it is done, noted after, and not done twice for the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from provisioning_agent.errors import AgentError

from .progress import Progress

Facts = dict[str, dict[str, Any]]


class Person(Protocol):
    """Whoever is at the other end: a terminal, or a file of answers."""

    def say(self, text: str) -> None:
        """Tell."""
        ...

    def confirm(self, question: str) -> bool:
        """Ask for a yes; a file of answers says what it says beforehand, so it answers no."""
        ...

    def go_on(self) -> bool:
        """Whether the step that was just told may be done."""
        ...

    def secret(self, path: Path, prompt: str) -> str:
        """A secret from its file, from standard input, or typed."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """``act`` returns what it found out; ``answers`` decide whether it was done before, None: it is done each time."""

    name: str
    words: str
    by_hand: Callable[[], list[str]]
    act: Callable[[], dict[str, Any]]
    answers: tuple[str, ...] | None = None


def tell_all(stages: list[Stage], person: Person) -> None:
    """Every step with the lines that do the same by hand."""
    for number, stage in enumerate(stages, 1):
        person.say(f"[{number}/{len(stages)}] {stage.words}")
        for line in stage.by_hand():
            person.say(f"    {line}")


def go_through(stages: list[Stage], person: Person, progress: Progress, facts: Facts, *, again: bool) -> None:
    """Do what is not done yet, in order; a failure ends it, and the next time goes on from there."""
    for number, stage in enumerate(stages, 1):
        person.say(f"[{number}/{len(stages)}] {stage.words}")
        known = None if again or stage.answers is None else progress.found(stage.name, stage.answers)
        if known is not None:
            person.say("    done before")
            facts[stage.name] = known
            continue
        if not person.go_on():
            raise AgentError("SetupStopped")
        facts[stage.name] = stage.act()
        if stage.answers is not None:
            progress.note(stage.name, stage.answers, facts[stage.name])


def flat(values: Iterable[object]) -> tuple[str, ...]:
    """Answers as the texts that a step is remembered by."""
    return tuple(str(value) for value in values)
