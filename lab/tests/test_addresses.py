from __future__ import annotations

import socket

import pytest

from lab.addresses import busy_port, leased_address, require_free
from lab.errors import LabError


def test_two_leases_at_once_have_different_addresses() -> None:
    with leased_address() as one, leased_address() as other:
        assert one != other


def test_an_address_in_use_is_named_with_its_port() -> None:
    with leased_address() as address, socket.create_server((address, 636)):
        assert busy_port(address) == 636
        with pytest.raises(LabError, match=f"Port 636 of {address}") as caught:
            require_free(address)
    assert caught.value.code == "LabAddressBusy"
