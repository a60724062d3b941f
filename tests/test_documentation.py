"""The documentation says what the code says: error codes, settings, links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import error_pages

ROOT = Path(__file__).resolve().parents[1]
CODE = ("agents", "directory", "portal", "provisioning", "provisioning_agent/src")
WRITE_THEM = "run `python -m docs.error_pages`"
# Classes and functions whose first argument is a stable code.
RAISERS = (
    "AgentError",
    "ApiError",
    "DirectoryError",
    "EvaluationError",
    "JobRefused",
    "WireError",
    "refusal",
)
READERS = ("text", "boolean", "integer", "items", "secret", "origin", "read_or_create")


def python_files() -> Iterator[Path]:
    for part in CODE:
        yield from (path for path in (ROOT / part).rglob("*.py") if "tests" not in path.parts)


def calls(tree: ast.AST, names: tuple[str, ...]) -> Iterator[str]:
    """The text that is the first argument of each call of one of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in names:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_error_code_has_a_page_that_is_up_to_date() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in error_pages.DIRECTORY.glob("*.md")}
    wanted = error_pages.pages()
    assert sorted(there) == sorted(wanted), WRITE_THEM
    assert [name for name in wanted if there[name] != wanted[name]] == [], WRITE_THEM


def test_every_registry_of_error_codes_is_documented() -> None:
    registries = {registry.module.replace(".", "/") for registry in error_pages.REGISTRIES}
    found = {
        str(path.relative_to(ROOT).with_suffix("")).removeprefix("provisioning_agent/src/")
        for path in python_files()
        if path.name == "errors.py"
    }
    assert found == registries


def test_every_code_that_is_raised_is_in_a_registry() -> None:
    known = error_pages.collect()
    raised = {code for path in python_files() for code in calls(ast.parse(path.read_text("utf-8")), RAISERS)}
    assert raised, "nothing was found: do the classes have other names now?"
    assert sorted(raised - set(known)) == []


def test_what_is_written_by_hand_on_an_error_page_survives(tmp_path: Path) -> None:
    error_pages.write(tmp_path)
    page = tmp_path / "TimeOut.md"
    page.write_text(page.read_text("utf-8") + "\nLook at the clock.\n", encoding="utf-8")
    (tmp_path / "NoSuchCode.md").write_text("An error of an older version.\n", encoding="utf-8")
    error_pages.write(tmp_path)
    assert page.read_text("utf-8").endswith("\nLook at the clock.\n")
    assert not (tmp_path / "NoSuchCode.md").exists()


def test_every_setting_that_is_read_is_documented() -> None:
    paths = (*(ROOT / "portal" / "settings").glob("*.py"), ROOT / "portal" / "embedded.py")
    read = {name for path in paths for name in _variables(path)}
    assert len(read) > 20
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in sorted(read) if f"`{name}`" not in documented] == []


def test_every_setting_that_is_documented_is_read() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text("utf-8"), re.M))
    places = [*python_files(), ROOT / "Procfile"]
    everything = "\n".join(path.read_text(encoding="utf-8") for path in places)
    assert [name for name in sorted(documented) if name not in everything] == []


def _variables(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    read = (name for name in calls(tree, (*READERS, "get")) if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", name))
    # Every secret may come from a file: said once, at the top of the page.
    yield from (name.removesuffix("_FILE") for name in read)


def markdown_files() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", markdown_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not _leads_somewhere(path, target)] == []


def _leads_somewhere(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.exists():
        return False
    return not anchor or anchor in _anchors(file)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
