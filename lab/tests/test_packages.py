from __future__ import annotations

import os

import pytest

from lab import packages
from lab.errors import REMEDIES, LabError


def test_what_dpkg_has_is_not_installed_again() -> None:
    assert packages.ensure("dpkg") == []


def test_missing_packages_are_named_in_the_order_given() -> None:
    assert packages.missing_packages(["no-such-one", "dpkg", "nor-this"]) == ["no-such-one", "nor-this"]


def test_without_root_the_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="no-such-one") as caught:
        packages.ensure("no-such-one")
    assert caught.value.code == "LabPackageMissing"


def test_an_unknown_bundle_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert packages.main(["samba", "nonsense"]) == 2
    assert "usage" in capsys.readouterr().err


def test_every_error_says_what_to_do() -> None:
    for code, remedy in REMEDIES.items():
        assert str(LabError(code, "It broke.")) == f"{code}: It broke. {remedy}"
