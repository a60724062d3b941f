from __future__ import annotations

import os
import subprocess
from pathlib import Path

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


def test_no_service_starts_while_packages_are_installed(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with packages._services_stay_stopped(policy):
        assert subprocess.run([policy], check=False).returncode == 101
    assert not policy.exists()


def test_a_policy_that_was_there_stays(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    with packages._services_stay_stopped(policy):
        assert policy.read_text() == "theirs"
    assert policy.read_text() == "theirs"
