"""Which call is answered where."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from agents.api import answers, changes, lifecycle, poll, registrations, sign_in, updates
from agents.api.http import Call, Reply
from agents.api.service import Service
from agents.errors import refusal

PREFIX: Final = "/hybrid/v1/"
_GUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REQUEST: Final = rf"bus/(?P<request_id>{_GUID})"

Endpoint = Callable[..., Awaitable[Reply]]

_CALLS: Final[dict[str, dict[str, Endpoint]]] = {
    r"sign-in": {"GET": sign_in.get_sign_in},
    r"enrolment-tokens": {"POST": sign_in.post_enrolment_tokens},
    r"registrations": {"POST": registrations.register},
    rf"agents/(?P<agent_id>{_GUID})": {"DELETE": lifecycle.delete_agent},
    rf"agents/(?P<agent_id>{_GUID})/resource-groupings": {"PUT": lifecycle.put_groupings},
    r"bootstrap": {"POST": lifecycle.post_bootstrap},
    r"certificates": {"POST": lifecycle.post_certificates},
    r"updates/(?P<path>(?:metadata|targets)/[A-Za-z0-9._+-]{1,200})": {"GET": updates.get_file},
    r"bus": {"GET": poll.poll},
    r"bus/changes": {"POST": changes.post_changes},
    rf"{_REQUEST}/pages/(?P<number>[1-9][0-9]{{0,8}})": {"POST": answers.post_page},
    rf"{_REQUEST}/failure": {"POST": answers.post_failure},
    rf"{_REQUEST}/lease": {"POST": answers.renew_lease, "DELETE": answers.hand_back_lease},
}
_ROUTES: Final = tuple((re.compile(pattern), methods) for pattern, methods in _CALLS.items())


def endpoint(call: Call) -> Callable[[Service, Call], Awaitable[Reply]]:
    """The endpoint for this call; raises ``CallUnknown`` or ``MethodNotAllowed``."""
    for pattern, methods in _ROUTES:
        match = pattern.fullmatch(call.path.removeprefix(PREFIX))
        if match is not None and call.method in methods:
            return partial(methods[call.method], **match.groupdict())
        if match is not None:
            raise refusal("MethodNotAllowed")
    raise refusal("CallUnknown")
