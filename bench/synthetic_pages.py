"""The pages of a synthetic agent's answers, encoded beforehand: what is measured is who receives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bench.synthetic_population import Population, Resource, resource, tombstone
from provisioning_agent.wire.limits import MAX_PAGE_RESOURCES
from provisioning_agent.wire.pages import AD_SCHEMA, Page, encode_page

FULL: Final = "full"
CHANGES: Final = "changes"
NOTHING: Final = "nothing"
_REPLICA: Final = {"invocationId": "00000000-0000-4000-8000-000000000000", "name": "dc1.synthetic.example"}
# Members of one page at most: a real agent closes a page at 4 MiB of LDAP entries.
_MEMBERS_PER_PAGE: Final = 60_000


def write(directory: Path, population: Population) -> None:
    """Encode the answers to an initial read, to a delta of 1000 changes and to one of none."""
    _write(directory / FULL, population.resources(), "initial", FULL)
    _write(directory / CHANGES, changes(population), "delta", CHANGES)
    _write(directory / NOTHING, (), "delta", NOTHING)


def pages(directory: Path, answer: str) -> list[Path]:
    """The files of one answer, in order."""
    return sorted((directory / answer).iterdir())


def changes(population: Population) -> Iterator[Resource]:
    """1000 changes: 700 new titles, 100 new people, 100 deletions, 100 groups with five in and five out."""
    for number in range(700):
        yield population.user(number, title=f"Chief of {number}")
    yield from map(population.newcomer, range(100))
    for number in range(population.users - 100, population.users):
        yield tombstone("user", population.user_guids[number])
    for number in range(100):
        yield _changed_group(population, number)


def _changed_group(population: Population, number: int) -> Resource:
    guids = population.user_guids
    group = population.group(number)
    members = {
        "whole": False,
        "added": guids[number : number + 5],
        "removed": guids[number + 500 : number + 505],
    }
    return {**resource("group", guid=group["id"], attributes=group[AD_SCHEMA]), "members": members}


def _write(directory: Path, resources: Iterable[Resource], mode: str, watermark: str) -> None:
    directory.mkdir(parents=True)
    waiting = _batches(resources)
    batch: list[Resource] | None = next(waiting, [])
    number = 0
    while batch is not None:
        following = next(waiting, None)
        number += 1
        page = Page(
            resources=batch,
            mode=mode,
            next_cursor=None if following is None else str(number + 1),
            complete=following is None,
            watermark=watermark if following is None else None,
            replica=_REPLICA,
        )
        (directory / f"{number:05d}.json.gz").write_bytes(encode_page(page))
        batch = following


def _batches(resources: Iterable[Resource]) -> Iterator[list[Resource]]:
    batch: list[Resource] = []
    members = 0
    for one in resources:
        size = len(one.get("members", {}).get("added", ()))
        if len(batch) == MAX_PAGE_RESOURCES or (batch and members + size > _MEMBERS_PER_PAGE):
            yield batch
            batch, members = [], 0
        batch.append(one)
        members += size
    yield batch
