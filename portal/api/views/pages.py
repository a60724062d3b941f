"""Pages of rows that are not the view's own model."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.viewsets import GenericViewSet


def page_of(view: GenericViewSet[Any], rows: QuerySet[Any]) -> list[Any]:
    """The page that the request asks for."""
    return list(view.paginate_queryset(rows) or [])
