from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab import forests
from lab.errors import LabError
from lab.population import Company
from lab.pytest_forest import small_company
from lab.samba import SambaForest


def test_what_is_in_a_forest_decides_which_kept_one_is_taken(tmp_path: Path) -> None:
    one = SambaForest("corp.example", "CORP", "127.0.20.10", tmp_path / "one")
    elsewhere = SambaForest("corp.example", "CORP", "127.0.20.11", tmp_path / "other")
    north = SambaForest("north.example", "NORTH", "127.0.20.10", tmp_path / "one")
    company = Company(one.base_dn)
    key = forests._key(one, company, ["get-changes"])
    assert key == forests._key(elsewhere, company, ["get-changes"])
    assert len({key, forests._key(north, company, ["get-changes"]), forests._key(one, company, [])}) == 3
    assert key != forests._key(one, Company(one.base_dn, seed=8), ["get-changes"])


def test_the_forests_not_used_for_longest_are_removed(tmp_path: Path) -> None:
    for age in range(forests.KEPT + 3):
        path = tmp_path / f"forest-{age}"
        path.mkdir()
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    forests._prune(tmp_path, keep=tmp_path / f"forest-{forests.KEPT + 2}")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"forest-{age}" for age in range(forests.KEPT)} | {f"forest-{forests.KEPT + 2}"}


@pytest.mark.forest
def test_a_copy_has_a_certificate_and_a_place_of_its_own(forest: SambaForest, tmp_path: Path) -> None:
    copy = SambaForest(forest.realm, forest.netbios, "127.0.19.10", tmp_path / "copy")
    forests.prepare(copy, small_company(forest.base_dn))
    assert copy.fingerprint != forest.fingerprint
    assert str(forest.directory) not in copy.smb_conf.read_text()
    assert copy.account("isthmus-agent") == forest.account("isthmus-agent")


@pytest.mark.forest
def test_a_directory_with_a_forest_is_not_provisioned_again(forest: SambaForest) -> None:
    with pytest.raises(LabError) as caught:
        forest.provision()
    assert caught.value.code == "LabWrongState"
