"""Error codes of the hybrid identity service that are not part of the wire contract's own registry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from provisioning_agent.wire.errors import WireError


class ServiceCode(NamedTuple):
    """What one code means: its HTTP status (None where it never travels as an answer) and its sentence."""

    status: int | None
    sentence: str


CODES: Final[Mapping[str, ServiceCode]] = MappingProxyType(
    {
        "TimeOut": ServiceCode(
            None, "No agent answered in time; check that the domain's agents run and reach the portal."
        ),
        "HybridIdentityServiceNoAgentsAssigned": ServiceCode(
            None, "No agent is registered for the domain; add an agent and let it serve this domain."
        ),
        "HybridIdentityServiceNoActiveAgents": ServiceCode(
            None,
            "The domain has agents, but none of them is active; start one or check its way to the portal.",
        ),
        "RequestDropped": ServiceCode(
            None, "The request is no longer needed because its cycle ended; nothing has to be done."
        ),
        "DomainConflict": ServiceCode(
            409,
            "A domain of this name but with another SID is registered already; remove the old one in the "
            "console, or check which domain the agent reads.",
        ),
        "HttpsRequired": ServiceCode(
            403, "Agents are served over HTTPS only; use the https address of the portal."
        ),
        "CallUnknown": ServiceCode(
            404, "There is no such call; update the agent so that both ends speak the same version."
        ),
        "MethodNotAllowed": ServiceCode(
            405, "The call exists but not with this method; update the agent to the version of the service."
        ),
        "BodyTooLarge": ServiceCode(413, "The body is larger than this call accepts; send less at once."),
        "UpdateFileUnknown": ServiceCode(
            404, "The update repository has no such file; publish a release, or do nothing if none is wanted."
        ),
        "EntraNotTied": ServiceCode(
            404, "This portal is not tied to Entra; use an enrolment token from the console."
        ),
        "EntraTokenInvalid": ServiceCode(
            401, "The sign-in can not be recognised as one of this portal's Entra tenant; sign in again."
        ),
        "EntraTokenUsed": ServiceCode(
            409, "This sign-in was used for an agent already; sign in again for each agent."
        ),
        "EntraPersonNotAllowed": ServiceCode(
            403,
            "This account may not add agents; assign the app role or group that ISTHMUS_ENTRA_ENROLLERS names.",
        ),
        "EntraUnreachable": ServiceCode(
            503,
            "The portal can not get Entra's signing keys; let it reach login.microsoftonline.com, then sign in again.",
        ),
        "UpdateKeySealed": ServiceCode(
            503,
            "A signing key of the update repository can not be opened; put the key that sealed it back into "
            "ISTHMUS_SEALING_KEYS.",
        ),
        "AuthorityKeySealed": ServiceCode(
            503,
            "The certificate authority's key can not be opened; put the key that sealed it back into "
            "ISTHMUS_SEALING_KEYS.",
        ),
    }
)


def refusal(code: str, detail: str | None = None) -> WireError:
    """The error of one of our codes that travels as an answer."""
    known = CODES[code]
    if known.status is None:
        raise LookupError(f"{code} is a request's outcome, not an answer.")
    return WireError(code, detail or known.sentence, status=known.status, retry=known.status >= 500)
