"""Numbers both ends of the wire agree on; sizes in bytes, times in seconds unless the name says otherwise."""

from __future__ import annotations

from typing import Final

MAX_PAGE_RESOURCES: Final = 1000
MAX_PAGE_COMPRESSED: Final = 8 * 1024 * 1024
MAX_PAGE_INFLATED: Final = 64 * 1024 * 1024
MAX_INFLATION_RATIO: Final = 200
MAX_DEPTH: Final = 8
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024

ASSERTION_LIFETIME_S: Final = 60
CLOCK_SKEW_S: Final = 60

LONG_POLL_S: Final = 50
BOOTSTRAP_INTERVAL_S: Final = 600
BUS_TOKEN_MINUTES: Final = 20

CERTIFICATE_DAYS: Final = 180
RENEWAL_DAYS: Final = 30

GROUP_MEMBERS_PER_RESOURCE: Final = 5000
