from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import serve
from lab.samba import SambaForest

pytestmark = pytest.mark.forest
ROOT = Path(__file__).resolve().parents[2]


def test_the_description_names_everything_but_the_passwords(forest: SambaForest) -> None:
    text = serve.describe(forest)
    assert forest.ldap_uri in text
    assert forest.fingerprint in text
    assert forest.administrator.password not in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_served_forest_ends_cleanly_with_its_files(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "lab.serve", "--users", "15"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    lines = [server.stdout.readline() for _ in range(6)]
    accounts = Path(lines[-1].partition(":")[2].strip())
    assert accounts.exists()
    server.send_signal(number)
    server.communicate(timeout=30)
    assert server.returncode == 0
    assert not accounts.parent.exists()


def test_an_address_in_use_is_one_sentence_and_no_trace(forest: SambaForest) -> None:
    command = [sys.executable, "-m", "lab.serve", "--users", "15", "--address", forest.address]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("LabAddressBusy: Port")
    assert "Traceback" not in result.stderr
