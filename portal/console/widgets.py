"""Form fields in the look of the console, for forms that are not model forms."""

from __future__ import annotations

from django.forms import NumberInput as DjangoNumberInput
from django.forms import Select as DjangoSelect
from django.forms import Textarea as DjangoTextarea
from django.forms import TextInput as DjangoTextInput
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES, TEXTAREA_CLASSES


class TextInput(DjangoTextInput):
    """One line of text."""

    def __init__(self) -> None:
        super().__init__(attrs={"class": " ".join(INPUT_CLASSES)})


class NumberInput(DjangoNumberInput):
    """A number."""

    def __init__(self) -> None:
        super().__init__(attrs={"class": " ".join(INPUT_CLASSES)})


class Select(DjangoSelect):
    """One of several."""

    def __init__(self) -> None:
        super().__init__(attrs={"class": " ".join(SELECT_CLASSES)})


class Textarea(DjangoTextarea):
    """Several lines of text."""

    def __init__(self, rows: int = 3) -> None:
        super().__init__(attrs={"class": " ".join(TEXTAREA_CLASSES), "rows": rows})
