"""pytest plug-in: real Active Directory forests and a real mailbox as fixtures.

Session forests are shared by all tests: a test that changes one does so inside its own
``playground`` (or undoes what it did) and never counts on the absence of others' objects.
Where Samba is missing and may not be installed, these fixtures fail with one clear sentence.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab import changes
from lab.addresses import leased_address
from lab.forests import AGENT_RIGHTS, prepare
from lab.population import Company
from lab.samba import Right, SambaForest
from lab.smtp import Mailbox

ForestFactory = Callable[..., SambaForest]


def small_company(base_dn: str) -> Company:
    """The company that fills ``forest`` and ``second_forest``."""
    return Company(base_dn, users=60, groups=12, contacts=8, passwords=3, biggest_group=30)


@pytest.fixture(scope="session")
def make_forest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForestFactory]:
    """Call it to start another forest; all are stopped and removed when the session ends.

    Arguments: realm, netbios, and optionally company (a function of the base DN), agent_rights, start, prefix.
    """
    with ExitStack() as stack:

        def make(
            realm: str,
            netbios: str,
            *,
            company: Callable[[str], Company] = small_company,
            agent_rights: Sequence[Right] = AGENT_RIGHTS,
            start: bool = True,
            prefix: Sequence[str] = (),
        ) -> SambaForest:
            address = stack.enter_context(leased_address())
            directory = tmp_path_factory.mktemp(f"forest-{netbios.lower()}")
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            forest = SambaForest(realm, netbios, address, directory, prefix=prefix)
            stack.callback(forest.stop)
            prepare(forest, company(forest.base_dn), agent_rights=agent_rights)
            if start:
                forest.start()
            return forest

        yield make


@pytest.fixture(scope="session")
def forest(make_forest: ForestFactory) -> SambaForest:
    """The forest corp.example with a small company and the service account ``isthmus-agent``."""
    return make_forest("corp.example", "CORP")


@pytest.fixture(scope="session")
def forest_company(forest: SambaForest) -> Company:
    """The company that ``forest`` was filled with."""
    return small_company(forest.base_dn)


@pytest.fixture(scope="session")
def second_forest(make_forest: ForestFactory) -> SambaForest:
    """Another forest, north.example, on another address."""
    return make_forest("north.example", "NORTH")


@pytest.fixture
def playground(forest: SambaForest, request: pytest.FixtureRequest) -> Iterator[str]:
    """DN of an empty OU of ``forest`` for this test alone, removed afterwards with all that is in it."""
    with forest.connect() as connection:
        dn = changes.add_unit(connection, forest.base_dn, f"test {abs(hash(request.node.nodeid)):x}")
    yield dn
    with forest.connect() as connection:
        changes.delete_tree(connection, dn)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A real SMTP server on a free port, empty."""
    with Mailbox() as running:
        yield running


@pytest.fixture
def forest_directory(tmp_path: Path) -> Path:
    """An empty directory for a forest that one test provisions itself."""
    return tmp_path / "forest"
