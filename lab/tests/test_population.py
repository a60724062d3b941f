from __future__ import annotations

from collections import Counter

from ldap3.utils.dn import parse_dn

from lab import names
from lab.population import Company

BASE = "DC=corp,DC=example"


def test_the_same_parameters_give_the_same_company() -> None:
    assert list(Company(BASE, users=40).entries()) == list(Company(BASE, users=40).entries())


def test_another_seed_gives_another_company() -> None:
    assert list(Company(BASE, users=40, seed=1).entries()) != list(Company(BASE, users=40, seed=2).entries())


def test_sizes_are_what_was_asked_for() -> None:
    kinds = Counter(entry.attributes["objectClass"][0] for entry in Company(BASE).entries())
    assert kinds == {"user": 500, "group": 40, "contact": 25, "organizationalUnit": 12}


def test_everything_an_entry_points_at_came_before_it() -> None:
    seen = {BASE}
    for entry in Company(BASE).entries():
        parent = _parent(entry.dn)
        assert parent in seen
        assert set(entry.attributes.get("manager", [])) <= seen
        assert set(entry.attributes.get("member", [])) <= seen
        seen.add(entry.dn)


def test_account_names_are_unique_and_fit_active_directory() -> None:
    accounts = [Company(BASE, users=3000).account_name(number) for number in range(3000)]
    assert len(set(accounts)) == 3000
    assert all(len(account) <= 20 and account.isascii() and account.isalnum() for account in accounts)


def test_even_a_small_company_has_every_awkward_name() -> None:
    company = Company(BASE, users=len(names.AWKWARD))
    found = {company.user(number).attributes["cn"][0] for number in range(company.users)}
    assert found == {common_name for _, _, common_name in names.AWKWARD}


def test_some_accounts_are_disabled_and_some_groups_hold_groups() -> None:
    entries = list(Company(BASE).entries())
    disabled = [entry for entry in entries if entry.attributes.get("userAccountControl") == ["514"]]
    nested = [
        entry for entry in entries if any("OU=Groups" in dn for dn in entry.attributes.get("member", []))
    ]
    assert len(disabled) > 20
    assert len(nested) > 5


def test_only_the_first_users_have_passwords_and_those_stay_out_of_the_representation() -> None:
    company = Company(BASE, passwords=2)
    secrets = [company.user(number).password for number in range(4)]
    assert [secret is not None for secret in secrets] == [True, True, False, False]
    assert str(secrets[0]) not in repr(company.user(0))


def test_every_dn_can_be_parsed() -> None:
    for entry in Company(BASE, users=60).entries():
        assert parse_dn(entry.dn)[-1][:2] == ("DC", "example")


def _parent(dn: str) -> str:
    position = 0
    while dn[position] != ",":
        position += 2 if dn[position] == "\\" else 1
    return dn[position + 1 :]
