"""What can not be provoked through a real server: how the process is told to end, and plain http."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import Settings

from agents import errors
from agents.api.application import HybridIdentityService
from agents.api.http import Message, Receive, Scope, Send
from agents.models import BusRequest, RequestState
from agents.tests.cast import make_agent, make_domain, queue
from provisioning_agent.wire.errors import CODES


async def console(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})


async def exchange(scope: dict[str, Any], messages: Iterable[Message]) -> list[Message]:
    """Everything the application sends for these incoming messages."""
    incoming = iter(messages)
    sent: list[Message] = []

    async def receive() -> Message:
        for message in incoming:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    application = HybridIdentityService(console)
    await application(scope, receive, send)
    if scope["type"] != "lifespan":
        await application.close()
    return sent


def http(path: str, scheme: str = "http", **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "scheme": scheme,
        "headers": raw,
        "client": ("192.0.2.1", 5),
    }


async def code(scope: dict[str, Any]) -> str:
    sent = await exchange(scope, [])
    found: str = orjson.loads(sent[1]["body"])["urn:isthmus:scim:api:messages:1.0:Error"]["code"]
    return found


async def test_other_paths_are_left_to_the_console() -> None:
    assert (await exchange(http("/admin/"), []))[0]["status"] == 299


async def test_agents_are_served_over_https_only() -> None:
    assert await code(http("/hybrid/v1/nothing")) == "HttpsRequired"
    assert await code(http("/hybrid/v1/nothing", x_forwarded_proto="https")) == "HttpsRequired"
    assert await code(http("/hybrid/v1/nothing", scheme="https")) == "CallUnknown"


async def test_behind_a_proxy_its_header_counts(settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert await code(http("/hybrid/v1/nothing", x_forwarded_proto="https")) == "CallUnknown"
    assert await code(http("/hybrid/v1/nothing", x_forwarded_proto="http")) == "HttpsRequired"


async def test_the_process_starts_and_ends_in_good_order() -> None:
    sent = await exchange({"type": "lifespan"}, [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


@pytest.mark.django_db(transaction=True)
def test_work_found_for_an_agent_that_left_meanwhile_is_handed_back() -> None:
    domain = make_domain()
    member = make_agent(domain)
    queue(domain, timezone.now())
    scope = http("/hybrid/v1/bus", "https", authorization=f"Bearer {member.bus_token(timezone.now())}")
    # The look at the bus is under way in its thread when the news arrives.
    asyncio.run(exchange(scope, [{"type": "http.request"}, {"type": "http.disconnect"}]))
    request = BusRequest.objects.get()
    assert (request.attempt, request.state, request.tries) == (1, RequestState.QUEUED, 0)


def test_no_code_has_two_meanings_and_each_says_what_to_do() -> None:
    assert not set(errors.CODES) & set(CODES)
    for code_, known in errors.CODES.items():
        assert ";" in known.sentence, code_
        assert known.sentence.endswith("."), code_


def test_an_outcome_can_not_be_sent_as_an_answer() -> None:
    with pytest.raises(LookupError):
        errors.refusal("TimeOut")
