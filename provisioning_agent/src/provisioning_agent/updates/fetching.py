"""Verified files of the portal's update repository: TUF over the agent's own HTTPS session."""

from __future__ import annotations

import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from provisioning_agent.channel.http import PortalHttp
from provisioning_agent.errors import AgentError
from provisioning_agent.files import make_directory
from provisioning_agent.wire.errors import WireError

from .trust import pinned_root

_MAX_TARGET: Final = 32 * 1024 * 1024
_WHEEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{1,150}\.whl\Z")


class SessionFetcher(FetcherInterface):
    """TUF's downloads through our session: same proxy, same authorities, same time limits."""

    def __init__(self, http: PortalHttp) -> None:
        self._http = http

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            yield from self._http.download(url)
        except WireError as error:
            if error.status in (403, 404):
                raise DownloadHTTPError(error.detail, error.status) from error
            raise DownloadError(error.detail) from error


@dataclass(frozen=True, slots=True)
class Release:
    """A verified release: the agent's wheel, and the wheels of dependencies that it carries for hosts like this one."""

    wheel: Path
    carried: tuple[Path, ...] = ()

    def remove(self) -> None:
        """Nothing of it is needed any more."""
        for path in (self.wheel, *self.carried):
            path.unlink(missing_ok=True)


def fetch(http: PortalHttp, state: Path, target: str) -> Release:
    """Download and verify a release; raises ``UpdateRefused`` if anything about it is not as signed.

    The metadata seen last is kept, so that older metadata is refused (rollback) and the clock counts (freeze).
    """
    with _telling():
        make_directory(_downloads(state))
        updater = _refreshed(http, state, _metadata(state))
        wheel, told = _download(updater, state, target)
        names = told.get("wheels") if isinstance(told, Mapping) else None
        wanted = [name for name in names or () if isinstance(name, str) and _WHEEL.match(name) and fits(name)]
        return Release(wheel, tuple(_download(updater, state, name)[0] for name in wanted))


def fits(wheel: str) -> bool:
    """Whether a wheel may be of use here, by the platform in its name (PEP 427); pip has the last word."""
    platform_tag = wheel.removesuffix(".whl").rpartition("-")[2]
    return platform_tag == "any" or platform_tag.endswith(f"_{platform.machine()}")


def _download(updater: Updater, state: Path, target: str) -> tuple[Path, object]:
    found = updater.get_targetinfo(target)
    if found is None or found.length > _MAX_TARGET:
        raise AgentError("UpdateRefused", f"The update repository has no release {target}.")
    path = Path(updater.download_target(found, str(_downloads(state) / target)))
    return path, found.unrecognized_fields.get("custom")


def ends(http: PortalHttp, state: Path) -> dict[str, datetime]:
    """Verify the repository's metadata as an update would, and say when each role's ends; nothing is kept."""
    with tempfile.TemporaryDirectory(prefix="isthmus-updates-") as temporary:
        copy = Path(temporary)
        if _metadata(state).is_dir():
            # What was seen last counts here too: older metadata is refused.
            shutil.copytree(_metadata(state), copy, dirs_exist_ok=True)
        with _telling():
            _refreshed(http, state, copy)
        roles = (Timestamp.type, Snapshot.type, Targets.type, Root.type)
        return {role: Metadata.from_file(str(copy / f"{role}.json")).signed.expires for role in roles}


def _refreshed(http: PortalHttp, state: Path, metadata: Path) -> Updater:
    make_directory(metadata)
    base = http.url("updates")
    updater = Updater(
        metadata_dir=str(metadata),
        metadata_base_url=f"{base}/metadata/",
        target_dir=str(_downloads(state)),
        target_base_url=f"{base}/targets/",
        fetcher=SessionFetcher(http),
        config=UpdaterConfig(app_user_agent="isthmus-agent"),
        bootstrap=pinned_root(state),
    )
    updater.refresh()
    return updater


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except RepositoryError as error:
        raise AgentError("UpdateRefused", f"The update is not as signed ({type(error).__name__}).") from error
    except DownloadError as error:
        raise AgentError(
            "UpdateNotFetched", f"The update did not arrive ({type(error).__name__})."
        ) from error


def _metadata(state: Path) -> Path:
    return state / "updates" / "metadata"


def _downloads(state: Path) -> Path:
    return state / "updates" / "downloads"
