"""Errors of the agent itself, with the exit codes its commands end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class AgentCode(NamedTuple):
    """Exit code of the process and the sentence to show."""

    exit_code: int
    sentence: str


EXIT_REVOKED: Final = 3
EXIT_SETUP: Final = 4
EXIT_PORTAL: Final = 5
EXIT_DIRECTORY: Final = 6
# An update is installed: whoever started this process starts the new version (EX_TEMPFAIL of sysexits.h).
EXIT_RESTART: Final = 75

CODES: Final[Mapping[str, AgentCode]] = {
    "NotEnrolled": AgentCode(EXIT_SETUP, "This agent is not enrolled here; run 'isthmus-agent enrol' first."),
    "StateUnreadable": AgentCode(
        EXIT_SETUP, "A file of the agent's state directory can not be read; restore it or enrol again."
    ),
    "StateNotWritable": AgentCode(
        EXIT_SETUP,
        "The state directory can not be written; choose another with --state-dir or correct its owner.",
    ),
    "PortalNotHttps": AgentCode(EXIT_SETUP, "The portal's URL must start with https://; correct --portal."),
    "TokenMissing": AgentCode(
        EXIT_SETUP,
        "A new agent needs a one-time enrolment token; create one in the console, pass --token-file.",
    ),
    "SecretUnreadable": AgentCode(EXIT_SETUP, "A secret's file can not be read or is empty; check its path."),
    "KerberosMissing": AgentCode(
        EXIT_SETUP,
        "A group managed service account needs Kerberos: install isthmus-agent[kerberos] (docs/agent/gmsa.md).",
    ),
    "KeytabUnreadable": AgentCode(
        EXIT_SETUP,
        "The host's keytab can not be read or holds no computer account; let the agent's user read it.",
    ),
    "ServerInvalid": AgentCode(
        EXIT_SETUP, "A domain controller is named as host or host:port; correct --server."
    ),
    "FingerprintInvalid": AgentCode(
        EXIT_SETUP,
        "A fingerprint is 64 hexadecimal digits (SHA-256 of the certificate); correct --dc-fingerprint.",
    ),
    "CaFileInvalid": AgentCode(
        EXIT_SETUP, "A CA file holds no readable PEM certificate; check the path given."
    ),
    "DomainNotConfigured": AgentCode(
        EXIT_SETUP, "This agent does not serve the domain named; enrol it there or correct --domain."
    ),
    "AdministratorMissing": AgentCode(
        EXIT_SETUP,
        "Permissions are changed by an administrator; give --admin-user, or --dry-run to see the lines.",
    ),
    "PermissionSetUnknown": AgentCode(
        EXIT_SETUP, "There is no such set of permissions; 'isthmus-agent permissions show' lists them."
    ),
    "BundleNotWritable": AgentCode(
        EXIT_SETUP, "The bundle can not be written there; name a file that does not exist with --output."
    ),
    "AnswersInvalid": AgentCode(
        EXIT_SETUP, "An answer for the set-up is missing or wrong; the sentence names its place in the file."
    ),
    "AccountNameInvalid": AgentCode(
        EXIT_SETUP, "That can not be the name of an account; choose a shorter one of letters and digits."
    ),
    "ControllersNotFound": AgentCode(
        EXIT_DIRECTORY, "DNS names no controller of the domain; name servers, or a nameserver that knows it."
    ),
    "FingerprintNotConfirmed": AgentCode(
        EXIT_SETUP,
        "The controller's certificate was not confirmed, so nothing was sent to it; give its CA file.",
    ),
    "SetupStopped": AgentCode(
        EXIT_SETUP, "The set-up was stopped before the next step; run it again to go on from there."
    ),
    "ServiceNotStarted": AgentCode(
        EXIT_PORTAL, "The service was started but did not bootstrap in time; see its log and 'doctor'."
    ),
    "NotRoot": AgentCode(
        EXIT_SETUP, "Only root may do this to the host; use sudo, or --dry-run to see what would be done."
    ),
    "SystemCommandFailed": AgentCode(
        EXIT_SETUP, "A program of this host failed; mend what it says and run the command again."
    ),
    "ImageUnusable": AgentCode(
        EXIT_SETUP, "The directory is not the root of a system: it has no etc/passwd; correct --root."
    ),
    "ExecutableHidden": AgentCode(
        EXIT_SETUP,
        "The program lies in a home or temporary directory, which the service may not see; install it below /opt.",
    ),
    "NotTheAgents": AgentCode(
        EXIT_SETUP, "A user or directory of that name belongs to something else; choose another name."
    ),
    "HostNotWritable": AgentCode(
        EXIT_SETUP, "A file of this host can not be written; check its owner and the disk."
    ),
    "PortalNotTold": AgentCode(
        EXIT_PORTAL,
        "The portal could not be told that the agent is gone; try again, or use --keep-registration.",
    ),
    "AlreadyRunning": AgentCode(EXIT_SETUP, "Another agent runs with this state directory; stop it first."),
    "PortalUnreachable": AgentCode(
        EXIT_PORTAL, "The portal could not be reached; check its URL, the proxy and the network."
    ),
    "SignInUnavailable": AgentCode(
        EXIT_SETUP, "Signing in with Entra is not possible here; use an enrolment token from the console."
    ),
    "SignInUnreachable": AgentCode(
        EXIT_PORTAL, "Entra's sign-in could not be reached; check the proxy and the network, or use a token."
    ),
    "SignInFailed": AgentCode(
        EXIT_PORTAL, "The sign-in was not completed; run the set-up again, or use an enrolment token."
    ),
    "ProxyInvalid": AgentCode(
        EXIT_SETUP, "A proxy is named as http://host:port, without a path; correct --proxy."
    ),
    "ProxyUnreachable": AgentCode(
        EXIT_PORTAL,
        "The proxy on the way to the portal could not be reached; check its address, or HTTPS_PROXY and NO_PROXY.",
    ),
    "ProxyCredentialsRefused": AgentCode(
        EXIT_PORTAL,
        "The proxy refuses the user and password it was given, or wants some (407); correct the credentials file.",
    ),
    "ProxyRefused": AgentCode(
        EXIT_PORTAL,
        "The proxy does not open the way to the portal; allow CONNECT to the portal's host and port there.",
    ),
    "PortalCertificateUntrusted": AgentCode(
        EXIT_PORTAL, "The portal's certificate is not trusted; name its CA with --ca-file."
    ),
    "UpdateRefused": AgentCode(
        EXIT_PORTAL,
        "An update is not as it was signed, or its signatures have ended; look at the portal's update repository.",
    ),
    "UpdateNotFetched": AgentCode(
        EXIT_PORTAL, "An update could not be fetched; check the proxy and the network. It is tried again."
    ),
    "UpdateNotInstalled": AgentCode(
        EXIT_SETUP,
        "An update could not be installed; check disk space, and that the release carries its new dependencies.",
    ),
    "UpdateRolledBack": AgentCode(
        EXIT_SETUP,
        "A new version did not bootstrap and was taken back; it is not tried again for a day. Read its log.",
    ),
    "AgentStopped": AgentCode(
        EXIT_REVOKED, "The portal does not let this agent work any more; enrol it again."
    ),
}


class AgentError(Exception):
    """A failure a person has to act on; ``code`` is one of ``CODES``."""

    def __init__(self, code: str, detail: str | None = None) -> None:
        known = CODES[code]
        self.code = code
        self.detail = detail or known.sentence
        self.exit_code = known.exit_code
        super().__init__(f"{code}: {self.detail}")
