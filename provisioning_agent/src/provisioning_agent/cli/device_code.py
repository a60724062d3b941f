"""Signing in with Entra by a code that is typed on another device (RFC 8628), through msal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import requests

from provisioning_agent import __version__
from provisioning_agent.channel.http import OutboundSession, unreachable
from provisioning_agent.errors import AgentError
from provisioning_agent.setup.sign_in import Offer

_SENTENCES: Final[Mapping[str, str]] = {
    "authorization_declined": "The sign-in was declined; run the set-up again, or use an enrolment token.",
    "expired_token": "The code ran out before anybody signed in with it; run the set-up again.",
    # How msal ends when the code has run out between two looks.
    "authorization_pending": "The code ran out before anybody signed in with it; run the set-up again.",
}


def id_token(offer: Offer, session: OutboundSession, say: Callable[[str], None]) -> str:
    """Show page and code, wait until somebody has signed in; the ID token. Nothing of it is stored."""
    try:
        return _sign_in(offer, session, say)
    except requests.RequestException as error:
        found = unreachable(error)
        code = found.code if found.code.startswith("Proxy") else "SignInUnreachable"
        raise AgentError(code, f"{AgentError(code).detail} ({type(error).__name__})") from error


def _sign_in(offer: Offer, session: OutboundSession, say: Callable[[str], None]) -> str:
    app = _application(offer, session)
    flow = app.initiate_device_flow(scopes=[])
    if "user_code" not in flow:
        raise _failed(flow)
    say(f"    open {flow['verification_uri']} on any device, enter the code {flow['user_code']} and sign in")
    found = app.acquire_token_by_device_flow(flow)
    if "id_token" not in found:
        raise _failed(found)
    return str(found["id_token"])


def _application(offer: Offer, session: OutboundSession) -> Any:
    try:
        # An extra of the agent, loaded by this step only.
        import msal
    except ImportError as error:
        raise AgentError(
            "SignInUnavailable",
            "Signing in with Entra needs msal: install isthmus-agent[entra], or use an enrolment token.",
        ) from error
    try:
        return msal.PublicClientApplication(
            offer.client_id,
            authority=offer.authority,
            # The portal says which cloud; nobody else has to be asked.
            instance_discovery=False,
            # Nobody signs in a second time with what is got here.
            exclude_scopes=["offline_access"],
            http_client=session,
            app_name="isthmus-agent",
            app_version=__version__,
        )
    except ValueError as error:
        raise AgentError("SignInFailed", "Entra does not know the tenant that the portal names.") from error


def _failed(answer: Mapping[str, Any]) -> AgentError:
    error = str(answer.get("error", ""))
    told = str(answer.get("error_description", "")).split("\n", 1)[0].strip()[:200]
    return AgentError(
        "SignInFailed", _SENTENCES.get(error) or f"Entra did not let you sign in: {told or error}"
    )
