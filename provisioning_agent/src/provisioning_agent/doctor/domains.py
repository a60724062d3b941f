"""One domain: each of its controllers, then what the account may do there."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime

from provisioning_agent.accounts.entering import login_for
from provisioning_agent.config import DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import DirectoryConnection, DirectoryLogin, Endpoint, Entry, connect
from provisioning_agent.ldap.domain import Controller, describe, require
from provisioning_agent.ldap.messages import Scope, Search
from provisioning_agent.permissions.domain_objects import find_account, read_lists
from provisioning_agent.permissions.sets import Place
from provisioning_agent.wire.errors import WireError

from . import certificates, clocks, directory, group_managed, network, rights
from .model import Check, Family, Status, skipped

_QUERY_POLICY = (
    "CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,{configuration}"
)
_TRUST_OPTIONS = "enrol again with --dc-ca-file, or with --dc-fingerprint."


def check_domain(domain: DomainConfig) -> list[Check]:
    """Every controller on its own, the rights once."""
    try:
        login = login_for(domain)
    except AgentError as error:
        name = "keytab" if domain.keytab else "password"
        missing = Check(name, domain.fqdn, f"read the account's {name}", error.detail, Status.FAIL)
        return [missing.of(Family.DIRECTORY)]
    servers = login.servers or login.discover()
    checks = group_managed.checks(domain, login) if domain.keytab else []
    checks += [] if login.servers else [_discovered(domain, servers)]
    rights_known = False
    for endpoint in servers:
        ways, open_port = _way(endpoint, login, domain.fingerprint)
        checks += ways
        if open_port:
            alone = replace(login, servers=(endpoint,), discover=tuple)
            found, looked = _inside(domain, alone, endpoint, not rights_known)
            checks += found
            rights_known |= looked
    return [check.of(Family.DIRECTORY) for check in checks]


def _discovered(domain: DomainConfig, found: tuple[Endpoint, ...]) -> Check:
    tried = "looked for controllers in DNS, because none is listed"
    if found:
        return Check("srv", domain.fqdn, tried, ", ".join(map(str, found)), Status.OK)
    remedy = "Enrol this domain again with --server, or with --nameserver and one that knows the domain."
    return Check("srv", domain.fqdn, tried, "none that may be asked", Status.FAIL, remedy)


def _way(endpoint: Endpoint, login: DirectoryLogin, pinned: str | None) -> tuple[list[Check], bool]:
    name, found = network.check_name(endpoint.host)
    if not found:
        return [name, skipped("tcp", str(endpoint), "a TCP connection", "the name is unknown")], False
    port, is_open = network.check_port(endpoint.host, endpoint.port)
    if not is_open:
        return [name, port, skipped("tls", str(endpoint), "a TLS hand-shake", "the port is closed")], False
    return [name, port, _tls(endpoint, login, pinned)], True


def _tls(endpoint: Endpoint, login: DirectoryLogin, pinned: str | None) -> Check:
    try:
        context = login.trust.context()
    except (OSError, ssl.SSLError) as error:
        found = f"the CA file can not be used: {error}"
        return Check("tls", str(endpoint), "loaded the CA file", found, Status.FAIL, _TRUST_OPTIONS)
    shown = certificates.look(endpoint.host, endpoint.port, context)
    return certificates.verdict(str(endpoint), shown, pinned, datetime.now(UTC), _TRUST_OPTIONS)


def _inside(
    domain: DomainConfig, login: DirectoryLogin, endpoint: Endpoint, with_rights: bool
) -> tuple[list[Check], bool]:
    tried = f"bound as {domain.user}"
    checks: list[Check] = []
    try:
        with connect(login) as connection:
            controller = describe(connection)
            require(controller, domain.fqdn)
            checks.append(Check("bind", str(endpoint), tried, f"welcome at {controller.name}", Status.OK))
            checks += _controller(connection, controller, str(endpoint))
            if with_rights:
                checks += _rights(connection, controller, domain)
    except WireError as error:
        failed = Check(
            "bind", str(endpoint), tried, f"{error.code}: {error.detail}", Status.FAIL, _mend(error)
        )
        return [*checks, replace(failed, name="read") if checks else failed], False
    return checks, with_rights


def _mend(error: WireError) -> str:
    remedies = {
        "AdBindFailed": "Correct the account's name or password: enrol this domain again.",
        "AdCertificateUntrusted": f"Correct the trust: {_TRUST_OPTIONS}",
        "DomainMismatch": "Name a controller of this very domain: enrol this domain again.",
    }
    if error.code in ("KdcUnreachable", "ClockSkewed", "TicketRefused", "ManagedPasswordDenied"):
        return "See the checks of the keytab, the ticket and the managed password above."
    return remedies.get(error.code, "See the controller's event log.")


def _controller(connection: DirectoryConnection, controller: Controller, target: str) -> list[Check]:
    dse = _read(connection, "", directory.ROOT_DSE)
    here = datetime.now(UTC)
    levels = (
        dse.text(name)
        for name in ("domainFunctionality", "forestFunctionality", "domainControllerFunctionality")
    )
    schema = _read(connection, controller.schema, ("objectVersion",))
    policy = _read(
        connection, _QUERY_POLICY.format(configuration=controller.configuration), ("lDAPAdminLimits",)
    )
    supported = {oid.decode() for oid in dse.attributes.get(b"supportedControl", [])}
    return [
        clocks.controller_verdict(target, here, clocks.directory_time(dse.text("currentTime"))),
        directory.level_verdict(target, *(directory.number(text) for text in levels)),
        directory.schema_verdict(target, directory.number(schema.text("objectVersion"))),
        directory.limits_verdict(
            target, directory.parse_limits(policy.attributes.get(b"lDAPAdminLimits", []))
        ),
        directory.controls_verdict(target, supported),
    ]


def _read(connection: DirectoryConnection, dn: str, attributes: tuple[str, ...]) -> Entry:
    found = connection.find(Search(dn, filters.present("objectClass"), attributes, Scope.BASE))
    return found or Entry(dn.encode(), {})


def _rights(connection: DirectoryConnection, controller: Controller, domain: DomainConfig) -> list[Check]:
    account = find_account(connection, controller, domain.user)
    lists = read_lists(connection, controller)
    readable = Place.DOMAIN in lists
    return [
        rights.privilege_verdict(domain.fqdn, account),
        rights.tombstones_verdict(domain.fqdn, rights.sees_deleted(connection, controller)),
        rights.hashes_verdict(domain.fqdn, lists.get(Place.DOMAIN), readable, account.groups),
        rights.dir_sync_verdict(domain.fqdn, rights.probe_dir_sync(connection, controller)),
    ]
