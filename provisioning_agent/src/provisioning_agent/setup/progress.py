"""How far the wizard got, in a file of the state directory. What was found out is kept, a secret never is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from provisioning_agent.errors import AgentError
from provisioning_agent.files import write_private

_FILE: Final = "setup.json"


class Progress:
    """The steps that are done, each with the answers it was done for and what it found out."""

    def __init__(self, state: Path) -> None:
        self._path = state / _FILE
        self._steps: dict[str, dict[str, Any]] | None = None

    def found(self, step: str, answers: Sequence[str]) -> dict[str, Any] | None:
        """What a step found out when it was done for these very answers; None if it has to be done."""
        done = self._load().get(step)
        return done["found"] if done and done["for"] == list(answers) else None

    def note(self, step: str, answers: Sequence[str], found: dict[str, Any]) -> None:
        """A step is done; on disk when this returns."""
        self._load()[step] = {"for": list(answers), "found": found}
        write_private(self._path, orjson.dumps(self._load(), option=orjson.OPT_INDENT_2))

    def _load(self) -> dict[str, dict[str, Any]]:
        if self._steps is None:
            self._steps = self._read()
        return self._steps

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            steps = orjson.loads(self._path.read_bytes())
            return {
                name: {"for": list(one["for"]), "found": dict(one["found"])} for name, one in steps.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise AgentError("StateUnreadable", f"{self._path} can not be used; remove it.") from error
