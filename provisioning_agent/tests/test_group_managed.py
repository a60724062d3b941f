"""``isthmus-agent gmsa`` on a real domain controller, and the password blob, which Samba 4.17 can not give."""

from __future__ import annotations

import secrets
import struct
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ldap3 import Connection

from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from provisioning_agent.accounts.group_managed import readers_of
from provisioning_agent.accounts.managed_password import decode
from provisioning_agent.security.access import FULL_CONTROL, may
from provisioning_agent.security.sids import MalformedError

SERVICE = "CN=Group Key Distribution Service,CN=Services,CN=Configuration"


@pytest.fixture(scope="module")
def gmsa_forest(make_forest: ForestFactory) -> SambaForest:
    """A forest with two hosts."""
    found = make_forest("gmsa.example", "GMSA")
    with found.connect() as admin:
        for name in ("HOST1", "HOST2"):
            attributes = {"sAMAccountName": f"{name}$", "userAccountControl": 0x1020}
            admin.add(f"CN={name},CN=Computers,{found.base_dn}", ["computer"], attributes)
    return found


class Service:
    """The command, and what is in the directory."""

    def __init__(self, host: AgentHost, admin: Connection, directory: Path) -> None:
        self.host = host
        self.admin = admin
        self.file = directory / "admin"
        self.file.write_text(host.forest.administrator.password)

    def ensure(self, *arguments: str) -> tuple[int, str]:
        forest = self.host.forest
        done = self.host.command(
            "gmsa",
            f"--domain={forest.dns_name}",
            f"--state-dir={self.host.state}",
            f"--admin-user={forest.administrator.user_principal_name}",
            f"--admin-password-file={self.file}",
            *arguments,
        )
        return done.returncode, done.stdout + done.stderr

    def find(self, name: str) -> Any:
        wanted = ["objectClass", "objectSid", "msDS-SupportedEncryptionTypes", "msDS-GroupMSAMembership"]
        self.admin.search(self.host.forest.base_dn, f"(sAMAccountName={name}$)", attributes=wanted)
        return self.admin.entries[0] if self.admin.entries else None

    def may_have(self, name: str, host: str) -> bool:
        found, wanted = self.find(name), self.find(host)["objectSid"].raw_values[0]
        readers = readers_of(found["msDS-GroupMSAMembership"].raw_values[0])
        return may(readers.dacl, [wanted], FULL_CONTROL)


@pytest.fixture
def service(portal: Portal, gmsa_forest: SambaForest, tmp_path: Path) -> Iterator[Service]:
    host = AgentHost(portal, gmsa_forest, tmp_path)
    done = host.enrol()
    assert done.returncode == 0, done.stderr
    with gmsa_forest.connect() as admin:
        yield Service(host, admin, tmp_path)


@pytest.fixture
def root_key(service: Service) -> Iterator[str]:
    """The forest has a root key, as Add-KdsRootKey makes it."""
    base, admin = service.host.forest.base_dn, service.admin
    for place in (f"{SERVICE},{base}", f"CN=Master Root Keys,{SERVICE},{base}"):
        if not _exists(admin, place):
            admin.add(place, ["container"])
    dn = f"CN={uuid.uuid4()},CN=Master Root Keys,{SERVICE},{base}"
    attributes = {
        "msKds-Version": 1,
        "msKds-DomainID": f"OU=Domain Controllers,{base}",
        "msKds-KDFAlgorithmID": "SP800_108_CTR_HMAC",
        "msKds-SecretAgreementAlgorithmID": "DH",
        "msKds-PublicKeyLength": 2048,
        "msKds-PrivateKeyLength": 512,
        "msKds-RootKeyData": secrets.token_bytes(64),
        "msKds-UseStartTime": 133000000000000000,
        "msKds-CreateTime": 133000000000000000,
    }
    admin.add(dn, ["msKds-ProvRootKey"], attributes)
    yield dn
    admin.delete(dn)


def _exists(admin: Connection, dn: str) -> bool:
    parent = dn.partition(",")[2]
    return bool(admin.search(parent, f"(distinguishedName={dn})", "LEVEL"))


@pytest.mark.forest
def test_without_a_root_key_it_is_said_in_words(service: Service) -> None:
    code, said = service.ensure("--host=HOST1", "--name=noKey")
    assert (code, "KdsRootKeyMissing" in said, "Add-KdsRootKey" in said) == (6, True, True)
    assert service.find("noKey") is None


@pytest.mark.forest
@pytest.mark.usefixtures("root_key")
def test_it_is_created_for_aes_and_this_host_alone_then_reused_by_another(service: Service) -> None:
    code, said = service.ensure("--host=HOST1")
    assert code == 0, said
    assert "created" in said
    found = service.find("provAgentgMSA")
    assert found["msDS-SupportedEncryptionTypes"].value == 24
    assert "msDS-GroupManagedServiceAccount" in found["objectClass"].values
    hosts = [service.may_have("provAgentgMSA", host) for host in ("HOST1", "HOST2")]
    assert hosts == [True, False]
    assert "found" in service.ensure("--host=HOST2")[1]
    hosts = [service.may_have("provAgentgMSA", host) for host in ("HOST1", "HOST2")]
    assert hosts == [True, True]
    assert "was there already" in service.ensure("--host=HOST1")[1]


@pytest.mark.forest
def test_another_account_of_that_name_is_left_alone(service: Service) -> None:
    code, said = service.ensure("--name=HOST2", "--host=HOST1")
    assert (code, "AccountNotOurs" in said) == (6, True)


@pytest.mark.forest
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--host=nowhere",), (6, "AccountUnknown")),
        (("--name=longer-than-fifteen",), (4, "AccountNameInvalid")),
    ],
)
def test_what_can_not_be_is_named(
    service: Service, arguments: tuple[str, ...], expected: tuple[int, str]
) -> None:
    code, said = service.ensure(*arguments)
    assert (code, expected[1] in said) == (expected[0], True)


@pytest.mark.forest
def test_a_dry_run_prints_the_lines(service: Service) -> None:
    code, said = service.ensure("--host=HOST1", "--name=dry", "--dry-run")
    assert code == 0
    assert 'New-ADServiceAccount -Name "dry" -DNSHostName "dry.gmsa.example"' in said
    assert service.find("dry") is None


HOURS = 36_000_000_000  # of 100 ns
CURRENT, PREVIOUS = secrets.token_bytes(256), secrets.token_bytes(256)


def blob(*, previous: bytes | None = PREVIOUS) -> bytes:
    """As MS-ADTS lays it out: header, passwords with two octets of zero, padding to eight, intervals."""
    first = CURRENT + b"\0\0"
    second = previous + b"\0\0" if previous else b""
    padding = b"\0" * (-(16 + len(first) + len(second)) % 8)
    query = 16 + len(first) + len(second) + len(padding)
    header = struct.pack(
        "<HHIHHHH", 1, 0, query + 16, 16, 16 + len(first) if previous else 0, query, query + 8
    )
    return header + first + second + padding + struct.pack("<QQ", 10 * HOURS, 9 * HOURS)


def test_a_password_blob_is_taken_apart() -> None:
    found = decode(blob())
    assert (found.current, found.previous) == (CURRENT, PREVIOUS)
    assert (found.query_after, found.unchanged_for) == (timedelta(hours=10), timedelta(hours=9))
    assert decode(blob(previous=None)).previous is None
    assert CURRENT.hex() not in repr(found)
    assert str(CURRENT) not in repr(found)


@pytest.mark.parametrize("cut", [0, 1, 15, 16, 200, 273, 540, 551])
def test_a_blob_that_ends_early_is_refused(cut: int) -> None:
    with pytest.raises(MalformedError):
        decode(blob()[:cut])


@pytest.mark.parametrize(
    ("at", "value"), [(0, 2), (4, 9), (8, 4), (8, 0xFFFF), (10, 700), (12, 0xFFFF), (14, 3)]
)
def test_a_blob_whose_header_lies_is_refused(at: int, value: int) -> None:
    body = bytearray(blob())
    struct.pack_into("<H", body, at, value)
    with pytest.raises(MalformedError):
        decode(bytes(body))
