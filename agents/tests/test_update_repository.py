"""The update repository: what is published, what is signed anew, what is refused; read back by TUF's own client."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import requests
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from agents.models import AgentRelease, UpdateFile, UpdateKey
from agents.sealing import unseal
from agents.tests.portal_process import Portal
from agents.tests.wire_client import code_of
from agents.updates import releases, repository
from lab.wheels import agent_wheel, wheel
from provisioning_agent.wire.errors import WireError


@pytest.fixture
def root_key(db: None, tmp_path: Path) -> Path:
    """A repository, and the key that was given away."""
    path = tmp_path / "root.pem"
    call_command("create_update_repository", root_key=path)
    return path


def ends(role: str) -> datetime:
    name = "timestamp" if role == Timestamp.type else f"{max(repository._versions(role))}.{role}"
    signed = Metadata.from_bytes(repository.read(f"metadata/{name}.json") or b"").signed
    return signed.expires


def test_the_roots_key_is_in_a_private_file_and_nowhere_else(root_key: Path) -> None:
    assert stat.S_IMODE(root_key.stat().st_mode) == 0o600
    assert set(UpdateKey.objects.values_list("role", flat=True)) == {"targets", "snapshot", "timestamp"}
    assert not any(b"PRIVATE KEY" in bytes(key.sealed_key) for key in UpdateKey.objects.all())
    with pytest.raises(CommandError, match="There is an update repository"):
        call_command("create_update_repository", root_key=root_key)


def test_a_version_is_published_once(root_key: Path, tmp_path: Path) -> None:
    release = agent_wheel(tmp_path, "0.2.0")
    call_command("publish_agent_release", release)
    with pytest.raises(CommandError, match="published already"):
        call_command("publish_agent_release", release)
    assert [release.version for release in AgentRelease.objects.all()] == ["0.2.0"]


def test_dependencies_go_along_and_missing_ones_are_named(root_key: Path, tmp_path: Path) -> None:
    call_command("publish_agent_release", agent_wheel(tmp_path, "0.2.0"))
    told = StringIO()
    needy = agent_wheel(tmp_path, "0.3.0", requires_too=["isthmus-probe>=2"])
    call_command("publish_agent_release", needy, stdout=told)
    assert "isthmus-probe>=2" in told.getvalue()
    probe = wheel(tmp_path, "isthmus-probe", "2.0", {"isthmus_probe.py": ""})
    needy = agent_wheel(tmp_path, "0.4.0", requires_too=["isthmus-probe>=2"])
    call_command("publish_agent_release", needy, carried=[probe])
    targets = repository._current(Targets.type).signed.targets
    assert targets[needy.name].unrecognized_fields["custom"]["wheels"] == [probe.name]
    assert targets[probe.name].length == probe.stat().st_size
    (tmp_path / "other").mkdir()
    changed = wheel(tmp_path / "other", "isthmus-probe", "2.0", {"isthmus_probe.py": "other"})
    with pytest.raises(CommandError, match="Another file is published"):
        call_command("publish_agent_release", agent_wheel(tmp_path, "0.5.0"), carried=[changed])
    with pytest.raises(CommandError, match="is the agent itself"):
        call_command("publish_agent_release", agent_wheel(tmp_path, "0.5.0"), carried=[needy])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("isthmus_agent.zip", b"", "not the name of a wheel"),
        ("isthmus_agent-0.2.0-py3-none-any.whl", b"no zip", "no wheel"),
        ("requests-0.2.0-py3-none-any.whl", None, "not a wheel of"),
        ("isthmus_agent-0.3.0-py3-none-any.whl", None, "holds version 0.2.0"),
    ],
)
def test_what_is_no_wheel_of_the_agent_is_refused(
    name: str, content: bytes | None, told: str, root_key: Path, tmp_path: Path
) -> None:
    real = agent_wheel(tmp_path, "0.2.0").read_bytes()
    with pytest.raises(releases.NotAnAgentWheel, match=told):
        releases.publish(name, real if content is None else content, timezone.now())
    assert not AgentRelease.objects.exists()


def test_metadata_is_signed_anew_before_it_ends(root_key: Path) -> None:
    now = timezone.now()
    assert not repository.refresh(now + timedelta(days=3))
    before = {role: ends(role) for role in repository.ONLINE_ROLES}
    assert repository.refresh(now + timedelta(days=4))
    assert ends(Timestamp.type) > before[Timestamp.type]
    assert ends(Snapshot.type) > before[Snapshot.type]
    assert ends(Targets.type) == before[Targets.type]
    assert repository.refresh(now + timedelta(days=100))
    assert ends(Targets.type) > before[Targets.type]


def test_old_metadata_is_dropped(root_key: Path) -> None:
    now = timezone.now()
    for days in range(4, 60, 4):
        repository.refresh(now + timedelta(days=days))
    assert len(repository._versions(Snapshot.type)) == 5
    assert repository._versions("root") == [1]


def test_the_root_is_extended_with_its_key_only(root_key: Path, tmp_path: Path) -> None:
    call_command("create_update_repository", root_key=root_key, renew_root=True)
    first, second = (
        Metadata.from_bytes(repository.read(f"metadata/{number}.root.json") or b"") for number in (1, 2)
    )
    first.verify_delegate("root", second)
    key = UpdateKey.objects.get(role="targets")
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(unseal(key.sealed_key))
    with pytest.raises(CommandError, match="not the root's key"):
        call_command("create_update_repository", root_key=stranger, renew_root=True)


def keys_of(number: int) -> dict[str, list[str]]:
    signed = Metadata[Root].from_bytes(repository.read(f"metadata/{number}.root.json") or b"").signed
    return {role: found.keyids for role, found in signed.roles.items()}


def test_one_role_gets_a_new_key_and_the_others_keep_theirs(root_key: Path) -> None:
    call_command("rotate_update_keys", root_key=root_key, role=["timestamp"])
    before, after = keys_of(1), keys_of(2)
    assert {role for role in before if before[role] != after[role]} == {"timestamp"}
    root = Metadata[Root].from_bytes(repository.read("metadata/2.root.json") or b"")
    for role in repository.ONLINE_ROLES:
        root.verify_delegate(role, repository._current(role))


def test_keys_are_rotated_with_the_roots_key_alone(root_key: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(unseal(UpdateKey.objects.get(role="targets").sealed_key))
    with pytest.raises(CommandError, match="not the root's key"):
        call_command("rotate_update_keys", root_key=stranger)
    assert repository.read("metadata/2.root.json") is None


def test_keys_that_can_not_be_opened_any_more_are_replaced(root_key: Path, tmp_path: Path) -> None:
    UpdateKey.objects.update(sealed_key=b"sealed with a key that is lost")
    release = agent_wheel(tmp_path, "0.2.0")
    with pytest.raises(WireError, match="UpdateKeySealed"):
        releases.publish(release.name, release.read_bytes(), timezone.now())
    call_command("rotate_update_keys", root_key=root_key)
    call_command("publish_agent_release", release)
    assert [release.version for release in AgentRelease.objects.all()] == ["0.2.0"]


@pytest.fixture
def served(transactional_db: None, portal: Portal, tmp_path: Path) -> Portal:
    """A portal with a repository."""
    call_command("create_update_repository", root_key=tmp_path / "root.pem")
    return portal


def test_files_are_served_to_whoever_asks_and_nothing_else_is(served: Portal) -> None:
    base = f"{served.url}/hybrid/v1/updates"
    found = requests.get(f"{base}/metadata/1.root.json", verify=str(served.authority), timeout=10)
    assert found.content == bytes(UpdateFile.objects.get(path="metadata/1.root.json").content)
    missing = requests.get(f"{base}/metadata/2.root.json", verify=str(served.authority), timeout=10)
    assert code_of(missing) == "UpdateFileUnknown"
    other = requests.get(f"{base}/metadata/../secrets", verify=str(served.authority), timeout=10)
    assert code_of(other) == "CallUnknown"
