"""A thing to be done to the host, which can be told before it is done and need not be done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """``words`` say what it does, ``lines`` the same for a shell; ``needed`` is asked when its turn comes."""

    words: str
    lines: tuple[str, ...]
    needed: Callable[[], bool]
    act: Callable[[], None]


def announce(steps: Iterable[Step], say: Callable[[str], None]) -> None:
    """Tell everything that is going to be done, with the lines that would do the same by hand."""
    for step in steps:
        if not step.needed():
            say(f"  already so: {step.words}")
            continue
        say(f"  {step.words}")
        for line in step.lines:
            say(f"      {line}")


def perform(steps: Iterable[Step], say: Callable[[str], None]) -> None:
    """Do what is needed, in order; the first failure ends it, and doing it again goes on from there."""
    for step in steps:
        if step.needed():
            step.act()
            say(f"done: {step.words}")
