"""The pages of ``docs/errors``: one for each stable error code, written from the registries in the code.

``python -m docs.error_pages`` writes them. What stands below the mark on a page is written by hand and is kept.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).parent / "errors"
INDEX: Final = "README.md"
MARK: Final = "<!-- Written by hand from here on. -->"
_CODE_OF_CYCLE: Final = "provisioning.errors"


@dataclass(frozen=True, slots=True)
class Registry:
    """One registry of codes: the module, the name in it, and where a person meets its codes."""

    module: str
    name: str
    title: str
    appears: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What one registry says of one code; what it does not say is None."""

    registry: Registry
    sentence: str
    status: int | None = None
    retry: bool | None = None
    exit_code: int | None = None


REGISTRIES: Final = (
    Registry(
        "provisioning_agent.wire.errors",
        "CODES",
        "Between agent and portal",
        "In the SCIM error body of a call below `/hybrid/v1`, in the agent's log and among its last errors. "
        "When it ends a request for good, as the error of the cycle.",
    ),
    Registry(
        "provisioning_agent.ldap.errors",
        "CODES",
        "Agent and domain controller",
        "In the agent's log and among its last errors, on the command line of the agent, and as the error of the "
        "cycle that could not be answered.",
    ),
    Registry(
        "provisioning_agent.errors",
        "CODES",
        "Agent on its host",
        "On the command line of `isthmus-agent` and in its log.",
    ),
    Registry(
        "agents.errors",
        "CODES",
        "Hybrid identity service",
        "With an HTTP status: in the SCIM error body of a call below `/hybrid/v1`. "
        "Without: as the outcome of a request on the bus, and so as the error of the cycle.",
    ),
    Registry(
        "provisioning.errors",
        "ERRORS",
        "Jobs, cycles and objects",
        "On jobs and cycles in the console and in REST, in rows of the provisioning log, and in mails.",
    ),
    Registry(
        "provisioning.engine.errors",
        "ERRORS",
        "Mapping, scope and schema documents",
        "In the provisioning log for the one object that could not be worked out, in the answer of "
        "`manage.py parse_expression`, and where a schema document is saved. The text beside the code names the "
        "attribute or the place.",
    ),
    Registry(
        "portal.api.errors",
        "ERRORS",
        "REST",
        'In the body of a REST answer: `{"code", "detail"}`.',
    ),
)


def collect() -> dict[str, list[Entry]]:
    """Every code with what each registry says of it, in the order of the alphabet."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for registry in REGISTRIES:
        codes: Mapping[str, object] = getattr(import_module(registry.module), registry.name)
        for code, value in codes.items():
            found[code].append(_entry(registry, value))
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def critical_codes() -> frozenset[str]:
    """The codes that quarantine a job at once."""
    codes: frozenset[str] = import_module(_CODE_OF_CYCLE).CRITICAL
    return codes


def render(code: str, entries: Iterable[Entry], *, is_critical: bool, by_hand: str = "") -> str:
    """The page of one code."""
    parts = [f"# {code}", *_sections(list(entries))]
    if is_critical:
        parts.append("A cycle that ends with this code quarantines its job at once: a person has to act.")
    parts += ["[All error codes](README.md)", MARK]
    return "\n\n".join(parts) + "\n" + by_hand


def render_index(codes: Mapping[str, list[Entry]]) -> str:
    """The list of all codes, by where they appear."""
    parts = [
        "# Error codes",
        "Every error a person can meet has a code that stays the same from version to version. "
        "The pages are written from the code by `python -m docs.error_pages`.",
    ]
    for registry in REGISTRIES:
        rows = [
            f"| [{code}]({code}.md) | {entry.sentence} |"
            for code, entries in codes.items()
            for entry in entries
            if entry.registry is registry
        ]
        parts.append("\n".join([f"## {registry.title}", "", "| code | |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def pages(directory: Path = DIRECTORY) -> dict[str, str]:
    """Every file of the directory by name, as it should be; what was written by hand is taken over."""
    codes, critical = collect(), critical_codes()
    made = {
        f"{code}.md": render(
            code, entries, is_critical=code in critical, by_hand=_by_hand(directory / f"{code}.md")
        )
        for code, entries in codes.items()
    }
    return {INDEX: render_index(codes), **made}


def write(directory: Path = DIRECTORY) -> None:
    """Write every page, and remove those whose code is gone."""
    wanted = pages(directory)
    directory.mkdir(exist_ok=True)
    for name, text in wanted.items():
        (directory / name).write_text(text, encoding="utf-8")
    for path in directory.glob("*.md"):
        if path.name not in wanted:
            path.unlink()


def _entry(registry: Registry, value: object) -> Entry:
    """Registries hold a sentence, a pair of status and sentence, or a named tuple with more."""
    if isinstance(value, str):
        return Entry(registry, value)
    if not isinstance(value, tuple):
        raise TypeError(f"{registry.module} holds a value that is neither a text nor a tuple.")
    names = getattr(value, "_fields", ("status", "sentence"))
    return Entry(registry, **dict(zip(names, value, strict=True)))


def _sections(entries: list[Entry]) -> list[str]:
    """What each registry says; under headings of their own where there are several."""
    if len(entries) == 1:
        return [_section(entries[0])]
    return [f"## {entry.registry.title}\n\n{_section(entry)}" for entry in entries]


def _section(entry: Entry) -> str:
    return "\n".join([entry.sentence, "", f"*Where.* {entry.registry.appears}", *_facts(entry)])


def _facts(entry: Entry) -> list[str]:
    facts = []
    if entry.status is not None:
        facts.append(f"* HTTP status {entry.status}")
    if entry.retry is not None:
        facts.append("* tried again by itself" if entry.retry else "* not tried again by itself")
    if entry.exit_code is not None:
        facts.append(f"* exit code {entry.exit_code}")
    return ["", *facts] if facts else []


def _by_hand(path: Path) -> str:
    if not path.exists():
        return ""
    return path.read_text(encoding="utf-8").partition(f"{MARK}\n")[2]


def main() -> None:
    """Write the pages; no database is asked, and none is started."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("DATABASE_URL", "postgresql://localhost/unused")
    import_module("django").setup()
    write()


if __name__ == "__main__":
    main()
