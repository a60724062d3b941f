"""``isthmus-agent configure``: the wizard, attended or not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from provisioning_agent import config as configs
from provisioning_agent import status as statuses
from provisioning_agent.channel import identity as identities
from provisioning_agent.channel.bootstrap import bootstrap
from provisioning_agent.channel.http import OutboundSession, PortalHttp, open_portal, require_https
from provisioning_agent.cli.configure_person import AtTerminal, Unattended, ask_everything
from provisioning_agent.cli.device_code import id_token
from provisioning_agent.cli.enrol_command import EnrolOptions, enrol
from provisioning_agent.cli.output import complain
from provisioning_agent.errors import AgentError
from provisioning_agent.files import make_directory
from provisioning_agent.hosting import system
from provisioning_agent.hosting.layout import UNITS, USER
from provisioning_agent.proxy import ProxyConfig
from provisioning_agent.proxy import given as proxy_given
from provisioning_agent.setup.answers import BY_TOKEN, DEVICE_CODE, Answers, load, parse
from provisioning_agent.setup.domains import DomainSetup
from provisioning_agent.setup.progress import Progress
from provisioning_agent.setup.sign_in import enrolment_token, offered
from provisioning_agent.setup.stages import Facts, Person, Stage, go_through, tell_all
from provisioning_agent.status import iso
from provisioning_agent.wire.errors import WireError

_UNIT: Final = f"{USER}.service"
_FIRST_BOOTSTRAP_S: Final = 60.0
# The portal itself did not answer; any other refusal shows that it is there.
_NOT_THERE: Final = frozenset(
    {
        "PortalUnreachable",
        "PortalCertificateUntrusted",
        "UnreadableAnswer",
        "ProxyUnreachable",
        "ProxyCredentialsRefused",
        "ProxyRefused",
    }
)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line; ``given`` has the shape of the file, from single options."""

    state: Path
    answers: Path | None = None
    given: Mapping[str, Any] | None = None
    dry_run: bool = False
    again: bool = False


def configure(options: Options) -> int:
    """Go through all steps; returns the exit code."""
    attended = options.answers is None and options.given is None
    person = AtTerminal() if attended else Unattended()
    try:
        answers = _answers(options)
        facts: Facts = {}
        stages = Wizard(options.state, answers, facts, person).stages()
        if options.dry_run:
            tell_all(stages, person)
            person.say("Nothing was changed (--dry-run).")
            return 0
        make_directory(options.state)
        go_through(stages, person, Progress(options.state), facts, again=options.again)
    except (AgentError, WireError) as error:
        return complain(error)
    return 0


def _answers(options: Options) -> Answers:
    if options.answers is None:
        return parse(options.given if options.given is not None else ask_everything())
    if options.given is not None:
        raise AgentError("AnswersInvalid", "Answers come from --answers or from options, not from both.")
    return load(options.answers)


class Wizard:
    """The steps around the domains' own."""

    def __init__(self, state: Path, answers: Answers, facts: Facts, person: Person) -> None:
        self._state = state
        self._answers = answers
        self._person = person
        self._token: str | None = None
        self._restarted = ""
        self._domains = [
            DomainSetup(one, answers.nameserver, state, facts, person) for one in answers.domains
        ]

    def stages(self) -> list[Stage]:
        """All of them, in order."""
        portal = self._answers.portal
        names = ", ".join(one.answers.fqdn for one in self._domains)
        return [
            Stage(
                "sign in",
                f"Reach {portal} and sign in: by an enrolment token, or with Entra",
                list,
                self._sign_in,
            ),
            *(stage for domain in self._domains for stage in domain.stages()),
            Stage(
                "registration",
                f"Register this agent with the portal, for {names}",
                lambda: [f"isthmus-agent enrol --portal {portal} …"],
                self._register,
            ),
            Stage(
                "service",
                f"Restart {_UNIT} with this configuration",
                lambda: [f"systemctl restart {_UNIT}"],
                self._restart,
            ),
            Stage(
                "first bootstrap",
                "See the first bootstrap",
                lambda: ["isthmus-agent status"],
                self._bootstrap,
            ),
        ]

    def _sign_in(self) -> dict[str, Any]:
        http = PortalHttp(require_https(self._answers.portal), self._answers.portal_ca_file, self._proxy())
        try:
            self._reach(http)
            self._token = self._enrolment_token(http)
        finally:
            http.close()
        return {}

    def _reach(self, http: PortalHttp) -> None:
        try:
            http.json("POST", http.url("bootstrap"), "", {})
        except WireError as error:
            if error.code in _NOT_THERE:
                raise
        self._person.say("    it answers")

    def _enrolment_token(self, http: PortalHttp) -> str | None:
        """A token for a new agent, None where it is enrolled already and none is offered."""
        file, how = self._answers.token_file, self._answers.sign_in
        if self._is_enrolled():
            return self._person.secret(file, "") if file is not None and file.is_file() else None
        offer = None if file is not None or how == BY_TOKEN else offered(http)
        if how == DEVICE_CODE and offer is None:
            raise AgentError("SignInUnavailable", "This portal is not tied to Entra; use an enrolment token.")
        if offer and (how == DEVICE_CODE or self._person.confirm("    Sign in with an Entra account?")):
            signed_in = id_token(offer, OutboundSession(self._proxy()), self._person.say)
            return enrolment_token(http, signed_in)
        return self._person.secret(file or Path("-"), "Enrolment token from the console")

    def _proxy(self) -> ProxyConfig | None:
        before = configs.load(self._state).proxy if self._is_enrolled() else None
        return proxy_given(self._answers.proxy, self._answers.proxy_credentials_file, before)

    def _is_enrolled(self) -> bool:
        return (self._state / "agent.json").exists()

    def _register(self) -> dict[str, Any]:
        for domain in self._domains:
            enrol(self._enrolment(domain))
            # The first one registers the agent, the others are added to it.
            self._token = None
        return {}

    def _enrolment(self, domain: DomainSetup) -> EnrolOptions:
        one = domain.answers
        return EnrolOptions(
            portal=self._answers.portal,
            domain=one.fqdn,
            servers=domain.servers,
            bind_user=one.principal,
            password_file=domain.password_file,
            state=self._state,
            token=self._token,
            ca_file=self._answers.portal_ca_file,
            dc_ca_file=None if domain.fingerprint else one.ca_file,
            dc_fingerprint=domain.fingerprint,
            name=self._answers.name,
            managed=one.account.managed,
            keytab=one.account.keytab,
            proxy=self._answers.proxy,
            proxy_credentials_file=self._answers.proxy_credentials_file,
            nameserver=self._answers.nameserver,
        )

    def _restart(self) -> dict[str, Any]:
        if self._is_service():
            self._restarted = iso(datetime.now(UTC))
            system.run("systemctl", "restart", _UNIT)
        else:
            self._person.say(
                f"    no service is installed or systemd does not run here: start it with "
                f"isthmus-agent run --state-dir {self._state}"
            )
        return {}

    def _bootstrap(self) -> dict[str, Any]:
        if self._is_service():
            self._watch_service()
            return {}
        config = configs.load(self._state)
        identity = identities.load(self._state, config.agent_id)
        http = open_portal(config)
        answer = bootstrap(http, identity, config.name, {}, {}, datetime.now(UTC))
        http.close()
        self._person.say(
            f"    agent {config.agent_id} is welcome; it will call every {answer.interval:.0f} s"
        )
        return {}

    def _watch_service(self) -> None:
        end = time.monotonic() + _FIRST_BOOTSTRAP_S
        while time.monotonic() < end:
            found = statuses.read(self._state)
            if found is not None and found.last_bootstrap_at >= self._restarted:
                self._person.say(f"    bootstrapped at {found.last_bootstrap_at}")
                return
            time.sleep(0.5)
        raise AgentError("ServiceNotStarted")

    def _is_service(self) -> bool:
        return system.systemd_runs() and (UNITS / _UNIT).exists()
