"""From an AD object to what became of it, and back."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from provisioning.models import Configuration, Link, SourceObject


def configuration_ids() -> list[UUID]:
    """Every configuration. The indexes on source objects and links begin with it, so queries name them all."""
    return list(Configuration.objects.values_list("pk", flat=True))


def target_ids(object_guid: UUID) -> list[UUID]:
    """Ids of the directory objects that an AD object is linked with, in any configuration."""
    links = Link.objects.filter(source__configuration__in=configuration_ids(), source__guid=object_guid)
    found = (_as_guid(target) for target in links.values_list("target_id", flat=True))
    return [guid for guid in found if guid is not None]


def source_guids(target_id: UUID) -> list[UUID]:
    """objectGUIDs of the AD objects that a directory object is linked with."""
    links = Link.objects.filter(configuration__in=configuration_ids(), target_id=str(target_id))
    return list(links.values_list("source__guid", flat=True))


def source_ids(target_id: UUID) -> list[int]:
    """Ids of the source objects that a directory object is linked with."""
    links = Link.objects.filter(configuration__in=configuration_ids(), target_id=str(target_id))
    return list(links.values_list("source_id", flat=True))


def named(name: str) -> QuerySet[SourceObject]:
    """AD objects with exactly this distinguished name or user principal name, whatever the case; by index."""
    name = name.strip()
    # Lists ask without a name too, and what AD told of without one is nobody's choice.
    if not name:
        return SourceObject.objects.none()
    return SourceObject.objects.filter(Q(dn__iexact=name) | Q(user_principal_name__iexact=name))


def _as_guid(text: str) -> UUID | None:
    """Other targets than the built-in directory may have ids of another shape."""
    try:
        return UUID(text)
    except ValueError:
        return None
