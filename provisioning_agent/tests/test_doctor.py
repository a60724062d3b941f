"""``isthmus-agent doctor`` beside a real domain controller, healthy and not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal, refuse
from lab.pytest_forest import ForestFactory
from provisioning_agent.wire.errors import WireError

pytestmark = pytest.mark.forest

Found = dict[str, dict[str, Any]]


def examine(host: AgentHost, **environment: str) -> tuple[int, Found]:
    """Exit code and checks by name; the first of a name that is not well, else the last."""
    done = host.command("doctor", "--json", f"--state-dir={host.state}", environment=environment)
    assert host.account.password not in done.stdout + done.stderr
    found: Found = {}
    for check in json.loads(done.stdout)["checks"]:
        key = f"{check['family']} {check['name']}"
        if found.get(key, {}).get("status", "ok") == "ok":
            found[key] = check
    return done.returncode, found


def troubles(found: Found) -> dict[str, str]:
    """What is not well."""
    return {name: check["status"] for name, check in found.items() if check["status"] != "ok"}


def test_a_healthy_agent_is_well_in_every_check(host: AgentHost, portal: Portal) -> None:
    assert host.enrol().returncode == 0
    code, found = examine(host)
    assert (code, troubles(found)) == (0, {})
    assert set(found) == {
        *(f"host {name}" for name in ("configuration", "files", "disk", "certificate")),
        *(f"portal {name}" for name in ("proxy", "dns", "tcp", "tls", "bootstrap", "clock", "bus")),
        "portal updates",
        "portal update-metadata",
        *(
            f"directory {name}"
            for name in ("dns", "tcp", "tls", "bind", "clock", "level", "schema", "limits")
        ),
        *(
            f"directory {name}"
            for name in ("controls", "privilege", "deletions", "get-changes-all", "get-changes")
        ),
    }
    assert all(check["tried"] and check["found"] and check["target"] for check in found.values())
    assert "2008 R2" in found["directory level"]["found"]
    assert "MaxPageSize 1000" in found["directory limits"]["found"]
    assert "not allowed" in found["directory get-changes-all"]["found"]


def test_words_for_people_say_the_same(host: AgentHost) -> None:
    host.enrol()
    done = host.command("doctor", f"--state-dir={host.state}")
    assert done.returncode == 0, done.stdout
    assert "get-changes corp.example: allowed" in done.stdout


def test_a_request_that_comes_along_goes_back_to_the_agent(host: AgentHost, portal: Portal) -> None:
    from lab.agent.reading import question

    host.enrol()
    queued = portal.ask(question("corp.example"))
    code, found = examine(host)
    assert (code, found["portal bus"]["status"]) == (0, "ok")
    assert (queued.handed_back, queued.leased) == (1, False)


def test_a_host_without_an_agent_is_told_to_enrol(host: AgentHost) -> None:
    code, found = examine(host)
    assert (code, found["host configuration"]["remedy"]) == (4, "isthmus-agent enrol")


def test_an_account_without_rights_is_told_which_to_grant(
    portal: Portal, make_forest: ForestFactory, tmp_path: Path
) -> None:
    host = AgentHost(portal, make_forest("poor.example", "POOR", agent_rights=()), tmp_path)
    assert host.enrol().returncode == 0
    code, found = examine(host)
    assert code == 7
    assert troubles(found) == {"directory get-changes": "warn", "directory deletions": "warn"}
    assert "uSNChanged" in found["directory get-changes"]["found"]
    assert "grant BasicRead" in found["directory get-changes"]["remedy"]
    assert "grant ReadDeleted" in found["directory deletions"]["remedy"]


def test_a_domain_administrator_as_agent_is_a_warning(host: AgentHost) -> None:
    administrator = host.forest.administrator
    host.password_file.write_text(administrator.password)
    assert host.enrol(bind_user=administrator.user_principal_name).returncode == 0
    code, found = examine(host)
    assert (code, troubles(found)) == (7, {"directory privilege": "warn"})
    assert "hashes can be read" in found["directory get-changes-all"]["found"]


def test_each_controller_is_looked_at_on_its_own(host: AgentHost, unused_tcp_port: int) -> None:
    host.enrol()
    settings = json.loads((host.state / "agent.json").read_text())
    settings["domains"][0]["servers"][:0] = [f"127.0.0.1:{unused_tcp_port}", "dc9.invalid:636"]
    (host.state / "agent.json").write_text(json.dumps(settings))
    code, found = examine(host)
    assert code == 6
    assert "refused" in found["directory tcp"]["found"]
    assert "Correct the name" in found["directory dns"]["remedy"]
    assert found["directory get-changes"]["status"] == "ok"


def test_an_untrusted_controller_fails_at_the_certificate(host: AgentHost, portal: Portal) -> None:
    host.enrol()
    (host.state / "trust/corp.example-ca.pem").write_bytes(portal.tls.ca.read_bytes())
    code, found = examine(host)
    assert code == 6
    assert "--dc-ca-file" in found["directory tls"]["remedy"]
    assert found["directory bind"]["found"].startswith("AdCertificateUntrusted")


def test_a_wrong_password_fails_at_the_bind(host: AgentHost) -> None:
    host.enrol()
    (host.state / "secrets/corp.example.password").write_text("wrong")
    code, found = examine(host)
    assert (code, troubles(found)) == (6, {"directory bind": "fail"})
    assert found["directory bind"]["found"].startswith("AdBindFailed")


def test_a_portal_that_refuses_is_told_apart_from_one_that_is_away(host: AgentHost, portal: Portal) -> None:
    host.enrol()
    portal.faults["POST", "bootstrap"].append(refuse(WireError("AgentRevoked")))
    code, found = examine(host)
    assert (code, troubles(found)) == (5, {"portal bootstrap": "fail", "portal bus": "skipped"})
    assert found["portal bootstrap"]["found"].startswith("AgentRevoked")
    settings = json.loads((host.state / "agent.json").read_text())
    settings["portal"] = "https://127.0.0.1:1"
    (host.state / "agent.json").write_text(json.dumps(settings))
    code, found = examine(host)
    assert (code, found["portal tcp"]["status"], found["portal bootstrap"]["status"]) == (
        5,
        "fail",
        "skipped",
    )


def test_a_proxy_that_is_away_is_what_is_looked_at(host: AgentHost, unused_tcp_port: int) -> None:
    host.enrol()
    proxy = f"http://user:s3cret@127.0.0.1:{unused_tcp_port}"
    code, found = examine(host, HTTPS_PROXY=proxy, NO_PROXY="")
    assert code == 5
    assert found["portal proxy"]["found"].endswith(f"127.0.0.1:{unused_tcp_port}, by the environment")
    assert found["portal tcp"]["target"] == f"127.0.0.1:{unused_tcp_port}"
    assert "s3cret" not in json.dumps(found)
