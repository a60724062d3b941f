"""Taking secrets out of text: those this agent knows, and whatever looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote

import orjson

from provisioning_agent.proxy import PROXY_CREDENTIALS, basic

MARK: Final = "[redacted]"
_PATTERNS: Final = (
    # Signed tokens (RFC 7515 §3.1), bearer credentials, enrolment tokens, passwords in URLs, PEM keys.
    re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]+"),
    re.compile(r"isthmus-[0-9a-z]{8}-[\w-]{20,}"),
    re.compile(r"(?<=://)[^/@\s\"]+(?=@)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
    re.compile(r"(?i)(?<=password=)(?:\"[^\"]*\"|[^\s\"]+)"),
)
# Shorter runs occur by chance: they would tear holes in harmless text and betray nothing.
_SHORTEST: Final = 4


class Redactor:
    """Replaces every known secret, in each spelling it may have been logged in."""

    def __init__(self, known: Iterable[str]) -> None:
        spellings = {form for secret in known if len(secret) >= _SHORTEST for form in _spellings(secret)}
        # Longest first: a secret may contain another.
        self._known = sorted(spellings, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._known:
            text = text.replace(secret, MARK)
        for pattern in _PATTERNS:
            text = pattern.sub(MARK, text)
        return text


def known_secrets(state: Path) -> list[str]:
    """Every secret of a state directory: passwords, and the lines of private keys."""
    found = []
    for path in sorted((state / "secrets").glob("*")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        found += _of_proxy(lines) if path.name == PROXY_CREDENTIALS else lines
    for path in sorted(state.glob("*.pem")):
        found += _key_lines(path.read_text(encoding="utf-8", errors="replace"))
    return found


def _of_proxy(lines: list[str]) -> list[str]:
    """``user:password``, the password alone, and both as the header has them."""
    parts = [(line, line.partition(":")[2], basic(line).partition(" ")[2]) for line in lines if line]
    return [part for line in parts for part in line]


def _key_lines(pem: str) -> list[str]:
    inside, found = False, []
    for line in pem.splitlines():
        if "PRIVATE KEY" in line:
            inside = line.startswith("-----BEGIN")
        elif inside:
            found.append(line)
    return found


def _spellings(secret: str) -> set[str]:
    as_json = orjson.dumps(secret).decode()[1:-1]
    # A JSON line quoted inside another is escaped twice.
    twice = orjson.dumps(as_json).decode()[1:-1]
    return {secret, as_json, twice, quote(secret, safe=""), quote(secret), repr(secret)[1:-1]}
