"""Which tenant and application this portal is tied to, and who of them may add agents."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from agents.errors import refusal


@dataclass(frozen=True, slots=True)
class Tie:
    """``login`` is the origin of Entra's sign-in; ``enrollers`` are app roles, object ids of groups or of people."""

    login: str
    tenant: str
    client_id: str
    enrollers: frozenset[str]

    @property
    def authority(self) -> str:
        """What msal calls the authority."""
        return f"{self.login}/{self.tenant}"

    @property
    def issuer(self) -> str:
        """Who signs tokens of the v2.0 endpoint for this tenant."""
        return f"{self.authority}/v2.0"

    @property
    def metadata_url(self) -> str:
        """OpenID Connect Discovery 1.0 §4."""
        return f"{self.issuer}/.well-known/openid-configuration"


def current() -> Tie | None:
    """The tie in the settings, None where there is none."""
    if not settings.ENTRA_TENANT:
        return None
    return Tie(
        settings.ENTRA_LOGIN_URL,
        settings.ENTRA_TENANT,
        settings.ENTRA_CLIENT_ID,
        frozenset(settings.ENTRA_ENROLLERS),
    )


def require() -> Tie:
    """The tie; ``EntraNotTied`` where there is none."""
    tie = current()
    if tie is None:
        raise refusal("EntraNotTied")
    return tie
