"""The effective state of an account is a function of its flags, its expiry, the scope and the moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.engine.account_state import AccountState, Cause, effective_state, expiry

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# 2026-03-01 12:00 UTC.
NOW_FILETIME = 134168400000000000
NORMAL, DISABLED = 0x200, 0x202


def state(flags: int = NORMAL, expires: object = 0, *, in_scope: bool = True) -> AccountState:
    return effective_state(user_account_control=flags, account_expires=expires, in_scope=in_scope, now=NOW)


def test_a_filetime_is_read_as_its_moment() -> None:
    assert expiry(NOW_FILETIME) == NOW


@pytest.mark.parametrize("never", [0, 2**63 - 1, 2**63 - 2, None, "0", -1])
def test_never_is_never(never: object) -> None:
    assert state(expires=never) == AccountState(Cause.ENABLED)


def test_an_account_expires_at_its_moment_and_not_before() -> None:
    assert state(expires=NOW_FILETIME) == AccountState(Cause.EXPIRED)
    assert state(expires=NOW_FILETIME + 10) == AccountState(Cause.ENABLED, NOW + timedelta(microseconds=1))


def test_a_disabled_account_waits_for_no_moment() -> None:
    assert state(DISABLED, NOW_FILETIME + 10**9) == AccountState(Cause.DISABLED)


def test_out_of_scope_comes_before_everything() -> None:
    assert state(expires=NOW_FILETIME, in_scope=False) == AccountState(Cause.OUT_OF_SCOPE)


@given(flags=st.integers(0, 2**31), expires=st.integers(-(2**63), 2**63 - 1), in_scope=st.booleans())
def test_the_state_does_change_at_the_moment_it_names(flags: int, expires: int, in_scope: bool) -> None:
    found = state(flags, expires, in_scope=in_scope)
    if found.changes_at is None:
        return
    for moment, is_enabled in (
        (found.changes_at - timedelta(microseconds=1), True),
        (found.changes_at, False),
    ):
        later = effective_state(
            user_account_control=flags, account_expires=expires, in_scope=in_scope, now=moment
        )
        assert later.is_enabled is is_enabled
