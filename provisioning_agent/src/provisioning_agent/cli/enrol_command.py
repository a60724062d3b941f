"""``isthmus-agent enrol``: look at the domain first, then register, then write down."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path

from provisioning_agent import config as configs
from provisioning_agent.accounts.group_managed_sign_in import tickets_for
from provisioning_agent.channel import identity as identities
from provisioning_agent.channel.clock import SystemClock
from provisioning_agent.channel.groupings import put_groupings
from provisioning_agent.channel.http import PortalHttp, require_https
from provisioning_agent.channel.identity import Identity
from provisioning_agent.channel.registrations import register
from provisioning_agent.channel.retryable import Verdict, verdict
from provisioning_agent.cli.output import complain, say
from provisioning_agent.config import AgentConfig, DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.files import make_directory, read_secret, write_private
from provisioning_agent.ldap import discovery
from provisioning_agent.ldap.connection import DirectoryLogin, Endpoint, connect
from provisioning_agent.ldap.domain import DomainIdentity, describe, identify, require
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.tls import Trust, normalise_fingerprint, presented_fingerprint
from provisioning_agent.proxy import given as proxy_given
from provisioning_agent.proxy import keep as keep_proxy
from provisioning_agent.updates.trust import pin_root
from provisioning_agent.wire.errors import WireError

_LOOK_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class EnrolOptions:
    """What was asked for on the command line."""

    portal: str
    domain: str
    servers: tuple[str, ...]
    bind_user: str
    password_file: Path | None
    state: Path
    # Instead of a password: the host's, for a group managed service account.
    keytab: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    dc_ca_file: Path | None = None
    dc_fingerprint: str | None = None
    name: str | None = None
    # None: what is set already; "none": no proxy of the agent's own.
    proxy: str | None = None
    proxy_credentials_file: Path | None = None
    # The account is this agent's alone: it changes the password itself.
    managed: bool = False
    nameserver: str | None = None
    # Instead of the file, where it was typed.
    token: str | None = field(default=None, repr=False)

    @property
    def has_token(self) -> bool:
        """Whether a new agent may be registered."""
        return self.token is not None or self.token_file is not None


def enrol_agent(options: EnrolOptions) -> int:
    """Enrol and report; returns the exit code."""
    try:
        enrol(options)
        say(f"Start it with: isthmus-agent run --state-dir {options.state}")
    except (AgentError, WireError) as error:
        return complain(error)
    return 0


def enrol(options: EnrolOptions) -> None:
    """Look at the domain, register where need be, tell the portal of all domains, and write it all down."""
    require_https(options.portal)
    login = _login(options)
    found = _look_at_domain(options, login)
    say(f"Domain {found.fqdn} ({found.netbios}, {found.sid}) answers.")
    make_directory(options.state)
    domain = _keep_domain(options, found, login)
    ca_file = _keep_ca(options.ca_file, options.state / "trust" / "portal-ca.pem")
    known = _known_agent(options)
    proxy = keep_proxy(
        proxy_given(options.proxy, options.proxy_credentials_file, known[0].proxy if known else None),
        options.state,
    )
    http = PortalHttp(options.portal, ca_file, proxy)
    config, identity = _agent(options, known, http, ca_file)
    config = replace(config.with_domain(domain), proxy=proxy)
    # Written down before the next call: the token is used up now, so a repetition must find this agent.
    identities.save(options.state, identity)
    configs.save(options.state, config)
    put_groupings(http, identity, config.domains, SystemClock().now())
    pin_root(http, options.state)
    http.close()
    say(f"Enrolled as agent {config.agent_id} for {', '.join(one.fqdn for one in config.domains)}.")


def _login(options: EnrolOptions) -> DirectoryLogin:
    try:
        servers = tuple(Endpoint.parse(server) for server in options.servers)
    except ValueError as error:
        raise AgentError("ServerInvalid", f"{error}; correct --server.") from error
    trust = _trust(options)
    if not servers:
        names = discovery.to_be_asked(options.domain, options.nameserver, trust)
        servers = tuple(Endpoint(name) for name in names)
        say(f"DNS names these controllers: {', '.join(names)}")
    login = DirectoryLogin(servers, options.bind_user, "", trust)
    if options.keytab is not None:
        tickets = tickets_for(options.bind_user, options.keytab, login)
        return login.by_tickets(options.bind_user, tickets)
    if options.password_file is None:
        raise AgentError("SecretUnreadable", "Name the account's --password-file, or the host's --keytab.")
    return replace(login, password=read_secret(options.password_file))


def _trust(options: EnrolOptions) -> Trust:
    if options.dc_fingerprint is None:
        return Trust(ca_file=_readable_ca(options.dc_ca_file))
    try:
        return Trust(fingerprint=normalise_fingerprint(options.dc_fingerprint))
    except ValueError as error:
        raise AgentError("FingerprintInvalid") from error


def _readable_ca(path: Path | None) -> Path | None:
    if path is not None:
        try:
            ssl.create_default_context(cafile=str(path))
        except (OSError, ssl.SSLError) as error:
            raise AgentError("CaFileInvalid", f"{path} holds no readable PEM certificate.") from error
    return path


def _look_at_domain(options: EnrolOptions, login: DirectoryLogin) -> DomainIdentity:
    try:
        with connect(login) as connection:
            controller = describe(connection)
            require(controller, options.domain)
            return identify(connection, controller)
    except DirectoryError as error:
        if error.code == "AdCertificateUntrusted" and options.dc_fingerprint is None:
            raise _with_fingerprint(login.servers[0], error) from error
        raise


def _with_fingerprint(server: Endpoint, error: DirectoryError) -> DirectoryError:
    """The same refusal, with what to type once the fingerprint has been compared."""
    try:
        shown = presented_fingerprint(server.host, server.port, _LOOK_TIMEOUT_S)
    except OSError:
        return error
    return DirectoryError(
        error.code,
        f"The certificate of {server} is not trusted. Its SHA-256 fingerprint is {shown}; if that is the "
        f"certificate on the controller, enrol again with: --dc-fingerprint {shown}",
    )


def _keep_domain(options: EnrolOptions, found: DomainIdentity, login: DirectoryLogin) -> DomainConfig:
    """Copy what the agent needs while running into the state directory."""
    password_file = options.state / "secrets" / f"{found.fqdn}.password"
    if options.keytab is None:
        write_private(password_file, login.password.encode())
    return DomainConfig(
        fqdn=found.fqdn,
        netbios=found.netbios,
        forest=found.forest,
        sid=found.sid,
        # None listed: DNS is asked each time, so that it may change.
        servers=tuple(str(server) for server in login.servers) if options.servers else (),
        user=login.user,
        password_file=password_file,
        ca_file=_keep_ca(login.trust.ca_file, options.state / "trust" / f"{found.fqdn}-ca.pem"),
        fingerprint=login.trust.fingerprint,
        managed=options.managed,
        nameserver=options.nameserver,
        keytab=options.keytab.absolute() if options.keytab else None,
    )


def _keep_ca(given: Path | None, kept: Path) -> Path | None:
    source = _readable_ca(given)
    if source is None:
        return None
    write_private(kept, source.read_bytes())
    return kept


def _agent(
    options: EnrolOptions, known: tuple[AgentConfig, Identity] | None, http: PortalHttp, ca_file: Path | None
) -> tuple[AgentConfig, Identity]:
    """The agent enrolled here already, if the portal still knows it; else a new one."""
    if known is not None:
        config, identity = known
        config = replace(config, portal=options.portal.rstrip("/"), portal_ca_file=ca_file)
        if not options.has_token or _still_welcome(http, config, identity):
            return config, identity
    return _new_agent(options, ca_file, http)


def _known_agent(options: EnrolOptions) -> tuple[AgentConfig, Identity] | None:
    try:
        config = configs.load(options.state)
        return config, identities.load(options.state, config.agent_id)
    except AgentError as error:
        if error.code == "NotEnrolled" or options.has_token:
            return None
        raise


def _still_welcome(http: PortalHttp, config: AgentConfig, identity: Identity) -> bool:
    try:
        put_groupings(http, identity, config.domains, SystemClock().now())
    except WireError as error:
        if verdict(error) is Verdict.RETRY:
            raise
        return False
    return True


def _new_agent(options: EnrolOptions, ca_file: Path | None, http: PortalHttp) -> tuple[AgentConfig, Identity]:
    token = options.token or (read_secret(options.token_file) if options.token_file else None)
    if token is None:
        raise AgentError("TokenMissing")
    name = options.name or socket.gethostname()
    key = identities.pending_key(options.state)
    registered = register(http, token, identities.signing_request(key, name), name)
    config = AgentConfig(registered.agent_id, name, options.portal.rstrip("/"), (), ca_file)
    return config, Identity(registered.agent_id, key, registered.certificate_pem)
