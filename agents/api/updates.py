"""``GET updates/…``: the files of the update repository. They are signed, so whoever asks may have them."""

from __future__ import annotations

from agents.api.http import Call, Reply
from agents.api.service import Service
from agents.errors import refusal
from agents.updates import repository


async def get_file(service: Service, call: Call, path: str) -> Reply:
    """One file of metadata, or one release."""
    content = await service.threads.run(repository.read, path)
    if content is None:
        raise refusal("UpdateFileUnknown")
    return Reply(200, content, "application/octet-stream")
