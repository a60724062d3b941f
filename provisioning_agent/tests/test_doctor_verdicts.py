"""What the doctor makes of what it sees, without seeing anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning_agent.channel.proxies import Hop, used
from provisioning_agent.doctor import certificates, clocks, directory, host, network, proxies, rights, updates
from provisioning_agent.doctor.certificates import Shown
from provisioning_agent.doctor.model import Check, Family, Status, exit_code, skipped
from provisioning_agent.errors import AgentError
from provisioning_agent.permissions.domain_objects import Account
from provisioning_agent.proxy import ProxyConfig
from provisioning_agent.proxy import parse as parse_proxy
from provisioning_agent.security import access, sids
from provisioning_agent.security.descriptor import Acl
from provisioning_agent.security.entries import allow
from provisioning_agent.updates.versions import Record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DOMAIN = sids.from_text("S-1-5-21-1-2-3")
AGENT = sids.member(DOMAIN, 1104)


def check(status: Status, family: Family = Family.HOST) -> Check:
    return Check("x", "y", "z", "", status).of(family)


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([], 0),
        ([check(Status.OK), skipped("x", "y", "z", "of that")], 0),
        ([check(Status.OK), check(Status.WARN)], 7),
        ([check(Status.WARN), check(Status.FAIL)], 4),
        ([check(Status.FAIL, Family.PORTAL), check(Status.FAIL, Family.DIRECTORY)], 5),
        ([check(Status.FAIL, Family.DIRECTORY)], 6),
    ],
)
def test_the_exit_code_names_the_first_link_that_failed(checks: list[Check], code: int) -> None:
    assert exit_code(checks) == code


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, Status.OK), (140, Status.OK), (-200, Status.WARN), (301, Status.FAIL)]
)
def test_a_controller_may_be_five_minutes_off(seconds: int, status: Status) -> None:
    found = clocks.controller_verdict("dc1", NOW, NOW - timedelta(seconds=seconds))
    assert found.status is status
    assert ("ahead of" if seconds > 0 else "behind") in found.found


@pytest.mark.parametrize(("seconds", "status"), [(10, Status.OK), (40, Status.WARN), (-61, Status.FAIL)])
def test_the_portal_allows_a_minute(seconds: int, status: Status) -> None:
    assert clocks.portal_verdict("p", NOW, NOW + timedelta(seconds=seconds)).status is status


def test_the_controllers_time_is_read() -> None:
    assert clocks.directory_time("20261123120000.0Z") == NOW
    assert clocks.directory_time("soon") is None


@pytest.mark.parametrize(
    ("age", "left", "status"),
    [(1, 179, Status.OK), (155, 25, Status.OK), (160, 20, Status.WARN), (181, -1, Status.FAIL)],
)
def test_a_certificate_that_was_not_renewed_is_seen(age: int, left: int, status: Status) -> None:
    begins, ends = NOW - timedelta(days=age), NOW + timedelta(days=left)
    assert host.certificate_verdict("a", begins, ends, NOW).status is status


@pytest.mark.parametrize(("free", "status"), [(5000, Status.OK), (100, Status.WARN), (3, Status.FAIL)])
def test_a_full_disk_is_seen(free: int, status: Status) -> None:
    assert host.disk_verdict("/var", free).status is status


def test_files_that_others_can_read_are_named() -> None:
    found = host.files_verdict("/s", {"identity.pem": 0o640, "agent.json": 0o600, "run.lock": 0o644}, True)
    assert (found.status, found.found) == (Status.FAIL, "others can read identity.pem")
    assert host.files_verdict("/s", {"agent.json": 0o600}, False).status is Status.WARN


@pytest.mark.parametrize(
    ("objection", "word"),
    [(10, "Renew"), (62, "subjectAltName"), (64, "subjectAltName"), (20, "CA"), (9, "clock")],
)
def test_every_objection_to_a_certificate_has_its_own_remedy(objection: int, word: str) -> None:
    found = certificates.verdict("dc1:636", Shown(objection=objection, message="no"), None, NOW, "options")
    assert found.status is Status.FAIL
    assert word in found.remedy


def test_a_certificate_that_ends_soon_is_a_warning() -> None:
    shown = Shown(NOW + timedelta(days=5), "ab", "TLSv1.3")
    assert certificates.verdict("dc1:636", shown, None, NOW, "").status is Status.WARN
    assert certificates.verdict("dc1:636", shown, "cd", NOW, "").status is Status.FAIL


def test_a_proxy_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:hidden@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    hop = used("https://portal.example", None)
    assert hop is not None
    found = proxies.verdict("https://portal.example", hop, exempt=False)
    assert "proxy.example:3128" in found.found
    assert "hidden" not in str(found) + str(hop)
    own = ProxyConfig("http://other.example:8080")
    assert [used(f"https://{name}.example", own) is None for name in ("inside", "portal")] == [True, False]


@pytest.mark.parametrize(
    ("problem", "word"),
    [
        (proxies.TunnelRefused(407, "Proxy Authentication Required"), "wants a user and password"),
        (proxies.TunnelRefused(403, "Forbidden"), "allow CONNECT"),
        (proxies.TunnelRefused(0, "nothing that is HTTP"), "is an HTTP proxy"),
        (OSError("reset"), "is an HTTP proxy"),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_told_apart(problem: Exception, word: str) -> None:
    hop = Hop("proxy.example", 3128, False, "the environment")
    found = proxies.tunnel_verdict(hop, "portal.example:443", problem)
    assert (found.status, word in found.remedy) == (Status.FAIL, True)


@pytest.mark.parametrize(
    "url", ["proxy.example:3128", "http://", "socks5://proxy:1080", "http://proxy:port", "http://proxy/path"]
)
def test_what_is_no_proxy_is_refused(url: str) -> None:
    with pytest.raises(AgentError) as refused:
        parse_proxy(url)
    assert refused.value.code == "ProxyInvalid"


def test_network_troubles_are_told_apart() -> None:
    remedies = {network.port_verdict("h", 1, problem, 0).remedy for problem in ("timeout", "refused", "x")}
    assert len(remedies) == 3
    assert network.name_verdict("h", ["127.0.0.1"], "", 3).status is Status.WARN


def test_levels_and_schemas_are_named() -> None:
    assert "2016" in directory.level_verdict("dc", 7, 7, 10).found
    assert directory.level_verdict("dc", 0, 0, 2).status is Status.WARN
    assert directory.level_verdict("dc", None, None, None).status is Status.WARN
    assert "2012 R2" in directory.schema_verdict("dc", 69).found
    assert "newer than 2019" in directory.schema_verdict("dc", 90).found
    assert "no managed service accounts" in directory.schema_verdict("dc", 47).found


def test_a_small_page_limit_is_a_warning() -> None:
    limits = directory.parse_limits([b"MaxPageSize=500", b"MaxValRange=1500", b"odd"])
    assert directory.limits_verdict("dc", limits).status is Status.WARN
    assert directory.limits_verdict("dc", {**limits, "MaxPageSize": 1000}).status is Status.OK


def test_a_server_without_dir_sync_is_no_domain_controller() -> None:
    assert directory.controls_verdict("dc", {"1.2.840.113556.1.4.319"}).status is Status.FAIL


def test_rights_come_through_groups_too() -> None:
    group = sids.member(DOMAIN, 2000)
    entry = allow(group, access.CONTROL_ACCESS, object_type=access.GET_CHANGES_ALL)
    acl = Acl(4, (entry.encode(),))
    assert "hashes can be read" in rights.hashes_verdict("d", acl, True, {AGENT, group}).found
    assert "can not be read" in rights.hashes_verdict("d", acl, True, {AGENT}).found
    assert rights.hashes_verdict("d", None, False, {AGENT}).status is Status.WARN


def test_a_mighty_account_is_a_warning() -> None:
    groups = {AGENT, sids.member(DOMAIN, 512), sids.ADMINISTRATORS}
    found = rights.privilege_verdict("d", Account("CN=x", AGENT, "agent", frozenset(groups)))
    assert (found.status, found.found) == (Status.WARN, "agent is in Administrators, Domain Admins")


@pytest.mark.parametrize(
    ("refused", "status"), [("", Status.OK), ("DirSyncNotAllowed", Status.WARN), ("AdBusy", Status.FAIL)]
)
def test_dir_sync_that_is_refused_is_a_failure(refused: str, status: Status) -> None:
    assert rights.dir_sync_verdict("corp.example", refused).status is status


@pytest.mark.parametrize(
    ("advice", "record", "expected"),
    [
        (None, Record(), (Status.OK, "does not tell")),
        ({"version": None, "reason": "up to date", "at": None}, Record(), (Status.OK, "up to date")),
        (
            {"version": "9.0", "reason": "waits for its window", "at": "2026-11-24T01:00:00Z"},
            Record(),
            (Status.OK, "9.0 is to come: waits for its window, 2026-11-24T01:00:00Z"),
        ),
        (
            {"version": None, "reason": "pinned to a version that is not published"},
            Record(),
            (Status.WARN, "pinned to a version"),
        ),
        (
            {"version": "9.0", "reason": "at once", "at": None},
            Record(refused={"9.0": (NOW + timedelta(hours=3)).isoformat()}),
            (Status.WARN, "left alone until 2026-11-23T15:00"),
        ),
    ],
)
def test_it_is_said_which_version_is_to_come(
    advice: object, record: Record, expected: tuple[Status, str]
) -> None:
    found = updates.policy_verdict("p", advice, record, NOW)
    assert (found.status, expected[1] in found.found) == (expected[0], True)


@pytest.mark.parametrize(
    ("timestamp", "root", "status", "remedy"),
    [(5, 400, Status.OK, ""), (0.5, 400, Status.WARN, "beat"), (5, 20, Status.WARN, "--renew-root")],
)
def test_signatures_that_end_soon_are_told(timestamp: float, root: int, status: Status, remedy: str) -> None:
    roles = {"timestamp": NOW + timedelta(days=timestamp), "root": NOW + timedelta(days=root)}
    found = updates.metadata_verdict("p", roles, NOW)
    assert (found.status, remedy in found.remedy) == (status, True)
    assert f"root ends in {root} days" in found.found
