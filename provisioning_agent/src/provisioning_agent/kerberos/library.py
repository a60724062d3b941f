"""The library: ``gssapi``, which is MIT's Kerberos. Loaded when it is needed, because few agents need it."""

from __future__ import annotations

import importlib
from typing import Any

from provisioning_agent.errors import AgentError
from provisioning_agent.ldap.errors import DirectoryError

# RFC 4120 §7.5.9 as MIT numbers them (krb5.h), and MIT's own for what never reached a KDC.
_BASE = -1765328384
_UNREACHABLE = frozenset({_BASE + 156, _BASE + 154})
_SKEWED = _BASE + 37
# Pre-authentication failed, and the key does not decrypt the answer: the password is another one.
_WRONG_PASSWORD = frozenset({_BASE + 24, _BASE + 31})


def load() -> Any:
    """The package ``gssapi``; ``KerberosMissing`` says how to get it."""
    try:
        return importlib.import_module("gssapi")
    except ImportError as error:
        raise AgentError("KerberosMissing") from error


def failure(error: Any, principal: str) -> DirectoryError:
    """What a GSSAPI error means; its text names principals and realms and holds no secret."""
    code = _signed(getattr(error, "min_code", 0))
    said = " ".join(str(error).split())
    if code in _UNREACHABLE:
        return DirectoryError("KdcUnreachable", f"No Kerberos server answers for {principal}: {said}")
    if code == _SKEWED:
        return DirectoryError("ClockSkewed")
    return DirectoryError("TicketRefused", f"Kerberos refused {principal}: {said}")


def is_wrong_password(error: Any) -> bool:
    """Whether another password could do."""
    return _signed(getattr(error, "min_code", 0)) in _WRONG_PASSWORD


def _signed(code: int) -> int:
    return code - (1 << 32) if code >= 1 << 31 else code
