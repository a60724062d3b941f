"""Whether what is stored of a domain is enough for another scope or mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from uuid import UUID

from provisioning.engine import questions
from provisioning.engine.names import Path, lies_in, path
from provisioning.engine.questions import Question
from provisioning.models import Configuration, Job, JobKind
from provisioning.store import scope_names

INCOMPLETE: Final = "No complete read has been stored; objects may be missing."

Within = Callable[[str], bool]
"""Whether an object with this DN lies in the scope's containers."""


def object_job(configuration: Configuration) -> Job:
    """The job whose cycles read objects."""
    return Job.objects.get(configuration=configuration, kind=JobKind.OBJECTS)


def gaps(job: Job, needed: Question) -> list[str]:
    """Why everything has to be read before objects can be evaluated; each a sentence, none where it has not."""
    answered = Question.from_json(job.question)
    if answered is None:
        return [INCOMPLETE]
    return questions.gaps(answered, needed, lambda guids: _paths(job.configuration_id, guids))


def within(job: Job, needed: Question) -> Within:
    """The test of stored objects against other containers; nothing is left out where that can not be told."""
    answered = Question.from_json(job.question)
    if answered is None or not questions.narrows(answered, needed):
        return _everywhere
    paths = _paths(job.configuration_id, needed.containers)
    if len(paths) < len(set(needed.containers)):
        return _everywhere
    return lambda dn: any(lies_in(path(dn), one) for one in paths.values())


def _everywhere(_dn: str) -> bool:
    return True


def _paths(configuration: UUID, guids: Iterable[str]) -> Mapping[str, Path]:
    return {guid: path(dn) for guid, dn in scope_names.told(configuration, guids).items()}
