"""The tie to Entra: all of it, or nothing."""

from __future__ import annotations

import uuid

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.settings import entra

TENANT, CLIENT = str(uuid.uuid4()), str(uuid.uuid4())


@pytest.mark.parametrize("value", ["contoso", TENANT])
def test_half_a_tie_stops_the_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISTHMUS_ENTRA_TENANT", value)
    with pytest.raises(ImproperlyConfigured, match="ISTHMUS_ENTRA"):
        entra.read()


def test_a_whole_tie_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISTHMUS_ENTRA_TENANT", TENANT.upper())
    monkeypatch.setenv("ISTHMUS_ENTRA_CLIENT_ID", CLIENT)
    monkeypatch.setenv("ISTHMUS_ENTRA_ENROLLERS", "Agents.Enrol, ")
    assert entra.read() == (TENANT, CLIENT, ["Agents.Enrol"], "https://login.microsoftonline.com")
