"""The TUF repository: four roles, signed metadata, files as rows. Whoever writes holds the roles' rows.

The root's key signs which keys the other roles have. It is made by ``create_update_repository``, given to a person
and never kept here. The other keys are sealed at rest and sign by themselves, because releases are published and
the timestamp is renewed without a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.db import transaction
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from agents.errors import refusal
from agents.models import UpdateFile, UpdateKey
from agents.sealing import SealBroken, seal, unseal

ONLINE_ROLES: Final = (Targets.type, Snapshot.type, Timestamp.type)
LIFETIME: Final[Mapping[str, timedelta]] = {
    Root.type: timedelta(days=730),
    Targets.type: timedelta(days=180),
    Snapshot.type: timedelta(days=30),
    Timestamp.type: timedelta(days=7),
}
# Agents in the middle of a download still find what their timestamp named.
_VERSIONS_KEPT: Final = 5


def exists() -> bool:
    """Whether there is a repository."""
    return UpdateFile.objects.filter(path="metadata/1.root.json").exists()


def create(now: datetime) -> bytes:
    """Make keys and first metadata; returns the root's private key (PEM), which is kept nowhere else."""
    root_signer = CryptoSigner.generate_ed25519()
    signers = {role: CryptoSigner.generate_ed25519() for role in ONLINE_ROLES}
    root = Root(version=1, expires=_expiry(Root.type, now), consistent_snapshot=True)
    root.add_key(root_signer.public_key, Root.type)
    for role, signer in signers.items():
        root.add_key(signer.public_key, role)
    with transaction.atomic():
        for role, signer in signers.items():
            UpdateKey.objects.create(role=role, sealed_key=seal(signer.private_bytes))
        _write("metadata/1.root.json", _signed(root, root_signer))
        _write_online(signers, Targets(version=1), Snapshot(version=1), Timestamp(version=1), now)
    return root_signer.private_bytes


def renew_root(root_key: bytes, now: datetime) -> int:
    """A new version of the root with a new end, signed with the root's key; returns its version."""
    with transaction.atomic():
        _lock()
        return _sign_root(_root(), _signer(root_key), now)


def rotate(root_key: bytes, roles: Collection[str], now: datetime) -> int:
    """New keys for these online roles, named by a new root; returns its version. Agents then refuse the old keys.

    Raises ``ValueError`` if that is not the root's key. The old keys need not be opened.
    """
    with transaction.atomic():
        rows = {row.role: row for row in UpdateKey.objects.select_for_update().order_by("role")}
        signers = _opened(row for role, row in rows.items() if role not in roles)
        root = _root()
        for role in sorted(roles):
            signers[role] = CryptoSigner.generate_ed25519()
            for old in list(root.roles[role].keyids):
                root.revoke_key(old, role)
            root.add_key(signers[role].public_key, role)
            rows[role].sealed_key = seal(signers[role].private_bytes)
            rows[role].save(update_fields=["sealed_key"])
        number = _sign_root(root, _signer(root_key), now)
        targets = _current(Targets.type).signed
        if Targets.type in roles:
            targets.version += 1
        _write_online(signers, targets, _next(Snapshot.type), _next(Timestamp.type), now)
    return number


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A file to publish, and what is said about it in the signed metadata."""

    name: str
    content: bytes
    custom: Mapping[str, Any] = field(default_factory=dict)


def add_targets(new: Sequence[NewTarget], now: datetime) -> list[TargetFile]:
    """Publish files; inside the caller's transaction. Agents see all of them or none.

    Raises ``ValueError`` for another file of a name that is taken.
    """
    signers = _lock()
    targets = _current(Targets.type).signed
    added = [_add(targets, one) for one in new]
    targets.version += 1
    _write_online(signers, targets, _next(Snapshot.type), _next(Timestamp.type), now)
    return added


def _add(targets: Targets, new: NewTarget) -> TargetFile:
    target = TargetFile.from_data(new.name, new.content, ["sha256"])
    target.unrecognized_fields["custom"] = dict(new.custom)
    there = targets.targets.setdefault(new.name, target)
    if there.hashes != target.hashes:
        raise ValueError(f"Another file is published as {new.name}.")
    _write(f"targets/{target.hashes['sha256']}.{new.name}", new.content)
    return target


def refresh(now: datetime) -> bool:
    """Sign anew what has lived half its life; returns whether anything had."""
    with transaction.atomic():
        if not UpdateKey.objects.exists():
            return False
        signers = _lock()
        if not any(_is_aging(role, now) for role in ONLINE_ROLES):
            return False
        targets = _current(Targets.type).signed
        if _is_aging(Targets.type, now):
            targets.version += 1
        _write_online(signers, targets, _next(Snapshot.type), _next(Timestamp.type), now)
    return True


def read(path: str) -> bytes | None:
    """A file as agents get it, None if there is none of that name."""
    found = UpdateFile.objects.filter(path=path).values_list("content", flat=True).first()
    return None if found is None else bytes(found)


def _write_online(
    signers: Mapping[str, CryptoSigner],
    targets: Targets,
    snapshot: Snapshot,
    timestamp: Timestamp,
    now: datetime,
) -> None:
    if read(f"metadata/{targets.version}.targets.json") is None:
        targets.expires = _expiry(Targets.type, now)
        _write(f"metadata/{targets.version}.targets.json", _signed(targets, signers[Targets.type]))
    snapshot.meta["targets.json"] = MetaFile(version=targets.version)
    snapshot.expires = _expiry(Snapshot.type, now)
    _write(f"metadata/{snapshot.version}.snapshot.json", _signed(snapshot, signers[Snapshot.type]))
    timestamp.snapshot_meta = MetaFile(version=snapshot.version)
    timestamp.expires = _expiry(Timestamp.type, now)
    _write("metadata/timestamp.json", _signed(timestamp, signers[Timestamp.type]))
    for role, newest in ((Targets.type, targets.version), (Snapshot.type, snapshot.version)):
        old = [f"metadata/{n}.{role}.json" for n in _versions(role) if n <= newest - _VERSIONS_KEPT]
        UpdateFile.objects.filter(path__in=old).delete()


def _root() -> Root:
    """The newest root."""
    root: Root = _current(Root.type).signed
    return root


def _sign_root(root: Root, signer: CryptoSigner, now: datetime) -> int:
    if signer.public_key.keyid not in root.roles[Root.type].keyids:
        raise ValueError("This is not the root's key.")
    root.version += 1
    root.expires = _expiry(Root.type, now)
    _write(f"metadata/{root.version}.root.json", _signed(root, signer))
    return int(root.version)


def _lock() -> dict[str, CryptoSigner]:
    """The signers of the online roles; their rows stay locked until the transaction ends."""
    return _opened(UpdateKey.objects.select_for_update().order_by("role"))


def _opened(rows: Iterable[UpdateKey]) -> dict[str, CryptoSigner]:
    try:
        return {row.role: _signer(unseal(row.sealed_key)) for row in rows}
    except SealBroken as error:
        raise refusal("UpdateKeySealed") from error


def _signer(private: bytes) -> CryptoSigner:
    return CryptoSigner(load_pem_private_key(private, password=None))


def _is_aging(role: str, now: datetime) -> bool:
    return bool(_current(role).signed.expires - now < LIFETIME[role] / 2)


def _current(role: str) -> Metadata[Any]:
    name = "timestamp.json" if role == Timestamp.type else f"{max(_versions(role))}.{role}.json"
    return Metadata.from_bytes(_read(f"metadata/{name}"))


def _next(role: str) -> Any:
    signed = _current(role).signed
    signed.version += 1
    return signed


def _versions(role: str) -> list[int]:
    # The timestamp has no number, the others a handful of rows each.
    paths = UpdateFile.objects.filter(path__startswith="metadata/", path__endswith=f".{role}.json")
    return [int(path.split("/")[1].split(".")[0]) for path in paths.values_list("path", flat=True)]


def _read(path: str) -> bytes:
    return bytes(UpdateFile.objects.values_list("content", flat=True).get(path=path))


def _write(path: str, content: bytes) -> None:
    UpdateFile.objects.update_or_create(path=path, defaults={"content": content})


def _signed(content: Any, signer: CryptoSigner) -> bytes:
    metadata = Metadata(content)
    metadata.sign(signer)
    return bytes(metadata.to_bytes())


def _expiry(role: str, now: datetime) -> datetime:
    # TUF's times have whole seconds.
    return now.replace(microsecond=0) + LIFETIME[role]
