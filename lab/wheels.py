"""Wheels of the agent as releases would be: the real sources under another version, or with a defect."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path

import provisioning_agent

_SOURCES = Path(provisioning_agent.__file__).parent


def agent_wheel(
    directory: Path, version: str, *, replaced: dict[str, str] | None = None, requires_too: Sequence[str] = ()
) -> Path:
    """A wheel (PEP 427) of the sources here as ``version``; ``replaced`` gives modules other contents.

    ``requires_too`` are requirements beyond those of the agent that runs here.
    """
    content = {
        f"provisioning_agent/{path.relative_to(_SOURCES)}": path.read_text(encoding="utf-8")
        for path in sorted(_SOURCES.rglob("*.py"))
    }
    first = content["provisioning_agent/__init__.py"]
    old = f'__version__ = "{provisioning_agent.__version__}"'
    assert old in first
    content["provisioning_agent/__init__.py"] = first.replace(old, f'__version__ = "{version}"')
    content |= replaced or {}
    entry_points = "[console_scripts]\nisthmus-agent = provisioning_agent.cli.main:main\n"
    needs = [*(requires("isthmus-agent") or ()), *requires_too]
    return wheel(directory, "isthmus-agent", version, content, needs, entry_points)


def wheel(
    directory: Path,
    name: str,
    version: str,
    content: dict[str, str],
    needs: Sequence[str] = (),
    entry_points: str = "",
) -> Path:
    """A pure wheel of these files."""
    stem = f"{name.replace('-', '_')}-{version}"
    info, content = f"{stem}.dist-info", dict(content)
    required = "".join(f"Requires-Dist: {requirement}\n" for requirement in needs)
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}\n"
    content[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points
    record = "".join(
        f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in content.items()
    )
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    made = directory / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in content.items():
            archive.writestr(path, text)
    return made


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
