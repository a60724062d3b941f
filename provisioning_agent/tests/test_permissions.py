"""``isthmus-agent permissions`` on a real domain controller: what the account can do before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ldap3 import Connection

from lab import changes
from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from provisioning_agent.accounts.entering import login_for
from provisioning_agent.config import load
from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import connect
from provisioning_agent.ldap.controls import show_deleted
from provisioning_agent.ldap.dirsync import current_cookie
from provisioning_agent.ldap.domain import describe
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import Search
from provisioning_agent.ldap.writing import read_descriptor
from provisioning_agent.permissions.domain_objects import place_dn, schema_guids
from provisioning_agent.permissions.sets import CONTROL_RIGHTS, Place
from provisioning_agent.security.descriptor import DACL_PROTECTED, decode

pytestmark = pytest.mark.forest


@pytest.fixture(scope="module")
def bare_forest(make_forest: ForestFactory) -> SambaForest:
    """A forest whose service account was given nothing."""
    return make_forest("bare.example", "BARE", agent_rights=())


@pytest.fixture
def bare(portal: Portal, bare_forest: SambaForest, tmp_path: Path) -> Iterator[Bare]:
    """An enrolled agent of that forest."""
    host = AgentHost(portal, bare_forest, tmp_path)
    done = host.enrol()
    assert done.returncode == 0, done.stderr
    yield Bare(host)
    host.stop_all()


class Bare:
    """What the tests do with the host, and what they look at."""

    def __init__(self, host: AgentHost) -> None:
        self.host = host
        self.login = login_for(load(host.state).domains[0])
        self.admin_file = host.state.parent / "admin"
        self.admin_file.write_text(host.forest.administrator.password)

    def look(self, *arguments: str) -> tuple[int, str]:
        """As the agent's own account."""
        common = (f"--domain={self.host.forest.dns_name}", f"--state-dir={self.host.state}")
        done = self.host.command("permissions", *arguments, *common)
        return done.returncode, done.stdout + done.stderr

    def change(self, *arguments: str) -> str:
        """As the domain's administrator."""
        admin = self.host.forest.administrator.user_principal_name
        code, said = self.look(
            *arguments, f"--admin-user={admin}", f"--admin-password-file={self.admin_file}"
        )
        assert code == 0, said
        assert self.host.forest.administrator.password not in said
        return said

    def dir_sync(self) -> str:
        """What the controller says to a DirSync of the agent's account."""
        with connect(self.login) as connection:
            try:
                current_cookie(connection, self.host.forest.base_dn, filters.nothing())
            except DirectoryError as error:
                return error.code
        return "works"

    def tombstones(self) -> int:
        """How many deleted objects the agent's account sees."""
        deleted = Search(
            f"CN=Deleted Objects,{self.host.forest.base_dn}",
            filters.equals("isDeleted", "TRUE"),
            ("isDeleted",),
            controls=(show_deleted(),),
        )
        with connect(self.login) as connection:
            return sum(1 for entry in connection.search(deleted) if entry.name.startswith(b"OU="))

    def lists(self) -> bytes:
        """The permissions of the domain, as they lie in the directory."""
        with connect(self.login) as connection:
            return read_descriptor(connection, self.host.forest.base_dn) or b""


def test_dir_sync_works_exactly_while_basic_read_is_granted(bare: Bare) -> None:
    before = bare.lists()
    assert bare.dir_sync() == "DirSyncNotAllowed"
    assert "granted" in bare.change("grant", "BasicRead")
    assert bare.dir_sync() == "works"
    assert "revoked" in bare.change("revoke", "basicread")
    assert bare.dir_sync() == "DirSyncNotAllowed"
    assert bare.lists() == before


def test_granting_twice_changes_nothing(bare: Bare) -> None:
    bare.change("grant", "BasicRead")
    once = bare.lists()
    assert "already" in bare.change("grant", "BasicRead")
    assert bare.lists() == once
    bare.change("revoke", "BasicRead")
    assert "was not granted" in bare.change("revoke", "BasicRead")


def test_a_right_that_another_set_needs_stays(bare: Bare) -> None:
    bare.change("grant", "BasicRead", "PasswordHashSync")
    bare.change("revoke", "PasswordHashSync")
    assert bare.dir_sync() == "works"
    shown = json.loads(bare.look("show", "--json")[1])
    states = {name: one["granted"] for name, one in shown.items()}
    assert (states["BasicRead"], states["PasswordHashSync"]) == (True, False)
    bare.change("revoke", "BasicRead")
    assert bare.dir_sync() == "DirSyncNotAllowed"


def test_tombstones_are_seen_exactly_while_read_deleted_is_granted(bare: Bare) -> None:
    with bare.host.forest.connect() as admin:
        dn = changes.add_unit(admin, bare.host.forest.base_dn, "short lived")
        changes.delete_tree(admin, dn)
    assert bare.tombstones() == 0
    bare.change("grant", "ReadDeleted")
    assert bare.tombstones() >= 1
    bare.change("revoke", "ReadDeleted")
    assert bare.tombstones() == 0


def test_every_set_can_be_granted_and_taken_back_without_a_trace(bare: Bare) -> None:
    before = bare.lists()
    names = [name for name in json.loads(bare.look("show", "--json")[1]) if name != "ReadDeleted"]
    bare.change("grant", *names)
    shown = json.loads(bare.look("show", "--json")[1])
    missing = [
        (name, right) for name in names for right in shown[name]["rights"] if right["state"] == "missing"
    ]
    assert not missing
    assert "all of every user" in str(shown["BasicRead"])
    bare.change("revoke", *names)
    bare.change("revoke", *names)
    assert bare.lists() == before


def test_a_dry_run_needs_no_administrator_and_changes_nothing(bare: Bare) -> None:
    before = bare.lists()
    code, said = bare.look("grant", "BasicRead", "ReadDeleted", "--dry-run")
    assert code == 0, said
    root = bare.host.forest.base_dn
    assert f'dsacls "{root}" /G "BARE\\isthmus-agent:CA;Replicating Directory Changes"' in said
    assert f'dsacls "{root}" /I:S /G "BARE\\isthmus-agent:RP;;user"' in said
    assert f'dsacls "CN=Deleted Objects,{root}" /takeOwnership' in said
    assert bare.lists() == before


def test_a_dry_run_of_revoking_names_exactly_what_is_there(bare: Bare) -> None:
    assert "nothing to do" in bare.look("revoke", "PasswordHashSync", "--dry-run")[1]
    bare.change("grant", "PasswordHashSync")
    said = bare.look("revoke", "PasswordHashSync", "--dry-run")[1]
    assert said.count("RemoveAccessRuleSpecific") == 2
    assert "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2" in said
    bare.change("revoke", "PasswordHashSync")


def test_without_an_administrator_nothing_is_written(bare: Bare) -> None:
    code, said = bare.look("grant", "BasicRead")
    assert (code, said.split(":")[0]) == (4, "AdministratorMissing")
    account = bare.host.account
    code, said = bare.look(
        "grant",
        "BasicRead",
        f"--admin-user={account.user_principal_name}",
        f"--admin-password-file={bare.host.password_file}",
    )
    assert (code, said.split(":")[0]) == (6, "AdWriteDenied")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("grant", "Everything", "--dry-run"), "PermissionSetUnknown"),
        (("show", "--account=nobody"), "AccountUnknown"),
    ],
)
def test_what_is_unknown_is_named(bare: Bare, arguments: tuple[str, ...], code: str) -> None:
    assert bare.look(*arguments)[1].split(":")[0] == code


def test_restricting_leaves_the_account_to_administrators(bare: Bare) -> None:
    dn = bare.host.account.dn
    assert "restricted" in bare.change("restrict")
    with connect(bare.login) as connection:
        raw = read_descriptor(connection, dn)
    assert raw
    found = decode(raw)
    assert found.control & DACL_PROTECTED
    assert found.dacl
    assert len(found.dacl.entries) < 20
    assert "already" in bare.change("restrict")
    assert bare.look("show")[0] == 0


def test_the_rights_named_here_are_the_ones_in_the_directory(forest: SambaForest, admin: Connection) -> None:
    base = f"CN=Extended-Rights,CN=Configuration,{forest.base_dn}"
    found = {}
    for name, guid in CONTROL_RIGHTS.items():
        admin.search(base, f"(rightsGuid={guid})", attributes=["cn"])
        found[name] = str(admin.entries[0]["cn"])
    # Display names differ between Windows and Samba, these do not (MS-ADTS §5.1.3.2.1).
    assert found == {
        "Replicating Directory Changes": "DS-Replication-Get-Changes",
        "Replicating Directory Changes All": "DS-Replication-Get-Changes-All",
        "Reset Password": "User-Force-Change-Password",
        "Unexpire Password": "Unexpire-Password",
    }


def test_names_of_the_schema_are_found_where_it_has_them(bare: Bare) -> None:
    with connect(bare.login) as connection:
        controller = describe(connection)
        guids = schema_guids(connection, controller.schema)
        assert str(guids["user"]) == "bf967aba-0de6-11d0-a285-00aa003049e2"
        assert "publicFolder" not in guids
        assert place_dn(controller, Place.DELETED_OBJECTS) == f"CN=Deleted Objects,{controller.root}"
