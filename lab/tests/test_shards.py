from __future__ import annotations

import re

import pytest

from lab import shards


def test_every_folder_with_tests_is_in_exactly_one_half(pytestconfig: pytest.Config) -> None:
    listed = [path for half in shards.HALVES for path in half]
    assert sorted(listed) == sorted(pytestconfig.getini("testpaths"))


def test_both_halves_are_run_and_told(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    halves = (("lab/tests/test_population.py",), ("lab/tests/test_dn.py",))
    code = shards.run(halves)
    told = capfdbinary.readouterr().out.decode()
    assert code == 0, told
    assert len(re.findall(r"\d+ passed", told)) == len(halves)


def test_a_half_that_fails_fails_the_whole(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert shards.run((("lab/tests/test_population.py",), ("lab/tests/no_such_file.py",))) != 0
    assert b"no_such_file" in capfdbinary.readouterr().out
