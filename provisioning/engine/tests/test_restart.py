"""Reset scopes as Graph writes them."""

from __future__ import annotations

import pytest

from provisioning.engine.restart import DEFAULT, FULL, ResetScope, parse_reset_scope


def test_an_empty_scope_is_what_the_restart_button_does() -> None:
    assert parse_reset_scope("") == DEFAULT == {"QuarantineState", "Watermark", "Escrows"}


def test_full_is_everything_but_the_release_of_staged_deletions() -> None:
    assert parse_reset_scope("Full") == FULL
    assert set(ResetScope) - FULL == {ResetScope.FORCE_DELETES}


def test_none_resets_nothing() -> None:
    assert parse_reset_scope("None") == frozenset()


def test_a_comma_list_is_read_in_any_spelling() -> None:
    assert parse_reset_scope("escrows, Watermark,") == frozenset({ResetScope.ESCROWS, ResetScope.WATERMARK})


def test_dropping_what_is_known_takes_the_watermark_along() -> None:
    assert ResetScope.WATERMARK in (parse_reset_scope("ConnectorDataStore") or ())


@pytest.mark.parametrize("text", ["Everything", "Escrows;Watermark", "None,Escrows"])
def test_a_scope_that_is_not_known_is_refused(text: str) -> None:
    assert parse_reset_scope(text) is None
