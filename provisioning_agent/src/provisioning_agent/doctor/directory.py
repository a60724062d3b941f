"""What a domain controller is: functional levels, schema, limits, controls."""

from __future__ import annotations

from typing import Final

from provisioning_agent.ldap import controls
from provisioning_agent.wire.limits import MAX_PAGE_RESOURCES

from .model import Check, Status

ROOT_DSE: Final = (
    "currentTime",
    "domainFunctionality",
    "forestFunctionality",
    "domainControllerFunctionality",
    "supportedControl",
)
# MS-ADTS §6.1.4
_LEVELS: Final = {
    0: "2000",
    1: "2003 interim",
    2: "2003",
    3: "2008",
    4: "2008 R2",
    5: "2012",
    6: "2012 R2",
    7: "2016",
    10: "2025",
}
# objectVersion of the schema, by Windows Server release.
_SCHEMAS: Final = {
    13: "2000",
    30: "2003",
    31: "2003 R2",
    44: "2008",
    47: "2008 R2",
    56: "2012",
    69: "2012 R2",
    87: "2016",
    88: "2019",
    91: "2025",
}
# Linked values replicate one by one from forest level 2003 on; DirSync tells members one by one because of it.
_LINKED_VALUES: Final = 2
_MANAGED_ACCOUNTS: Final = 56
_NEEDED: Final = {
    controls.DIR_SYNC: "DirSync",
    controls.PAGED: "paged search",
    controls.EXTENDED_DN: "extended DN",
}


def level_verdict(target: str, domain: int | None, forest: int | None, controller: int | None) -> Check:
    """Functional levels of domain, forest and controller."""
    tried = "read the functional levels"
    if domain is None or forest is None:
        return Check(
            "level", target, tried, "not told", Status.WARN, "Point the agent at a domain controller."
        )
    found = f"domain {_level(domain)}, forest {_level(forest)}, controller {_level(controller)}"
    if forest < _LINKED_VALUES:
        remedy = "Raise the forest's level to 2003 or higher: group changes are reported whole below it."
        return Check("level", target, tried, found, Status.WARN, remedy)
    return Check("level", target, tried, found, Status.OK)


def schema_verdict(target: str, version: int | None) -> Check:
    """The schema's version."""
    tried = "read objectVersion of the schema"
    if version is None:
        return Check("schema", target, tried, "not readable", Status.WARN, "Let the account read the schema.")
    found = f"version {version} (Windows Server {_newest(_SCHEMAS, version)})"
    if version < _MANAGED_ACCOUNTS:
        return Check("schema", target, tried, f"{found}; no managed service accounts", Status.OK)
    return Check("schema", target, tried, found, Status.OK)


def limits_verdict(target: str, limits: dict[str, int]) -> Check:
    """The limits of the default query policy (MS-ADTS §3.1.1.3.4.6)."""
    tried = "read the default query policy"
    if "MaxPageSize" not in limits:
        return Check("limits", target, tried, "not readable; 1000 a page is usual", Status.OK)
    shown = ("MaxPageSize", "MaxValRange", "MaxQueryDuration", "MaxConnIdleTime")
    found = ", ".join(f"{name} {limits[name]}" for name in shown if name in limits)
    if limits["MaxPageSize"] < MAX_PAGE_RESOURCES:
        remedy = f"Reading works but slower: set MaxPageSize to {MAX_PAGE_RESOURCES} with ntdsutil."
        return Check("limits", target, tried, found, Status.WARN, remedy)
    return Check("limits", target, tried, found, Status.OK)


def controls_verdict(target: str, supported: set[str]) -> Check:
    """Whether the server can do what reading needs."""
    tried = "read supportedControl"
    missing = [name for oid, name in _NEEDED.items() if oid not in supported]
    if missing:
        remedy = "Point the agent at a domain controller of Active Directory."
        return Check("controls", target, tried, f"lacks {', '.join(missing)}", Status.FAIL, remedy)
    return Check("controls", target, tried, "all there", Status.OK)


def parse_limits(values: list[bytes]) -> dict[str, int]:
    """``lDAPAdminLimits``, values such as ``MaxPageSize=1000``."""
    pairs = (value.decode(errors="replace").partition("=") for value in values)
    return {name: int(number) for name, _, number in pairs if number.isascii() and number.isdigit()}


def number(text: str) -> int | None:
    """A number in decimal, None where there is none."""
    return int(text) if text.isascii() and text.isdigit() else None


def _level(level: int | None) -> str:
    return "unknown" if level is None else _newest(_LEVELS, level)


def _newest(names: dict[int, str], level: int) -> str:
    return names.get(level, f"newer than {names[max(known for known in names if known <= level)]}")
