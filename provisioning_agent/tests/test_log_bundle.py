"""The agent's log file, and the bundle of it that may leave the host."""

from __future__ import annotations

import json
import logging
import stat
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.agent.host import AgentHost
from provisioning_agent.support import log_file
from provisioning_agent.support.redaction import MARK, Redactor, known_secrets


def members(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


@pytest.mark.forest
def test_a_running_agent_writes_one_event_a_line_for_its_owner_alone(host: AgentHost) -> None:
    process = host.enrolled_and_running()
    host.wait_for_log("event=bootstrapped")
    assert host.stop(process) == 0
    log = host.state / "logs/agent.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["event"] for line in lines][:2] == ["started", "bootstrapped"]
    assert all(datetime.fromisoformat(line["time"]).tzinfo for line in lines)


@pytest.mark.forest
def test_no_secret_of_the_state_directory_is_in_the_bundle(host: AgentHost, tmp_path: Path) -> None:
    process = host.enrolled_and_running()
    host.stop(process)
    secrets = [*known_secrets(host.state), host.account.password, host.token_file.read_text().strip()]
    assert len(secrets) > 4
    log = host.state / "logs/agent.log"
    with log.open("a") as file:
        now = datetime.now(UTC).isoformat()
        for secret in secrets:
            file.write(json.dumps({"time": now, "message": f'leaked {secret} "{secret}"'}) + "\n")
        file.write("cut off in the middle " + secrets[0] + "\n")
        file.write((host.state / "identity.pem").read_text())
    output = tmp_path / "bundle.zip"
    done = host.command("export-logs", f"--output={output}", f"--state-dir={host.state}")
    assert done.returncode == 0, done.stderr
    found = members(output)
    assert set(found) == {"agent.log", "agent.json", "status.json", "manifest.json", "doctor.json"}
    assert [secret for secret in secrets for text in found.values() if secret in text] == []
    assert found["agent.log"].count("leaked") == len(secrets)
    assert json.loads(found["doctor.json"])["counts"]["fail"] == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    again = host.command("export-logs", f"--output={output}", f"--state-dir={host.state}")
    assert (again.returncode, again.stderr.split(":")[0]) == (4, "BundleNotWritable")


@pytest.mark.forest
def test_only_the_last_hours_are_bundled(host: AgentHost, tmp_path: Path) -> None:
    host.enrol()
    logs = host.state / "logs"
    logs.mkdir()
    for name, hours in (("agent.log.2", 40), ("agent.log.1", 20), ("agent.log", 1)):
        moment = datetime.now(UTC) - timedelta(hours=hours)
        (logs / name).write_text(json.dumps({"time": moment.isoformat(), "message": f"{hours} ago"}) + "\n")
    for option, expected in ((), ["20 ago", "1 ago"]), (("--hours=2",), ["1 ago"]):
        output = tmp_path / f"{len(expected)}.zip"
        host.command("export-logs", "--no-doctor", f"--output={output}", f"--state-dir={host.state}", *option)
        lines = members(output)["agent.log"].splitlines()
        assert [json.loads(line)["message"] for line in lines] == expected


def test_a_line_has_the_fields_of_its_event_and_no_line_end_within() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, 'event=done n=%d detail="two words"', (3,), None)
    line = log_file.JsonLines().format(record)
    found = json.loads(line)
    assert (found["event"], found["n"], found["detail"]) == ("done", "3", "two words")
    broken = logging.LogRecord("x", logging.INFO, "", 1, "a\nb", (), None)
    assert "\n" not in log_file.JsonLines().format(broken)


def test_the_log_rotates_and_stays_private(tmp_path: Path) -> None:
    handler = log_file.handler(tmp_path)
    handler.maxBytes = 300  # type: ignore[attr-defined]  # of the rotating handler behind the base class
    for number in range(40):
        handler.emit(logging.LogRecord("x", logging.INFO, "", 1, f"event=e{number}", (), None))
    handler.close()
    found = log_file.files(tmp_path)
    assert len(found) == log_file.KEPT_FILES + 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    events = [json.loads(line)["event"] for path in found for line in path.read_text().splitlines()]
    assert events == sorted(events, key=lambda event: int(event[1:]))


@given(st.text(min_size=4, max_size=40).filter(lambda text: text.strip() == text), st.text(max_size=50))
def test_a_known_secret_is_removed_in_every_spelling(secret: str, around: str) -> None:
    redactor = Redactor([secret])
    try:
        secret.encode()
    except UnicodeEncodeError:
        return
    inner = json.dumps({"value": secret}, ensure_ascii=False)
    for text in (f"{around}{secret}{around}", inner, json.dumps({"line": inner}, ensure_ascii=False)):
        assert secret not in redactor.clean(text).replace(MARK, "")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.DEF-123",
        "eyJhbGciOi.eyJzdWIi.c2lnbmF0",
        "isthmus-abcd1234-0123456789012345678901234567890",
        "https://user:abc@proxy.example:1/x",
        "password=abc next",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_removed_though_unknown(text: str) -> None:
    cleaned = Redactor([]).clean(text)
    assert MARK in cleaned
    assert not any(part in cleaned for part in ("abc", "eyJ", "012345"))
