"""Versions beside each other, each with the dependencies it needs: real wheels, real pip, no index."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.wheels import agent_wheel, wheel
from provisioning_agent.errors import AgentError
from provisioning_agent.updates.fetching import fits
from provisioning_agent.updates.installing import install
from provisioning_agent.updates.versions import Versions

INSTALL = (
    "import sys; from pathlib import Path; from provisioning_agent.updates.installing import install;"
    "from provisioning_agent.updates.versions import Versions;"
    "install(Versions(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3], [Path(p) for p in sys.argv[4:]])"
)


def probe(directory: Path, version: str) -> Path:
    """A dependency that says which version it is."""
    directory.mkdir(exist_ok=True)
    return wheel(directory, "isthmus-probe", version, {"isthmus_probe.py": f"VERSION = '{version}'\n"})


def python_of(state: Path, version: str) -> Path:
    return state / "versions" / version / "bin" / "python"


def probe_seen_by(state: Path, version: str) -> str:
    command = [
        str(python_of(state, version)),
        "-I",
        "-c",
        "import isthmus_probe; print(isthmus_probe.VERSION)",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def update(state: Path, by: str, release: Path, version: str, *carried: Path) -> None:
    """What the running version ``by`` does with a release, then its acceptance."""
    command = [str(python_of(state, by)), "-I", "-c", INSTALL, str(state), str(release), version]
    subprocess.run([*command, *map(str, carried)], check=True)
    Versions(state).try_out(version)
    Versions(state).accept()


def test_each_version_finds_its_own_and_what_is_leaned_on_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    state, versions = tmp_path / "state", Versions(tmp_path / "state")
    needs = ["isthmus-probe>=1"]
    first = agent_wheel(tmp_path, "0.2.0", requires_too=needs)
    install(versions, first, "0.2.0", [probe(tmp_path / "one", "1.0")])
    versions.try_out("0.2.0")
    versions.accept()
    assert probe_seen_by(state, "0.2.0") == "1.0"
    # Another version of the same dependency, then twice the same requirements.
    newer = ["isthmus-probe>=2"]
    carried = probe(tmp_path / "two", "2.0")
    update(state, "0.2.0", agent_wheel(tmp_path, "0.3.0", requires_too=newer), "0.3.0", carried)
    assert (probe_seen_by(state, "0.3.0"), probe_seen_by(state, "0.2.0")) == ("2.0", "1.0")
    update(state, "0.3.0", agent_wheel(tmp_path, "0.4.0", requires_too=newer), "0.4.0")
    update(state, "0.4.0", agent_wheel(tmp_path, "0.5.0", requires_too=newer), "0.5.0")
    assert probe_seen_by(state, "0.5.0") == "2.0"
    # 0.3.0 holds the dependency of the two that are kept.
    assert {path.name for path in versions.directory.iterdir()} == {"0.3.0", "0.4.0", "0.5.0"}


def test_a_release_without_what_it_needs_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    versions = Versions(tmp_path / "state")
    release = agent_wheel(tmp_path, "0.2.0", requires_too=["isthmus-probe>=3"])
    with pytest.raises(AgentError, match="isthmus-probe") as refused:
        install(versions, release, "0.2.0", [probe(tmp_path / "old", "1.0")])
    assert (refused.value.code, "does not carry" in refused.value.detail) == ("UpdateNotInstalled", True)
    assert not versions.environment("0.2.0").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("requests-2.32.0-py3-none-any.whl", True),
        ("orjson-3.9-cp311-cp311-manylinux_2_17_riscv64.whl", False),
        ("orjson-3.9-cp311-cp311-win_amd64.whl", False),
    ],
)
def test_only_wheels_for_this_kind_of_host_are_fetched(name: str, expected: bool) -> None:
    assert fits(name) is expected
