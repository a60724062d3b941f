"""What the wizard has to know, as a person or a YAML file answers it. Pure; secrets are named by their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from provisioning_agent.accounts import group_managed
from provisioning_agent.accounts.ordinary import NAME_LIMIT, default_name, is_name
from provisioning_agent.errors import AgentError
from provisioning_agent.permissions.sets import find_set, set_names

DEFAULT_SETS: Final = ("BasicRead", "ReadDeleted")
FROM_DNS: Final = "dns"
HOST_KEYTAB: Final = Path("/etc/krb5.keytab")
BY_TOKEN: Final = "token"  # noqa: S105  # the name of a way, no secret
DEVICE_CODE: Final = "device-code"
_TOP: Final = frozenset(
    {
        "portal",
        "portal_ca_file",
        "proxy",
        "proxy_credentials_file",
        "sign_in",
        "token_file",
        "name",
        "nameserver",
        "domains",
    }
)
_DOMAIN: Final = frozenset(
    {
        "domain",
        "servers",
        "ca_file",
        "fingerprint",
        "admin_user",
        "admin_password_file",
        "account",
        "permissions",
    }
)
_ACCOUNT: Final = frozenset({"kind", "name", "container", "user", "password_file", "keytab", "host"})


@dataclass(frozen=True, slots=True)
class AccountAnswers:
    """Managed: ``name`` and ``container``. Existing: ``user`` and ``password_file``.

    Group managed: ``name``, the host's ``keytab``, and ``host``, its computer account, unless the keytab tells.
    """

    managed: bool
    name: str = ""
    container: str | None = None
    user: str = ""
    password_file: Path | None = None
    keytab: Path | None = None
    host: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether nobody else uses the account."""
        return self.managed or self.keytab is not None


@dataclass(frozen=True, slots=True)
class DomainAnswers:
    """One domain; among ``servers``, ``dns`` stands for those that DNS names.

    No ``admin_user``: an administrator does it by hand.
    """

    fqdn: str
    account: AccountAnswers
    servers: tuple[str, ...] = (FROM_DNS,)
    ca_file: Path | None = None
    fingerprint: str | None = None
    admin_user: str | None = None
    admin_password_file: Path = Path("-")
    permissions: tuple[str, ...] = DEFAULT_SETS

    @property
    def principal(self) -> str:
        """The name that the agent signs in with."""
        account = self.account
        if account.keytab is not None:
            return f"{account.name}$@{self.fqdn}"
        return f"{account.name}@{self.fqdn}" if account.managed else account.user

    @property
    def trustee(self) -> str:
        """The name that permissions are granted to by hand."""
        account = self.account
        return f"{self.fqdn}\\{account.name}$" if account.keytab is not None else self.principal


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything; ``nameserver`` is ``address[:port]`` where the host's own does not know the domains."""

    portal: str
    domains: tuple[DomainAnswers, ...]
    portal_ca_file: Path | None = None
    token_file: Path | None = None
    name: str | None = None
    nameserver: str | None = None
    proxy: str | None = None
    proxy_credentials_file: Path | None = None
    # None: a token where one is given, else whoever is at the terminal is asked.
    sign_in: str | None = None


def load(path: Path) -> Answers:
    """The answers in a YAML file."""
    try:
        return parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError("AnswersInvalid", f"{path} can not be read.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise AgentError("AnswersInvalid", f"{path}{where}: this is not YAML.") from error


def parse(body: object) -> Answers:
    """Check the shape of everything and name what is wrong by its place."""
    top = _mapping(body, "the file", _TOP)
    domains = top.get("domains")
    if not isinstance(domains, list) or not domains:
        raise _wrong("domains", "has to be a list of at least one domain")
    return Answers(
        portal=_required(top, "portal", ""),
        domains=tuple(_domain(one, f"domains[{number}]") for number, one in enumerate(domains)),
        portal_ca_file=_path(top, "portal_ca_file", ""),
        token_file=_path(top, "token_file", ""),
        name=_text(top, "name", ""),
        nameserver=_text(top, "nameserver", ""),
        proxy=_text(top, "proxy", ""),
        proxy_credentials_file=_path(top, "proxy_credentials_file", ""),
        sign_in=_sign_in(top),
    )


def _sign_in(top: Mapping[str, Any]) -> str | None:
    how = _text(top, "sign_in", "")
    if how not in (None, BY_TOKEN, DEVICE_CODE):
        raise _wrong("sign_in", f"is {BY_TOKEN} or {DEVICE_CODE}")
    return how


def _domain(body: object, at: str) -> DomainAnswers:
    found = _mapping(body, at, _DOMAIN)
    answers = DomainAnswers(
        fqdn=_required(found, "domain", at).lower().rstrip("."),
        account=_account(found.get("account", {}), f"{at}.account"),
        servers=_texts(found, "servers", at) or (FROM_DNS,),
        ca_file=_path(found, "ca_file", at),
        fingerprint=_text(found, "fingerprint", at),
        admin_user=_text(found, "admin_user", at),
        admin_password_file=_path(found, "admin_password_file", at) or Path("-"),
        permissions=_sets(found, at),
    )
    if answers.ca_file and answers.fingerprint:
        raise _wrong(at, "trusts by ca_file or by fingerprint, not by both")
    if answers.account.managed and answers.admin_user is None:
        raise _wrong(f"{at}.admin_user", "is needed to make a managed account; else name an existing one")
    return answers


def _account(body: object, at: str) -> AccountAnswers:
    found = _mapping(body, at, _ACCOUNT)
    kind = found.get("kind", "managed")
    if kind == "existing":
        file = _path(found, "password_file", at)
        return AccountAnswers(False, user=_required(found, "user", at), password_file=file or Path("-"))
    if kind == "gmsa":
        return _group_managed(found, at)
    if kind != "managed":
        raise _wrong(f"{at}.kind", "is managed, gmsa or existing")
    name = _text(found, "name", at) or default_name()
    if not is_name(name):
        raise _wrong(f"{at}.name", f"has to be 1 to {NAME_LIMIT} characters that a logon name may have")
    return AccountAnswers(True, name=name, container=_text(found, "container", at))


def _group_managed(found: Mapping[str, Any], at: str) -> AccountAnswers:
    name = (_text(found, "name", at) or group_managed.DEFAULT_NAME).removesuffix("$")
    if not is_name(name) or len(name) > group_managed.NAME_LIMIT:
        raise _wrong(f"{at}.name", f"has to be 1 to {group_managed.NAME_LIMIT} characters")
    keytab = _path(found, "keytab", at) or HOST_KEYTAB
    return AccountAnswers(False, name=name, keytab=keytab, host=_text(found, "host", at))


def _sets(found: Mapping[str, Any], at: str) -> tuple[str, ...]:
    names = _texts(found, "permissions", at)
    if names is None:
        return DEFAULT_SETS
    for name in names:
        if find_set(name) is None:
            raise _wrong(f"{at}.permissions", f"has {name}; choose from {', '.join(set_names())}")
    return tuple(known for name in names if (known := find_set(name)))


def _mapping(body: object, at: str, known: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise _wrong(at, "has to be a mapping")
    for name in body:
        if name not in known:
            raise _wrong(f"{at}: {name}", f"is not known; known are {', '.join(sorted(known))}")
    return body


def _required(found: Mapping[str, Any], name: str, at: str) -> str:
    text = _text(found, name, at)
    if text is None:
        raise _wrong(f"{at}.{name}".lstrip("."), "is missing")
    return text


def _text(found: Mapping[str, Any], name: str, at: str) -> str | None:
    value = found.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise _wrong(f"{at}.{name}".lstrip("."), "has to be text")
    return value.strip()


def _texts(found: Mapping[str, Any], name: str, at: str) -> tuple[str, ...] | None:
    values = found.get(name)
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        raise _wrong(f"{at}.{name}", "has to be a list of texts")
    return tuple(values)


def _path(found: Mapping[str, Any], name: str, at: str) -> Path | None:
    text = _text(found, name, at)
    return Path(text) if text else None


def _wrong(at: str, why: str) -> AgentError:
    return AgentError("AnswersInvalid", f"{at} {why}.")
