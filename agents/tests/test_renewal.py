from __future__ import annotations

import pytest

from agents.bootstrap import bootstrap
from agents.facts import HostFacts
from agents.models import Agent
from agents.renewal import renew
from agents.revocation import revoke
from agents.tests.cast import later, make_agent, make_csr, new_key
from provisioning_agent.wire.errors import WireError

FACTS = HostFacts("srv1", "0.1.0", "Debian", None)
pytestmark = pytest.mark.django_db


def test_a_renewal_is_advised_and_possible_in_the_last_thirty_days_only() -> None:
    member = make_agent()
    early, due = later(days=149), later(days=150)
    assert not bootstrap(member.identity(), FACTS, {}, early).renew_certificate
    with pytest.raises(WireError) as caught:
        renew(member.identity(), make_csr(new_key()), early)
    assert (caught.value.code, caught.value.status) == ("RenewalTooEarly", 409)
    assert bootstrap(member.identity(), FACTS, {}, due).renew_certificate
    assert renew(member.identity(), make_csr(new_key()), due).certificate_not_after == later(days=330)


def test_a_renewal_whose_answer_was_lost_can_be_repeated_with_the_same_key() -> None:
    member, key, now = make_agent(), new_key(), later(days=160)
    old = member.identity()
    first = renew(old, make_csr(key), now).certificate
    assert renew(old, make_csr(key), later(days=160, minutes=1)).certificate == first


def test_another_key_after_a_lost_answer_replaces_the_certificate_nobody_has() -> None:
    member, now = make_agent(), later(days=160)
    old = member.identity()
    first = renew(old, make_csr(new_key()), now)
    second = renew(old, make_csr(new_key()), now)
    assert first.certificate_thumbprint != second.certificate_thumbprint
    assert Agent.objects.get().previous_thumbprint == old.thumbprint


def test_a_revoked_agent_is_not_renewed() -> None:
    member, now = make_agent(), later(days=160)
    identity = member.identity()
    revoke(member.agent, now)
    with pytest.raises(WireError, match="AgentRevoked"):
        renew(identity, make_csr(new_key()), now)
