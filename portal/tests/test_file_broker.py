"""The embedded broker, with many senders and takers at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from portal.file_broker import Channel

MESSAGES, SENDERS, TAKERS = 150, 4, 3


@pytest.fixture
def open_channel(tmp_path: Path) -> Callable[[], Channel]:
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "control_folder": str(tmp_path / "control"),
    }

    def opened() -> Channel:
        connection = Connection(transport="portal.file_broker:Transport", transport_options=options)
        channel = connection.channel()
        assert isinstance(channel, Channel)
        return channel

    return opened


def test_every_message_is_taken_once_however_many_send_and_take(open_channel: Callable[[], Channel]) -> None:
    def send(sender: int) -> None:
        channel = open_channel()
        for number in range(MESSAGES):
            channel._put("work", {"message": [sender, number], "padding": "x" * 2_000})

    def take(_: int) -> list[tuple[int, int]]:
        channel, taken, idle = open_channel(), [], 0
        while idle < 50:
            try:
                taken.append(tuple(channel._get("work")["message"]))
                idle = 0
            except Empty:
                idle += 1
        return taken

    with ThreadPoolExecutor(SENDERS + TAKERS) as pool:
        takers = [pool.submit(take, number) for number in range(TAKERS)]
        for sending in [pool.submit(send, number) for number in range(SENDERS)]:
            sending.result()
        taken = [one for taker in takers for one in taker.result()]
    channel = open_channel()
    while True:
        try:
            taken.append(tuple(channel._get("work")["message"]))
        except Empty:
            break
    assert sorted(taken) == [(sender, number) for sender in range(SENDERS) for number in range(MESSAGES)]


def test_messages_come_in_the_order_they_were_sent_and_by_queue(open_channel: Callable[[], Channel]) -> None:
    channel = open_channel()
    for number in range(5):
        channel._put("work", {"number": number})
    channel._put("other", {"number": 99})
    assert [channel._get("work")["number"] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(Empty):
        channel._get("work")


def test_an_unreadable_message_is_dropped_and_stops_nobody(
    open_channel: Callable[[], Channel], tmp_path: Path
) -> None:
    (tmp_path / "queue" / "0.work.msg").touch()
    channel = open_channel()
    channel._put("work", {"number": 1})
    assert channel._get("work") == {"number": 1}
    assert list((tmp_path / "queue").iterdir()) == []
