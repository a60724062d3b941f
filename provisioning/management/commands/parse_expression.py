"""Try mapping expressions out: ``manage.py parse_expression 'Trim([mail])' --properties '{"mail": " a "}'``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from provisioning.engine.context import EvaluationContext
from provisioning.engine.trial import Answer, read_properties, try_expression


class Command(BaseCommand):
    """Parse and evaluate expressions, and print what Graph's parseExpression would answer."""

    help = "Parse and evaluate a mapping expression, or a file of them, and print the answer as JSON."
    requires_system_checks: list[str] = []  # no database, no settings of other apps

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("expression", nargs="?", help="The expression, at most 10 000 characters.")
        parser.add_argument("--properties", default="{}", help="JSON: attribute names and their test values.")
        parser.add_argument("--batch", type=Path, help='JSON file: a list of {"expression", "properties"}.')
        parser.add_argument("--default-domain", help="What DefaultDomain() gives.")
        parser.add_argument("--now", help="ISO 8601 moment that Now() gives instead of the present one.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print one answer, or with --batch a list of answers."""
        expression, batch = options["expression"], options["batch"]
        if (expression is None) == (batch is None):
            raise CommandError("Give either an expression or --batch FILE.")
        context = EvaluationContext(_now(options["now"]), SystemRandom(), options["default_domain"])
        if batch is None:
            answer: object = _answer(expression, _json(options["properties"], "--properties"), context)
        else:
            answer = _answers(_json(_read(batch), str(batch)), context)
        self.stdout.write(json.dumps(answer, indent=2))


def _now(given: str | None) -> datetime:
    if given is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise CommandError("--now needs an ISO 8601 moment such as 2026-01-31T12:00:00Z.") from error
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} can not be read: {error}") from error


def _json(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{where} is not valid JSON: {error}") from error


def _answers(items: object, context: EvaluationContext) -> list[Answer]:
    if not isinstance(items, list):
        raise CommandError('The batch file needs a list of {"expression", "properties"}.')
    return [_item(item, index, context) for index, item in enumerate(items)]


def _item(item: object, index: int, context: EvaluationContext) -> Answer:
    if not isinstance(item, dict) or not isinstance(item.get("expression"), str):
        raise CommandError(f"Item {index} of the batch needs an expression.")
    return _answer(item["expression"], item.get("properties"), context)


def _answer(expression: str, properties: object, context: EvaluationContext) -> Answer:
    try:
        return try_expression(expression, read_properties(properties), context)
    except ValueError as error:
        raise CommandError(f"The properties can not be used: {error}.") from error
