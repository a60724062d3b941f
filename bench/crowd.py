"""Many agents without an Active Directory in one process: each enrols, waits on the bus and answers "nothing new".

``python -m bench.crowd --portal URL --ca-file FILE --tokens FILE``; an agent for each line of the file.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import random
import ssl
import sys
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson

from bench.keep_alive import KeepAlive
from bench.synthetic_agent import enrol
from bench.synthetic_population import Resource, resource
from provisioning_agent.channel.bootstrap import Bootstrapped, bootstrap
from provisioning_agent.channel.bus import Lease
from provisioning_agent.channel.http import PortalHttp
from provisioning_agent.channel.identity import Identity
from provisioning_agent.config import DomainConfig
from provisioning_agent.wire.limits import LONG_POLL_S
from provisioning_agent.wire.pages import Page, encode_page

_THREADS: Final = 4
_PEOPLE: Final = 3
_PAGE_HEADERS: Final = {"Content-Type": "application/scim+json", "Content-Encoding": "gzip"}
_AGAIN_S: Final = (0.5, 2.0)


def fqdn(number: int) -> str:
    """The domain of the agent with this number."""
    return f"d{number:04d}.crowd.example"


@dataclass(frozen=True)
class Member:
    """One agent."""

    number: int
    identity: Identity

    @property
    def name(self) -> str:
        """Its host."""
        return f"host{self.number:04d}"


class Crowd:
    """What its agents share: the portal, and threads for the calls that the agent's own code makes."""

    def __init__(self, portal: str, ca_file: Path) -> None:
        self.portal, self.ca_file = portal, ca_file
        self.context = ssl.create_default_context(cafile=str(ca_file))
        self._own = threading.local()
        self.threads = ThreadPoolExecutor(_THREADS, initializer=self._prepare)

    def _prepare(self) -> None:
        self._own.http = PortalHttp(self.portal, self.ca_file)

    def enrol(self, number: int, token: str) -> Member:
        """Register with a one-time token for a domain of its own."""
        name = fqdn(number)
        sid = f"S-1-5-21-2000000000-{number}-1"
        domain = DomainConfig(name, f"D{number:04d}", name, sid, (), "", Path())
        return Member(number, enrol(self._own.http, token, domain))

    def bootstrap(self, member: Member) -> Bootstrapped:
        """A sign of life, and a token for the bus."""
        return bootstrap(self._own.http, member.identity, member.name, {}, {}, datetime.now(UTC))


async def live(crowd: Crowd, member: Member) -> None:
    """Bootstrap, wait and answer, for ever; after trouble again."""
    loop = asyncio.get_running_loop()
    initial = encode_page(_page(_people(member.number), "initial"))
    nothing = encode_page(_page([], "delta"))
    while True:
        access = await loop.run_in_executor(crowd.threads, crowd.bootstrap, member)
        ends_at = loop.time() + access.interval
        bus = access.bus_urls[0]
        connection = KeepAlive(urlsplit(bus), crowd.context)
        try:
            while loop.time() < ends_at:
                await _serve_once(connection, bus, access.bus_token, initial, nothing)
        except (OSError, EOFError) as error:
            print(f"{member.name}: {type(error).__name__}: {error}", file=sys.stderr)
            await asyncio.sleep(random.uniform(*_AGAIN_S))
        finally:
            connection.close()


async def _serve_once(connection: KeepAlive, bus: str, token: str, initial: bytes, nothing: bytes) -> None:
    status, body = await connection.call("GET", f"{bus}?wait={LONG_POLL_S}", token)
    if status == 204:
        return
    answer = orjson.loads(body)
    lease = Lease(bus, answer["requestId"], answer["attempt"], answer["leaseSeconds"], answer["request"])
    page = nothing if lease.request().watermark else initial
    status, body = await connection.call("POST", lease.url("pages/1"), token, page, _PAGE_HEADERS)
    if status != 202:
        raise EOFError(f"A page was answered by {status}: {body.decode()}")


def _page(resources: Sequence[Resource], mode: str) -> Page:
    replica = {"invocationId": str(uuid.UUID(int=1)), "name": "dc1.crowd.example"}
    return Page(resources=resources, mode=mode, complete=True, watermark="crowd", replica=replica)


def _people(number: int) -> list[Resource]:
    """The few people of one domain."""
    return [_person(number, one) for one in range(_PEOPLE)]


def _person(number: int, one: int) -> Resource:
    guid = uuid.UUID(int=(number << 16) + one + 1)
    name = f"person{one}"
    attributes = {
        "objectGUID": base64.b64encode(guid.bytes_le).decode(),
        "distinguishedName": f"CN={name},DC=d{number:04d},DC=crowd,DC=example",
        "sAMAccountName": name,
        "userPrincipalName": f"{name}@{fqdn(number)}",
        "cn": name,
        "displayName": f"Person {one} of {number}",
        "accountDisabled": False,
    }
    return resource("user", guid=str(guid), attributes=attributes)


async def _live_all(crowd: Crowd, members: Sequence[Member]) -> None:
    await asyncio.gather(*(live(crowd, one) for one in members))


def main(arguments: list[str]) -> int:
    """Enrol everybody and answer until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--portal", "--ca-file", "--tokens"):
        parser.add_argument(option, required=True)
    options = parser.parse_args(arguments)
    tokens = Path(options.tokens).read_text().split()
    crowd = Crowd(options.portal, Path(options.ca_file))
    members = list(crowd.threads.map(crowd.enrol, range(len(tokens)), tokens))
    asyncio.run(_live_all(crowd, members))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
