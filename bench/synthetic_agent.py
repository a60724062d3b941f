"""An agent without an Active Directory: enrols, waits on the bus and answers with pages encoded beforehand.

``python -m bench.synthetic_agent --portal URL --ca-file FILE --token-file FILE --pages DIRECTORY``
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import synthetic_pages
from bench.synthetic_population import DOMAIN, NETBIOS, SID
from provisioning_agent.channel import identity as identities
from provisioning_agent.channel.bootstrap import bootstrap
from provisioning_agent.channel.bus import Lease, poll, post_page
from provisioning_agent.channel.groupings import put_groupings
from provisioning_agent.channel.http import PortalHttp
from provisioning_agent.channel.identity import Identity
from provisioning_agent.channel.registrations import register
from provisioning_agent.config import DomainConfig
from provisioning_agent.files import read_secret
from provisioning_agent.wire.limits import BUS_TOKEN_MINUTES

_NAME = "synthetic"
_DOMAIN = DomainConfig(DOMAIN, NETBIOS, DOMAIN, SID, (), "", Path())
# What answers a request that carries the watermark of an earlier answer.
_FOLLOWING = {
    synthetic_pages.FULL: synthetic_pages.CHANGES,
    synthetic_pages.CHANGES: synthetic_pages.NOTHING,
    synthetic_pages.NOTHING: synthetic_pages.NOTHING,
}


def main(arguments: list[str]) -> int:
    """Enrol and answer until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--portal", "--ca-file", "--token-file", "--pages"):
        parser.add_argument(option, required=True)
    options = parser.parse_args(arguments)
    http = PortalHttp(options.portal, Path(options.ca_file))
    identity = enrol(http, read_secret(Path(options.token_file)), _DOMAIN)
    serve(http, identity, Path(options.pages))
    return 0


def enrol(http: PortalHttp, token: str, domain: DomainConfig) -> Identity:
    """Register for a domain."""
    key = identities.new_key()
    registered = register(http, token, identities.signing_request(key, _NAME), _NAME)
    identity = Identity(registered.agent_id, key, registered.certificate_pem)
    put_groupings(http, identity, [domain], datetime.now(UTC))
    return identity


def serve(http: PortalHttp, identity: Identity, pages: Path) -> None:
    """Bootstrap, wait, answer; again when the bus token is about to end."""
    while True:
        began = datetime.now(UTC)
        access = bootstrap(http, identity, _NAME, {}, {}, began)
        while (datetime.now(UTC) - began).total_seconds() < BUS_TOKEN_MINUTES * 30:
            lease = poll(http, access.bus_urls[0], access.bus_token)
            if lease is not None:
                answer(http, access.bus_token, lease, pages)


def answer(http: PortalHttp, token: str, lease: Lease, pages: Path) -> None:
    """Post the pages that answer a request."""
    watermark = lease.request().watermark
    chosen = synthetic_pages.FULL if watermark is None else _FOLLOWING[watermark]
    for number, page in enumerate(synthetic_pages.pages(pages, chosen), 1):
        post_page(http, token, lease, number, page.read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
