"""The domain controller is away, refuses the password, or shows another certificate: told, and nothing is removed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import changes
from lab.population import Company
from lab.pytest_forest import ForestFactory
from tests.sites import Installation, Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]


@pytest.fixture(scope="module")
def branch(
    installation: Installation, make_forest: ForestFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A small company in sync, with two agents."""

    def company(base_dn: str) -> Company:
        return Company(base_dn, users=25, groups=6, contacts=3, biggest_group=10)

    forest = make_forest("branch.example", "BRANCH", company=company)
    site = Site(installation, forest, company(forest.base_dn), tmp_path_factory.mktemp("branch"))
    try:
        site.add_agent("branch-1")
        site.add_agent("branch-2")
        site.configure()
        site.first_cycle()
        yield site
        site.remove()
    finally:
        site.stop()


@pytest.fixture
def nothing_is_removed(branch: Site) -> Iterator[None]:
    """The directory is the same, row for row, after the trouble; and the trouble has passed."""
    branch.installation.mailbox.clear()
    before = branch.in_cloud()
    yield
    assert branch.in_cloud() == before
    assert branch.job["state"] == "active"
    assert branch.cycle_now()["count_planned"] == 0


@pytest.mark.usefixtures("nothing_is_removed")
def test_a_domain_controller_that_is_away_fails_the_cycle_until_it_is_back(branch: Site) -> None:
    branch.forest.stop()
    try:
        failed = branch.next_cycle("failed")
    finally:
        branch.forest.start()
    assert failed["error_code"] == "AdUnreachable"
    assert "could not be reached" in failed["error_detail"]
    branch.until(lambda: branch.job["failures_in_a_row"] == 0, "the next scheduled cycle is good")
    assert branch.mails() == []


@pytest.mark.usefixtures("nothing_is_removed")
def test_a_wrong_password_quarantines_the_job_until_it_is_right(branch: Site) -> None:
    account = branch.forest.account("isthmus-agent")
    with branch.forest.connect() as connection:
        # Twice: a domain controller may still take the password before the last.
        for other in ("Another-1-Password!", "Another-2-Password!"):
            changes.set_password(connection, account.dn, other)
    failed = branch.next_cycle("failed")
    assert failed["error_code"] == "AdBindFailed"
    assert (branch.job["state"], branch.job["state_reason"]) == ("quarantined", "AdBindFailed")

    with branch.forest.connect() as connection:
        changes.set_password(connection, account.dn, account.password)
    branch.until(lambda: branch.job["state"] == "active", "the job left its quarantine by itself")
    [mail] = branch.wait_for_mails(1)
    assert mail["Subject"].endswith("(AdBindFailed)")


@pytest.mark.usefixtures("nothing_is_removed")
def test_an_untrusted_certificate_is_refused_until_its_authority_is_known(branch: Site) -> None:
    branch.forest.renew_certificate()
    branch.forest.restart()
    failed = branch.next_cycle("failed")
    assert failed["error_code"] == "AdCertificateUntrusted"
    assert (branch.job["state"], branch.job["state_reason"]) == ("quarantined", "AdCertificateUntrusted")
    [mail] = branch.wait_for_mails(1)
    assert mail["Subject"].endswith("(AdCertificateUntrusted)")

    # The same reason once more is no news.
    branch.cycle_now("failed")
    for agent in branch.agents:
        agent.enrol_again()
    branch.cycle_now()
    assert branch.written_mails() == {"AdBindFailed": 1, "AdCertificateUntrusted": 1}
