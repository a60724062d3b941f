from __future__ import annotations

from collections.abc import Iterator

import pytest
from ldap3 import Connection
from ldap3.core.exceptions import LDAPNoSuchObjectResult

from lab import changes
from lab.samba import Account, SambaForest

pytestmark = pytest.mark.forest


@pytest.fixture
def admin(forest: SambaForest) -> Iterator[Connection]:
    with forest.connect() as connection:
        yield connection


def test_a_renamed_and_moved_user_stays_the_same_object(admin: Connection, playground: str) -> None:
    dn = changes.add_user(admin, playground, "Weiß, Ines", "iweiss", {"title": "Clerk"})
    guid = changes.object_guid(admin, dn)
    unit = changes.add_unit(admin, playground, "R+D; #2")
    renamed = changes.rename(admin, dn, 'Weiß-Olsen, "Ines"')
    moved = changes.move(admin, renamed, unit)
    assert changes.object_guid(admin, moved) == guid
    assert moved.endswith(unit)
    assert changes.read(admin, moved, "title", "name") == {"title": ["Clerk"], "name": ['Weiß-Olsen, "Ines"']}


def test_an_attribute_is_set_and_cleared(admin: Connection, playground: str) -> None:
    dn = changes.add_user(admin, playground, "Setter", "setter")
    changes.set_attribute(admin, dn, "title", "Größer")
    assert changes.read(admin, dn, "title") == {"title": ["Größer"]}
    changes.clear_attribute(admin, dn, "title")
    assert changes.read(admin, dn, "title") == {"title": []}


def test_an_account_is_disabled_and_enabled_again(admin: Connection, playground: str) -> None:
    dn = changes.add_user(admin, playground, "On Off", "onoff")
    changes.disable(admin, dn)
    assert changes.read(admin, dn, "userAccountControl") == {"userAccountControl": ["546"]}
    changes.enable(admin, dn)
    assert changes.read(admin, dn, "userAccountControl") == {"userAccountControl": ["544"]}


def test_members_come_and_go(admin: Connection, playground: str) -> None:
    users = [changes.add_user(admin, playground, f"Member, {n}", f"member{n}") for n in range(3)]
    group = changes.add_group(admin, playground, "C++ Guild", "cppguild", users[:1])
    changes.add_members(admin, group, *users[1:])
    changes.remove_members(admin, group, users[0])
    assert sorted(changes.read(admin, group, "member")["member"]) == sorted(users[1:])


def test_renaming_a_unit_takes_its_children_along(admin: Connection, playground: str) -> None:
    unit = changes.add_unit(admin, playground, "Old, Name")
    dn = changes.add_user(admin, unit, "Child", "child")
    guid = changes.object_guid(admin, dn)
    renamed = changes.rename(admin, unit, "New Name")
    assert changes.object_guid(admin, f"CN=Child,{renamed}") == guid


def test_a_deleted_object_is_gone(admin: Connection, playground: str) -> None:
    dn = changes.add_user(admin, playground, "Gone", "gone")
    changes.delete(admin, dn)
    with pytest.raises(LDAPNoSuchObjectResult):
        changes.object_guid(admin, dn)


def test_a_new_password_works_at_once(forest: SambaForest, admin: Connection, playground: str) -> None:
    dn = changes.add_user(admin, playground, "Pass Word", "passw")
    changes.set_password(admin, dn, "Lab-pässword-9")
    account = Account("passw", dn, f"passw@{forest.dns_name}", "Lab-pässword-9")
    with forest.connect(account) as connection:
        assert connection.bound
