"""Real agents under their supervisor take, refuse and take back releases of a real TUF repository, over HTTPS."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from agents.models import Agent, AgentRelease, HealthSample, UpdateFile, UpdateKey, UpdatePolicy
from agents.sealing import unseal
from agents.tests.cast import make_agent, make_domain
from agents.tests.portal_process import Portal, database_url, run_portal
from agents.updates import releases, repository
from lab.agent.host import COMMAND
from lab.agent.real_proxy import RealProxy
from lab.wheels import agent_wheel, wheel
from provisioning_agent import __version__
from provisioning_agent import config as configs
from provisioning_agent.channel.http import PortalHttp, open_portal
from provisioning_agent.errors import AgentError
from provisioning_agent.proxy import ProxyConfig
from provisioning_agent.updates import health
from provisioning_agent.updates.fetching import fetch
from provisioning_agent.updates.trust import pin_root
from provisioning_agent.updates.versions import Versions
from tests.agent_process import running, write_state

pytestmark = pytest.mark.django_db(transaction=True)

# The real module, which is imported before the agent bootstraps, with one line more.
NEEDS_PROBE = {
    "provisioning_agent/updates/health.py": f"{Path(health.__file__).read_text()}\nimport isthmus_probe  # noqa\n"
}
SUPERVISE = ("supervise", "--trial=12")
DIES = {"provisioning_agent/cli/run_command.py": "raise SystemExit(9)\n"}
HANGS = {
    "provisioning_agent/cli/run_command.py": (
        "import time\ndef run_agent(state, lanes, *, verbose):\n    time.sleep(600)\n    return 0\n"
    )
}


@pytest.fixture
def portal(transactional_db: None, tmp_path: Path) -> Iterator[Portal]:
    """A portal that wants to hear of its agents every two seconds, with an update repository."""
    environment = {
        "DATABASE_URL": database_url(settings.DATABASES["default"]),
        "ISTHMUS_VAR": str(settings.VAR_DIR),
        "ISTHMUS_BOOTSTRAP_INTERVAL": "2",
    }
    folder = tmp_path / "portal"
    folder.mkdir()
    call_command("create_update_repository", root_key=tmp_path / "root.pem")
    with run_portal(folder, environment) as running_portal:
        yield running_portal


@pytest.fixture
def state(portal: Portal, tmp_path: Path) -> Path:
    """The state directory of an enrolled agent."""
    issued_at = timezone.now() - timedelta(minutes=1)
    member = make_agent(make_domain(), bootstrapped_at=None, issued_at=issued_at)
    write_state(tmp_path / "state", portal, member)
    return tmp_path / "state"


def publish(directory: Path, version: str, replaced: dict[str, str] | None = None) -> None:
    call_command("publish_agent_release", agent_wheel(directory, version, replaced=replaced))


def wait_for(condition: Callable[[], bool], log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(0.1)


def version() -> str:
    return Agent.objects.get().version


def told_errors() -> set[str]:
    return {error["code"] for error in Agent.objects.get().report.get("lastErrors", [])}


def change(path: str, change_content: Callable[[bytes], bytes]) -> None:
    row = UpdateFile.objects.get(path=path)
    row.content = change_content(bytes(row.content))
    row.save()


def signed_by_a_stranger(content: bytes) -> bytes:
    metadata = Metadata.from_bytes(content)
    metadata.sign(CryptoSigner.generate_ed25519())
    return bytes(metadata.to_bytes())


def test_a_release_is_installed_and_the_one_before_kept(portal: Portal, state: Path, tmp_path: Path) -> None:
    log = state.with_suffix(".log")
    with running(state, *SUPERVISE) as supervisor:
        wait_for(lambda: version() == __version__, log)
        publish(tmp_path, "0.2.0")
        wait_for(lambda: version() == "0.2.0", log)
        wait_for(lambda: not Versions(state).record().trial, log)
        publish(tmp_path, "0.3.0")
        wait_for(lambda: version() == "0.3.0", log)
        wait_for(lambda: not Versions(state).record().trial, log)
        assert supervisor.poll() is None
    assert Versions(state).current() == "0.3.0"
    assert {path.name for path in (state / "versions").iterdir()} == {"0.2.0", "0.3.0"}
    assert "event=update-rolled-back" not in log.read_text()
    assert Agent.objects.get().cloned_since is None
    with running(state, *SUPERVISE):
        heard = HealthSample.objects.count()
        wait_for(lambda: HealthSample.objects.count() > heard, log)
        assert version() == "0.3.0"


@pytest.mark.parametrize("defect", [DIES, HANGS], ids=["dies", "hangs"])
def test_a_release_that_does_not_bootstrap_is_taken_back(
    defect: dict[str, str], portal: Portal, state: Path, tmp_path: Path
) -> None:
    log = state.with_suffix(".log")
    # Passes the check after installing, which does not run the agent.
    publish(tmp_path, "0.2.0", defect)
    with running(state, *SUPERVISE):
        wait_for(lambda: "UpdateRolledBack" in told_errors(), log)
        heard = HealthSample.objects.count()
        wait_for(lambda: HealthSample.objects.count() >= heard + 2, log)
    text = log.read_text()
    assert version() == __version__
    assert text.count("event=update-installed version=0.2.0") == 1
    assert Versions(state).record().is_refused("0.2.0", timezone.now() + timedelta(hours=23))
    assert not Versions(state).record().is_refused("0.2.0", timezone.now() + timedelta(hours=25))


def test_a_tampered_release_is_refused(portal: Portal, state: Path, tmp_path: Path) -> None:
    log = state.with_suffix(".log")
    publish(tmp_path, "0.2.0")
    release = UpdateFile.objects.get(path__startswith="targets/").path
    change(release, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
    with running(state, *SUPERVISE):
        wait_for(lambda: "UpdateRefused" in told_errors(), log)
    assert not (state / "current").exists()
    assert version() == __version__


def test_metadata_signed_by_somebody_else_is_refused(portal: Portal, state: Path, tmp_path: Path) -> None:
    log = state.with_suffix(".log")
    publish(tmp_path, "0.2.0")
    change("metadata/timestamp.json", signed_by_a_stranger)
    with running(state, *SUPERVISE):
        wait_for(lambda: "UpdateRefused" in told_errors(), log)
    assert not (state / "current").exists()


def test_metadata_that_has_ended_is_refused_until_it_is_signed_anew(
    portal: Portal, state: Path, tmp_path: Path
) -> None:
    log = state.with_suffix(".log")
    release = agent_wheel(tmp_path, "0.2.0")
    # The timestamp of ten days ago ended three days ago.
    releases.publish(release.name, release.read_bytes(), timezone.now() - timedelta(days=10))
    with running(state, *SUPERVISE):
        wait_for(lambda: "UpdateRefused" in told_errors(), log)
        assert not (state / "current").exists()
        assert repository.refresh(timezone.now())
        wait_for(lambda: version() == "0.2.0", log)


def test_older_metadata_than_before_is_refused(portal: Portal, state: Path, tmp_path: Path) -> None:
    log = state.with_suffix(".log")
    publish(tmp_path, "0.2.0")
    old = bytes(UpdateFile.objects.get(path="metadata/timestamp.json").content)
    publish(tmp_path, "0.3.0")
    with running(state, *SUPERVISE):
        wait_for(lambda: version() == "0.3.0", log)
        wait_for(lambda: not Versions(state).record().trial, log)
        change("metadata/timestamp.json", lambda _: old)
        UpdatePolicy.objects.create(agent=Agent.objects.get(), pinned_version="0.2.0")
        wait_for(lambda: "UpdateRefused" in told_errors(), log)
    assert Versions(state).current() == "0.3.0"


def test_agents_follow_new_keys_and_refuse_the_old(portal: Portal, state: Path, tmp_path: Path) -> None:
    http = PortalHttp(portal.url, portal.authority)
    assert pin_root(http, state)
    publish(tmp_path, "0.2.0")
    stolen = unseal(UpdateKey.objects.get(role="timestamp").sealed_key)
    fetch(http, state, release_of("0.2.0"))
    call_command("rotate_update_keys", root_key=tmp_path / "root.pem")
    publish(tmp_path, "0.3.0")
    assert fetch(http, state, release_of("0.3.0")).wheel.stat().st_size > 0
    assert (state / "updates/root.json").read_bytes() == repository.read("metadata/1.root.json")
    change("metadata/timestamp.json", lambda content: signed_with(stolen, content))
    with pytest.raises(AgentError, match="UpdateRefused"):
        fetch(http, state, release_of("0.2.0"))


def release_of(number: str) -> str:
    return AgentRelease.objects.get(version=number).target


def signed_with(key: bytes, content: bytes) -> bytes:
    """A newer version of the metadata, signed with this key alone."""
    metadata = Metadata.from_bytes(content)
    metadata.signed.version += 1
    metadata.sign(CryptoSigner(load_pem_private_key(key, password=None)))
    return bytes(metadata.to_bytes())


def test_a_release_brings_its_new_dependency_through_a_proxy_and_asks_no_index(
    portal: Portal, state: Path, tmp_path: Path, unused_tcp_port: int
) -> None:
    log = state.with_suffix(".log")
    probe = wheel(tmp_path, "isthmus-probe", "2.0", {"isthmus_probe.py": "VALUE = 2\n"})
    release = agent_wheel(tmp_path, "0.2.0", replaced=NEEDS_PROBE, requires_too=["isthmus-probe>=2"])
    call_command("publish_agent_release", release, carried=[probe])
    credentials = tmp_path / "credentials"
    with RealProxy(tmp_path / "proxy", "proxy-password-1", upstream_ca=portal.authority) as proxy:
        credentials.write_text(proxy.user_info)
        config = replace(
            configs.load(state), portal_ca_file=proxy.authority, proxy=ProxyConfig(proxy.url, credentials)
        )
        configs.save(state, config)
        no_index = {"PIP_INDEX_URL": f"http://127.0.0.1:{unused_tcp_port}"}
        with running(state, *SUPERVISE, environment=no_index):
            wait_for(lambda: version() == "0.2.0", log)
    assert set(proxy.tunnels()) == {portal.url.removeprefix("https://")}
    assert "proxy-password-1" not in log.read_text()


def test_an_agent_pinned_to_an_older_version_goes_there(portal: Portal, state: Path, tmp_path: Path) -> None:
    log = state.with_suffix(".log")
    publish(tmp_path, "0.2.0")
    publish(tmp_path, "0.3.0")
    UpdatePolicy.objects.create(agent=Agent.objects.get(), pinned_version="0.2.0")
    with running(state, *SUPERVISE):
        wait_for(lambda: version() == "0.2.0", log)


def test_an_agent_without_a_supervisor_stays_as_it_is(portal: Portal, state: Path, tmp_path: Path) -> None:
    log = state.with_suffix(".log")
    publish(tmp_path, "0.2.0")
    with running(state):
        wait_for(lambda: "event=update-not-taken" in log.read_text(), log)
    assert not (state / "versions").exists()


def examined(state: Path) -> dict[str, tuple[str, str]]:
    """The doctor's status and words on updates, by check."""
    done = subprocess.run(
        [str(COMMAND), "doctor", "--json", f"--state-dir={state}"],
        capture_output=True,
        text=True,
        check=False,
    )
    checks = json.loads(done.stdout)["checks"]
    return {one["name"]: (one["status"], one["found"]) for one in checks if one["name"].startswith("update")}


def test_the_doctor_tells_what_is_to_come_and_whether_it_could_be_trusted(
    portal: Portal, state: Path, tmp_path: Path
) -> None:
    publish(tmp_path, "9.0.0")
    tomorrow = timezone.now() + timedelta(days=1)
    UpdatePolicy.objects.create(agent=Agent.objects.get(), deferred_until=tomorrow)
    http = open_portal(configs.load(state))
    assert pin_root(http, state)
    http.close()
    found = examined(state)
    assert found["updates"][0] == "ok"
    assert f"{__version__} runs; 9.0.0 is to come: deferred, {tomorrow:%Y-%m-%dT%H}" in found["updates"][1]
    assert found["update-metadata"][0] == "ok"
    assert "timestamp ends in 6 days" in found["update-metadata"][1]
    change("metadata/timestamp.json", signed_by_a_stranger)
    status, words = examined(state)["update-metadata"]
    assert (status, words.partition(":")[0]) == ("fail", "UpdateRefused")
    # A look leaves nothing behind: what was seen last is the agent's own to note.
    assert not (state / "updates" / "metadata").exists()
