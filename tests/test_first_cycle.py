from __future__ import annotations

import pytest

from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]

def test_try(corp: Site) -> None:
    corp.configure(delete_threshold=5)
    print(corp.first_cycle())
    ad, cloud = corp.in_active_directory(), corp.in_cloud()
    assert set(ad)==set(cloud)
    for guid in ad:
        assert ad[guid]==cloud[guid]
