"""A cycle's steps as a line of stations."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.models import Cycle, CycleKind, CycleStep

_LINE = (CycleStep.READING, CycleStep.PLANNING, CycleStep.EXPORTING, CycleStep.SETTLING, CycleStep.DONE)


@dataclass(frozen=True, slots=True)
class Station:
    """One step: passed, current, or still ahead."""

    label: str
    position: str


def of_cycle(cycle: Cycle) -> list[Station]:
    """The stations of a cycle. A held one waits between planning and exporting."""
    stations = _of_line(cycle)
    # An undo reads nothing.
    return stations[1:] if cycle.kind == CycleKind.UNDO else stations


def _of_line(cycle: Cycle) -> list[Station]:
    if cycle.step == CycleStep.DONE:
        return [Station(str(step.label), "passed") for step in _LINE]
    if cycle.step == CycleStep.FAILED:
        return _until_failure(cycle)
    current = CycleStep.PLANNING if cycle.step == CycleStep.HELD else CycleStep(cycle.step)
    at = _LINE.index(current)
    return [Station(_label(cycle, step), _position(number, at)) for number, step in enumerate(_LINE)]


def _until_failure(cycle: Cycle) -> list[Station]:
    """A failed cycle remembers no step; what it counted tells how far it came."""
    reached = 2 if cycle.count_exported else 1 if cycle.count_planned else 0
    stations = [Station(str(step.label), _position(number, reached)) for number, step in enumerate(_LINE)]
    stations[reached] = Station(f"Failed while {_LINE[reached].label.lower()}", "failed")
    return stations


def _label(cycle: Cycle, step: CycleStep) -> str:
    if cycle.step == CycleStep.HELD and step == CycleStep.PLANNING:
        return "Held"
    return str(step.label)


def _position(number: int, current: int) -> str:
    if number == current:
        return "current"
    return "passed" if number < current else "ahead"
