"""What can go wrong between agent and domain controller: stable codes, retry advice, remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provisioning_agent.wire.errors import WireCode, WireError

CODES: Final[Mapping[str, WireCode]] = {
    "AdUnreachable": WireCode(
        502,
        True,
        "No domain controller could be reached; check its name, port 636 and the network in between.",
    ),
    "AdConnectionLost": WireCode(
        502, True, "The domain controller ended the connection in the middle of an answer; it is asked again."
    ),
    "AdCertificateUntrusted": WireCode(
        502,
        False,
        "The domain controller's certificate is not trusted; enrol naming its CA file or its fingerprint.",
    ),
    "AdBindFailed": WireCode(
        401,
        False,
        "The domain controller refused the account; correct the name or password by enrolling again.",
    ),
    "AdAccessDenied": WireCode(
        403, False, "The account may not read what was asked for; grant it read access to the domain."
    ),
    "AdWriteDenied": WireCode(
        403, False, "The account may not change the directory; use a domain administrator's for this step."
    ),
    "AdWriteRefused": WireCode(
        409,
        False,
        "The domain controller refused a change; its reason is in the sentence: a rule for passwords, a name, a place.",
    ),
    "AccountNotOurs": WireCode(
        409,
        False,
        "An account of that name exists that no agent made; choose another name, or name it as existing.",
    ),
    "KdsRootKeyMissing": WireCode(
        409,
        False,
        "The forest has no KDS root key, so no password can be made for a group managed service account; run "
        "Add-KdsRootKey once, wait 10 hours, try again. Or use a managed ordinary account.",
    ),
    # Kerberos: this host is at fault more often than the domain, so another agent may well succeed.
    "KdcUnreachable": WireCode(
        502, True, "No Kerberos server of the domain answers; check port 88, DNS and /etc/krb5.conf."
    ),
    "ClockSkewed": WireCode(
        401, True, "Kerberos refuses this host because of its clock; synchronise it with the domain's."
    ),
    "TicketRefused": WireCode(
        401,
        True,
        "Kerberos refused the account; the sentence names it. Look at its keytab, or whether it is disabled.",
    ),
    "ManagedPasswordDenied": WireCode(
        403,
        True,
        "This host may not have the password of the group managed service account, or the forest has no KDS root "
        "key; run 'isthmus-agent gmsa' with an administrator.",
    ),
    "DescriptorUnreadable": WireCode(
        502,
        False,
        "The permissions of an object can not be read or understood; nothing was changed, do it by hand.",
    ),
    "AccountUnknown": WireCode(
        404, False, "The directory has no such account, or it may not be read; correct its name."
    ),
    "DirSyncNotAllowed": WireCode(
        403,
        False,
        "The account lacks the right 'Replicating Directory Changes' on the domain, so that changes are found by "
        "uSNChanged; grant it to find them by DirSync.",
    ),
    "DirSyncUnsupported": WireCode(
        501,
        False,
        "The server does not answer the DirSync control; point the agent at a writable domain controller.",
    ),
    "AdBusy": WireCode(503, True, "The domain controller says it is busy; it is asked again later."),
    "AdTimeout": WireCode(
        504, True, "The domain controller did not answer in time; it is asked again later."
    ),
    "SizeLimitExceeded": WireCode(
        502,
        False,
        "The domain controller cut the answer off at a limit; raise MaxPageSize or narrow the scope.",
    ),
    "ReferralReceived": WireCode(
        502,
        False,
        "The domain controller referred us elsewhere; enrol with a controller of this very domain.",
    ),
    "ScopeContainerMissing": WireCode(
        404,
        False,
        "A container of the scope is gone or not readable; correct the scope or restore the container.",
    ),
    "ScopeGroupMissing": WireCode(
        404,
        False,
        "A group of the scope is gone, not readable or no group; correct the scope or restore the group.",
    ),
    "AdSearchFailed": WireCode(502, True, "The domain controller answered with an error; see its event log."),
    "AdAnswerUnreadable": WireCode(
        502, True, "The domain controller's answer could not be understood; report this with the agent's log."
    ),
    "DomainMismatch": WireCode(
        409,
        False,
        "The server is a controller of another domain than the one named; correct the domain or the server.",
    ),
    "DeadlinePassed": WireCode(
        504, True, "The answer was not ready before its deadline; it is asked for again."
    ),
}


class DirectoryError(WireError):
    """A failed read of Active Directory; ``code`` is one of ``CODES``."""

    def __init__(self, code: str, detail: str | None = None, *, correlation_id: str | None = None) -> None:
        known = CODES[code]
        super().__init__(
            code,
            detail or known.sentence,
            status=known.status,
            retry=known.retry,
            correlation_id=correlation_id,
        )


# Result codes of RFC 4511 §4.1.9; the rest is AdSearchFailed.
_BY_RESULT: Final[Mapping[int, str]] = {
    3: "AdTimeout",
    4: "SizeLimitExceeded",
    8: "AdAccessDenied",
    9: "ReferralReceived",
    10: "ReferralReceived",
    11: "SizeLimitExceeded",
    49: "AdBindFailed",
    50: "AdAccessDenied",
    51: "AdBusy",
    52: "AdBusy",
}

# The "data" part of AD's bind answers (Win32 error codes).
_BIND_REASONS: Final[Mapping[str, str]] = {
    "525": "there is no such account",
    "52e": "the name or password is wrong",
    "530": "the account may not sign in at this hour",
    "531": "the account may not sign in from this host",
    "532": "its password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "its password has to be changed first",
    "775": "the account is locked out",
}


def from_result(code: int) -> DirectoryError:
    """The error for a search result code that is not success."""
    name = _BY_RESULT.get(code, "AdSearchFailed")
    if name == "AdSearchFailed":
        return DirectoryError(
            name, f"The domain controller answered with LDAP error {code}; see its event log."
        )
    return DirectoryError(name)


def bind_refused(message: str) -> DirectoryError:
    """The error for a refused bind, with AD's reason in words where the server tells it."""
    marker = message.partition("data ")[2].partition(",")[0].strip().lower()
    reason = _BIND_REASONS.get(marker, "the name or password is wrong")
    return DirectoryError(
        "AdBindFailed", f"The domain controller refused the account: {reason}; correct it by enrolling again."
    )
