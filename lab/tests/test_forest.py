"""The forest itself: an Active Directory that a client can not tell from a small real one."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ldap3 import SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException, LDAPInsufficientAccessRightsResult
from ldap3.protocol.microsoft import show_deleted_control

from lab import changes
from lab.addresses import leased_address
from lab.errors import LabError
from lab.population import Company, Entry
from lab.pytest_forest import ForestFactory
from lab.samba import Account, SambaForest

Entries = list[dict[str, Any]]
pytestmark = pytest.mark.forest


def test_everything_of_the_company_can_be_read_back(forest: SambaForest, forest_company: Company) -> None:
    with forest.connect() as connection:
        for entry in forest_company.entries():
            wanted = {name for name in entry.attributes if name not in ("objectClass", "userAccountControl")}
            found = changes.read(connection, entry.dn, *wanted)
            assert {name: sorted(map(_plain, found[name])) for name in wanted} == {
                name: sorted(map(_plain, entry.attributes[name])) for name in wanted
            }


def test_disabled_accounts_are_disabled(forest: SambaForest, forest_company: Company) -> None:
    with forest.connect() as connection:
        flags = [
            int(changes.read(connection, dn, "userAccountControl")["userAccountControl"][0])
            for dn in forest_company.user_dns
        ]
    disabled = [number for number, flag in enumerate(flags) if flag & 2]
    assert disabled == [14, 29, 44, 59]


def test_a_user_with_a_password_can_bind(forest: SambaForest, forest_company: Company) -> None:
    user = forest_company.user(0)
    assert user.password is not None
    account = Account("u", user.dn, user.attributes["userPrincipalName"][0], user.password)
    with forest.connect(account) as connection:
        assert connection.bound


def test_the_certificate_is_refused_without_its_authority(forest: SambaForest) -> None:
    server = Server(forest.address, port=636, use_ssl=True, tls=Tls(validate=ssl.CERT_REQUIRED))
    with pytest.raises(LDAPException, match="certificate verify failed"):
        Connection(server).open()


def test_the_fingerprint_is_that_of_the_certificate_on_the_wire(forest: SambaForest) -> None:
    pem = ssl.get_server_certificate((forest.address, 636), ca_certs=str(forest.ca_file))
    on_wire = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=pem,
        capture_output=True,
        text=True,
        check=True,
    )
    assert on_wire.stdout.strip().partition("=")[2].replace(":", "").lower() == forest.fingerprint


def test_openldap_verifies_the_certificate_by_address(forest: SambaForest) -> None:
    result = subprocess.run(
        ["ldapsearch", "-x", "-LLL", "-H", forest.ldap_uri, "-s", "base", "-b", "", "defaultNamingContext"],
        env={**os.environ, "LDAPTLS_CACERT": str(forest.ca_file), "LDAPTLS_REQCERT": "demand"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"defaultNamingContext: {forest.base_dn}" in result.stdout


def test_the_service_account_sees_a_deletion_through_dirsync(forest: SambaForest, playground: str) -> None:
    account = forest.account("isthmus-agent")
    with forest.connect(account) as reader, forest.connect() as admin:
        doomed = changes.add_user(admin, playground, "Doomed, Person", "doomed")
        guid = changes.object_guid(admin, doomed)
        cookie = _dirsync(reader, forest, b"")[1]
        changes.delete(admin, doomed)
        entries, _ = _dirsync(reader, forest, cookie)
    [entry] = entries
    assert str(guid) in entry["dn"]
    assert entry["attributes"]["isDeleted"] is True


def test_the_service_account_sees_a_deletion_by_searching(forest: SambaForest, playground: str) -> None:
    with forest.connect(forest.account("isthmus-agent")) as reader, forest.connect() as admin:
        doomed = changes.add_user(admin, playground, "Doomed Too", "doomed2")
        guid = changes.object_guid(admin, doomed)
        changes.delete(admin, doomed)
        reader.search(
            forest.base_dn,
            "(&(isDeleted=TRUE)(sAMAccountName=doomed2))",
            SUBTREE,
            attributes=["objectGUID"],
            controls=[show_deleted_control()],
        )
        found = [entry["dn"] for entry in reader.response or [] if entry["type"] == "searchResEntry"]
    assert len(found) == 1
    assert str(guid) in found[0]


def test_an_account_without_rights_may_not_use_dirsync(forest: SambaForest) -> None:
    account = forest.create_service_account("bystander", rights=())
    with forest.connect(account) as reader, pytest.raises(LDAPInsufficientAccessRightsResult):
        _dirsync(reader, forest, b"")


def test_an_account_that_may_only_get_changes_sees_no_deletion(forest: SambaForest, playground: str) -> None:
    account = forest.create_service_account("half-blind", rights=["get-changes"])
    with forest.connect(account) as reader, forest.connect() as admin:
        doomed = changes.add_user(admin, playground, "Doomed Three", "doomed3")
        cookie = _dirsync(reader, forest, b"")[1]
        changes.delete(admin, doomed)
        entries, _ = _dirsync(reader, forest, cookie)
    assert entries == []


def test_two_forests_run_side_by_side(forest: SambaForest, second_forest: SambaForest) -> None:
    with forest.connect() as one, second_forest.connect() as other:
        assert changes.object_guid(one, forest.base_dn) != changes.object_guid(other, second_forest.base_dn)
    with pytest.raises(LDAPException):
        second_forest.connect(forest.administrator)


def test_a_restarted_forest_still_knows_what_was_changed(make_forest: ForestFactory) -> None:
    forest = make_forest("restart.example", "RESTART", company=lambda base: Company(base, users=15, groups=0))
    with forest.connect() as connection:
        dn = changes.add_user(connection, forest.base_dn, "Late, Comer", "late")
    forest.restart()
    with forest.connect() as connection:
        assert changes.read(connection, dn, "sAMAccountName") == {"sAMAccountName": ["late"]}
    forest.server.kill()
    assert not forest.answers()
    forest.start()
    assert forest.answers()


def test_nothing_of_a_stopped_forest_is_left_running(make_forest: ForestFactory) -> None:
    forest = make_forest("gone.example", "GONE", company=lambda base: Company(base, users=15, groups=0))
    group = forest.server.pid
    forest.stop()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_a_refused_entry_is_named(forest: SambaForest) -> None:
    entry = Entry(f"CN=lost,OU=Nowhere,{forest.base_dn}", {"objectClass": ["user"]})
    with pytest.raises(LabError, match="OU=Nowhere") as caught:
        forest.add_offline([entry])
    assert caught.value.code == "LabCommandFailed"


def test_a_forest_can_not_be_started_twice_on_one_address(forest: SambaForest, tmp_path: Path) -> None:
    twin = SambaForest("twin.example", "TWIN", forest.address, tmp_path / "twin")
    twin.directory.mkdir()
    (twin.directory / "accounts.json").write_text("{}")
    with pytest.raises(LabError) as caught:
        twin.start()
    assert caught.value.code == "LabAddressBusy"


def test_without_root_the_reason_is_given(forest_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with leased_address() as address, pytest.raises(LabError) as caught:
        SambaForest("user.example", "USER", address, forest_directory).start()
    assert caught.value.code == "LabNeedsRoot"


def test_accounts_of_a_forest_that_is_not_there_are_an_error(forest_directory: Path) -> None:
    forest = SambaForest("none.example", "NONE", "127.0.20.10", forest_directory)
    with pytest.raises(LabError) as caught:
        _ = forest.administrator
    assert caught.value.code == "LabWrongState"


def _plain(text: str) -> str:
    """Without DN escapes: Samba writes some characters as hex pairs where we wrote a backslash."""
    return re.sub(r"\\([0-9A-F]{2}|.)", lambda m: m[1] if len(m[1]) == 1 else chr(int(m[1], 16)), text)


def _dirsync(connection: Connection, forest: SambaForest, cookie: bytes) -> tuple[Entries, bytes]:
    search = connection.extend.microsoft.dir_sync(
        forest.base_dn, "(objectClass=user)", attributes=["cn", "isDeleted"], cookie=cookie or None
    )
    entries = [entry for entry in search.loop() if entry["type"] == "searchResEntry"]
    return entries, search.cookie
