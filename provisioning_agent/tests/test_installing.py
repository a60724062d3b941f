"""``isthmus-agent install`` and ``uninstall``: a real system user, real permissions, a unit that systemd accepts."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.agent.host import COMMAND, AgentHost
from lab.agent.portal_server import Portal, hang_up, refuse
from provisioning_agent.hosting.layout import Layout
from provisioning_agent.hosting.unit import render
from provisioning_agent.wire.errors import WireError

UNITS = Path("/etc/systemd/system")


class Machine:
    """This host with a user name and a state directory that nobody else has."""

    def __init__(self, host: AgentHost, name: str) -> None:
        self.host = host
        self.name = name
        self.state = Path("/var/lib") / name
        self.unit = UNITS / f"{name}.service"
        host.state = self.state

    def do(self, command: str, *arguments: str) -> tuple[int, str]:
        done = self.host.command(command, f"--user={self.name}", f"--state-dir={self.state}", *arguments)
        return done.returncode, done.stdout + done.stderr

    def has_user(self) -> bool:
        return self.name in {user.pw_name for user in pwd.getpwall()}


@pytest.fixture
def machine(host: AgentHost) -> Iterator[Machine]:
    one = Machine(host, f"isthmus-t{secrets.token_hex(4)}")
    yield one
    if one.has_user():
        subprocess.run(["userdel", one.name], check=True)
    one.unit.unlink(missing_ok=True)
    shutil.rmtree(one.state, ignore_errors=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The root of a system that does not run."""
    (tmp_path / "image/etc").mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        (tmp_path / "image/etc" / name).touch()
    return tmp_path / "image"


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_the_user_has_no_password_and_no_shell_and_owns_what_nobody_else_reads(machine: Machine) -> None:
    code, said = machine.do("install")
    assert code == 0, said
    user = pwd.getpwnam(machine.name)
    assert (user.pw_shell, user.pw_dir) == ("/usr/sbin/nologin", str(machine.state))
    assert user.pw_uid < 1000
    shadow = Path("/etc/shadow").read_text().splitlines()
    assert next(line for line in shadow if line.startswith(f"{machine.name}:")).split(":")[1].startswith("!")
    found = machine.state.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o700, user.pw_uid, user.pw_gid)


def test_what_root_enrols_belongs_to_the_service(machine: Machine) -> None:
    machine.do("install")
    done = machine.host.enrol()
    assert done.returncode == 0, done.stderr
    uid = pwd.getpwnam(machine.name).pw_uid
    assert {path.stat().st_uid for path in machine.state.rglob("*")} == {uid}


def test_the_service_s_user_runs_what_root_enrolled(machine: Machine, portal: Portal) -> None:
    machine.do("install")
    machine.host.enrol()
    user = pwd.getpwnam(machine.name)
    as_user = [
        "setpriv",
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "--no-new-privs",
    ]
    with machine.host.log.open("ab") as log:
        process = subprocess.Popen(
            [*as_user, str(COMMAND), "run", f"--state-dir={machine.state}"], stderr=log, cwd="/"
        )
    try:
        portal.wait_for(lambda: bool(portal.bootstraps))
        machine.host.wait_for_log("event=bootstrapped")
    finally:
        process.terminate()
        assert process.wait(20) == 0, machine.host.text()


def test_what_was_enrolled_before_is_given_to_the_service(machine: Machine) -> None:
    machine.host.enrol()
    assert (machine.state / "agent.json").stat().st_uid == 0
    code, said = machine.do("install")
    assert code == 0, said
    uid = pwd.getpwnam(machine.name).pw_uid
    assert {path.stat().st_uid for path in [machine.state, *machine.state.rglob("*")]} == {uid}


def test_installing_twice_changes_nothing(machine: Machine) -> None:
    machine.do("install")
    before = machine.unit.stat().st_mtime_ns
    code, said = machine.do("install")
    assert code == 0, said
    assert said.count("already so") == 3
    assert "done:" not in said
    assert machine.unit.stat().st_mtime_ns == before


def test_where_systemd_does_not_run_it_is_said(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever runs this machine: here it has no systemctl.
    for name in ("useradd", "userdel", "groupdel"):
        (tmp_path / name).symlink_to(shutil.which(name) or f"/usr/sbin/{name}")
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path))
        assert "systemd does not run here" in machine.do("install")[1]
    assert machine.has_user()
    assert machine.unit.exists()


def test_a_dry_run_tells_all_and_does_nothing(machine: Machine) -> None:
    code, said = machine.do("install", "--dry-run")
    assert code == 0, said
    assert f"useradd --system --user-group --home-dir {machine.state}" in said
    assert not machine.has_user()
    assert not machine.unit.exists()
    assert not machine.state.exists()


def test_uninstalling_tells_the_portal_and_leaves_nothing(machine: Machine, portal: Portal) -> None:
    machine.do("install")
    machine.host.enrol()
    assert len(portal.agents) == 1
    code, said = machine.do("uninstall")
    assert code == 0, said
    assert not portal.agents
    assert not machine.has_user()
    assert f"{machine.name}:" not in Path("/etc/group").read_text()
    assert not machine.unit.exists()
    assert not machine.state.exists()
    code, said = machine.do("uninstall")
    assert code == 0, said
    assert "done:" not in said


def test_nothing_is_removed_before_the_portal_was_told(machine: Machine, portal: Portal) -> None:
    machine.do("install")
    machine.host.enrol()
    portal.faults["DELETE", "agents"].append(hang_up)
    code, said = machine.do("uninstall")
    assert (code, "PortalNotTold" in said, "--keep-registration" in said) == (5, True, True)
    assert (machine.state / "identity.pem").exists()
    assert machine.has_user()
    code, said = machine.do("uninstall", "--keep-registration")
    assert code == 0, said
    assert not machine.state.exists()
    assert len(portal.agents) == 1


@pytest.mark.parametrize("code", ["AgentRevoked", "AgentUnknown"])
def test_an_agent_the_portal_has_forgotten_is_uninstalled(
    machine: Machine, portal: Portal, code: str
) -> None:
    machine.do("install")
    machine.host.enrol()
    portal.faults["DELETE", "agents"].append(refuse(WireError(code)))
    done, said = machine.do("uninstall")
    assert done == 0, said
    assert not machine.state.exists()


def test_an_image_is_made_ready_without_touching_this_host(host: AgentHost, image: Path) -> None:
    before = everything(image)
    done = host.command("install", f"--root={image}", "--user=isthmus-img")
    assert done.returncode == 0, done.stderr
    assert "isthmus-img:x:" in (image / "etc/passwd").read_text()
    link = image / "etc/systemd/system/multi-user.target.wants/isthmus-img.service"
    assert link.readlink() == UNITS / "isthmus-img.service"
    uid = int((image / "etc/passwd").read_text().split(":")[2])
    assert (image / "var/lib/isthmus-agent").stat().st_uid == uid
    assert "isthmus-img" not in Path("/etc/passwd").read_text()
    done = host.command("uninstall", f"--root={image}", "--user=isthmus-img")
    assert done.returncode == 0, done.stderr
    # The tools of the system keep a copy of what they change, and directories are not ours to remove.
    left = {name for name in everything(image) - before if not (image / name).is_dir()}
    assert left <= {"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-"}


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_what_belongs_to_others_is_left_alone(host: AgentHost, tmp_path: Path, command: str) -> None:
    (tmp_path / "others").mkdir()
    (tmp_path / "others/diary").write_text("mine")
    done = host.command(command, f"--state-dir={tmp_path / 'others'}", "--user=isthmus-none")
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "NotTheAgents")
    done = host.command(command, "--user=daemon", f"--state-dir={tmp_path / 'absent'}")
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "NotTheAgents")
    assert (tmp_path / "others/diary").stat().st_uid == os.getuid()


def test_a_program_that_the_sandbox_hides_is_refused(host: AgentHost, image: Path) -> None:
    done = host.command("install", f"--root={image}", "--executable=/home/me/bin/isthmus-agent")
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "ExecutableHidden")
    assert (image / "etc/passwd").read_text() == ""


def test_a_directory_that_is_no_system_is_refused(host: AgentHost, tmp_path: Path) -> None:
    done = host.command("install", f"--root={tmp_path}")
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "ImageUnusable")


def test_only_root_installs(tmp_path: Path) -> None:
    command = ["setpriv", "--reuid=65534", "--clear-groups", str(COMMAND), "install", "--user=isthmus-none"]
    done = subprocess.run(
        [*command, "--state-dir=/var/lib/isthmus-none"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "NotRoot")


def test_systemd_accepts_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    program = tmp_path / "isthmus agent"
    program.touch(mode=0o755)
    unit = tmp_path / "isthmus-agent.service"
    unit.write_text(render(Layout(program, user="daemon")))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout
