"""Wheels of the agent as releases would be: the real sources under another version, or with a defect."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import provisioning_agent

_SOURCES = Path(provisioning_agent.__file__).parent


def agent_wheel(directory: Path, version: str, *, replaced: dict[str, str] | None = None) -> Path:
    """A wheel (PEP 427) of the sources here as ``version``; ``replaced`` gives modules other contents."""
    content = {
        f"provisioning_agent/{path.relative_to(_SOURCES)}": path.read_text(encoding="utf-8")
        for path in sorted(_SOURCES.rglob("*.py"))
    }
    first = content["provisioning_agent/__init__.py"]
    old = f'__version__ = "{provisioning_agent.__version__}"'
    assert old in first
    content["provisioning_agent/__init__.py"] = first.replace(old, f'__version__ = "{version}"')
    content |= replaced or {}
    info = f"isthmus_agent-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires("isthmus-agent") or ())
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: isthmus-agent\nVersion: {version}\n{needs}\n"
    content[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    content[f"{info}/entry_points.txt"] = (
        "[console_scripts]\nisthmus-agent = provisioning_agent.cli.main:main\n"
    )
    record = "".join(
        f"{name},sha256={_digest(text)},{len(text.encode())}\n" for name, text in content.items()
    )
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    wheel = directory / f"isthmus_agent-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return wheel


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
