"""An ID token in, a one-time enrolment token out: once for each sign-in, and noted whom it was given to."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from django.db import transaction

from agents import enrolment, identity
from agents.entra import id_tokens, tie
from agents.entra.id_tokens import Person
from agents.entra.signing_keys import SigningKeys
from agents.errors import refusal
from agents.models import EnrolmentToken
from provisioning_agent.wire.errors import WireError

logger = logging.getLogger(__name__)

# Long enough for the rest of a set-up.
LIFETIME: Final = timedelta(hours=1)


def recognise(token: str, address: str | None, now: datetime) -> Person:
    """Who signed in; asks Entra for its keys where need be. Refusals are noted with the address they came from."""
    bound = tie.require()
    try:
        key = _keys(bound.metadata_url).find(id_tokens.key_id(token))
        return id_tokens.judge(token, key, bound, now)
    except WireError as error:
        logger.warning(
            'event=entra-sign-in-refused code=%s address=%s detail="%s"', error.code, address, error.detail
        )
        raise


def issue(token: str, person: Person, address: str | None, now: datetime) -> tuple[EnrolmentToken, str]:
    """An enrolment token for that sign-in and its clear text; ``EntraTokenUsed`` the second time."""
    digest = hashlib.sha256(f"entra\n{token}".encode()).hexdigest()
    with transaction.atomic():
        if not identity.remember(digest, person.expires_at):
            raise refusal("EntraTokenUsed")
        made, text = enrolment.create_token("Sign-in with Entra", LIFETIME, None, issued_to=person.shown)
    logger.info(
        'event=enrolment-token-issued hint=%s to="%s" address=%s until=%s',
        made.hint,
        person.shown,
        address,
        made.expires_at.isoformat(),
    )
    return made, text


@lru_cache(maxsize=4)
def _keys(metadata_url: str) -> SigningKeys:
    return SigningKeys(metadata_url)
