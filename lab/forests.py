"""Ready-made forests: provisioned and filled once, kept, and copied for every later use."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lab import packages
from lab.population import Company
from lab.processes import run
from lab.samba import Right, SambaForest

CACHE = Path(__file__).resolve().parents[1] / "var" / "lab-cache"
KEPT = 20
AGENT_RIGHTS: tuple[Right, ...] = ("get-changes", "read-deleted")
# What a forest's content depends on besides its parameters.
_SOURCES = ("names.py", "dn.py", "population.py", "samba.py", "samba_offline.py", "smb_conf.py")


def prepare(
    forest: SambaForest,
    company: Company,
    *,
    agent_rights: Sequence[Right] = AGENT_RIGHTS,
    cache: Path = CACHE,
) -> SambaForest:
    """Put a forest with the company and a service account ``isthmus-agent`` into the forest's directory.

    The first time it is provisioned and filled (about 10 s for 500 users); afterwards it is copied from
    the cache (about 0.2 s), with a certificate and an address of its own. Not started.
    """
    packages.ensure(*packages.SAMBA)
    kept = cache / _key(forest, company, agent_rights)
    if not kept.exists():
        _build(forest, company, agent_rights, kept)
        _prune(cache, keep=kept)
    kept.touch()
    shutil.copytree(kept, forest.directory, dirs_exist_ok=True)
    forest.adopt()
    forest.renew_certificate()
    return forest


def _build(forest: SambaForest, company: Company, rights: Sequence[Right], kept: Path) -> None:
    """Make the forest in a directory beside its final place and rename it: nobody sees half of one."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="new-") as temporary:
        place = Path(temporary) / "forest"
        draft = SambaForest(
            forest.realm,
            forest.netbios,
            forest.address,
            place,
            host=forest.host,
            backend=forest.backend,
            prefix=forest.prefix,
        )
        draft.provision()
        draft.add_offline(company.entries())
        draft.create_service_account(rights=rights)
        try:
            place.rename(kept)
        except OSError:
            # Somebody else built the same one meanwhile; theirs is as good. Anything else is an error.
            if not kept.exists():
                raise


def _key(forest: SambaForest, company: Company, rights: Sequence[Right]) -> str:
    here = Path(__file__).parent
    what = {
        "forest": [forest.realm, forest.netbios, forest.host, forest.backend],
        "company": asdict(company),
        "rights": list(rights),
        "sources": [hashlib.sha256((here / name).read_bytes()).hexdigest() for name in _SOURCES],
        "samba": run([*forest.prefix, "samba", "--version"]),
    }
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
    return f"{forest.realm.lower()}-{company.users}-{digest}"


def _prune(cache: Path, keep: Path) -> None:
    """Remove the forests that were not used for the longest time."""
    forests = [path for path in cache.iterdir() if path.is_dir() and not path.name.startswith("new-")]
    forests.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in forests[KEPT:]:
        if path != keep:
            shutil.rmtree(path, ignore_errors=True)
