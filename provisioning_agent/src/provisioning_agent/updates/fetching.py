"""Verified files of the portal's update repository: TUF over the agent's own HTTPS session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from provisioning_agent.channel.http import PortalHttp
from provisioning_agent.errors import AgentError
from provisioning_agent.files import make_directory
from provisioning_agent.wire.errors import WireError

from .trust import pinned_root

_MAX_TARGET: Final = 32 * 1024 * 1024


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


def fetch(http: PortalHttp, state: Path, target: str) -> Path:
    """Download and verify a release; raises ``UpdateRefused`` if anything about it is not as signed.

    The metadata seen last is kept, so that older metadata is refused (rollback) and the clock counts (freeze).
    """
    directory = state / "updates"
    metadata, downloads = directory / "metadata", directory / "downloads"
    make_directory(metadata)
    make_directory(downloads)
    base = http.url("updates")
    try:
        updater = Updater(
            metadata_dir=str(metadata),
            metadata_base_url=f"{base}/metadata/",
            target_dir=str(downloads),
            target_base_url=f"{base}/targets/",
            fetcher=SessionFetcher(http),
            config=UpdaterConfig(app_user_agent="isthmus-agent"),
            bootstrap=pinned_root(state),
        )
        updater.refresh()
        found = updater.get_targetinfo(target)
        if found is None or found.length > _MAX_TARGET:
            raise AgentError("UpdateRefused", f"The update repository has no release {target}.")
        return Path(updater.download_target(found, str(downloads / target)))
    except RepositoryError as error:
        raise AgentError("UpdateRefused", f"The update is not as signed ({type(error).__name__}).") from error
    except DownloadError as error:
        raise AgentError(
            "UpdateNotFetched", f"The update did not arrive ({type(error).__name__})."
        ) from error
