"""Pages by cursor: no counting, and no row twice or missed while rows are being added."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

PAGE_SIZE = 100
LARGEST_PAGE = 1_000


class IdPages(CursorPagination):
    """Rows in the order of their view's ``ordering``, which has to be unique."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = LARGEST_PAGE

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> tuple[str, ...]:
        """The view's order, by id unless it says otherwise."""
        return tuple(getattr(view, "ordering", ("id",)))


class LogPages(BasePagination):
    """The log from its newest row back, by moment and id.

    Thousands of rows may share a moment, more than a cursor by offset among equals can pass.
    """

    def __init__(self) -> None:
        self.next: str | None = None

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """One page, and the address of the one after it."""
        if not isinstance(queryset, QuerySet):
            raise TypeError("The log is paged by the database.")
        size = page_size(request)
        cursor = request.query_params.get("cursor")
        after = queryset.filter(_older_than(*_decode(cursor))) if cursor else queryset
        rows = list(after.order_by("-at", "-id")[: size + 1])
        if len(rows) > size:
            last = rows[size - 1]
            self.next = replace_query_param(request.build_absolute_uri(), "cursor", _encode(last.at, last.id))
        return rows[:size]

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        """The page as other lists have it; there is no way back to newer rows but from the start."""
        return Response({"next": self.next, "previous": None, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The shape of a page, for OpenAPI."""
        address = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["results"],
            "properties": {"next": address, "previous": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The query parameters, for OpenAPI."""
        kinds = {"cursor": {"type": "string"}, "page_size": {"type": "integer"}}
        return [
            {"name": name, "in": "query", "required": False, "schema": kind} for name, kind in kinds.items()
        ]


def page_size(request: Request) -> int:
    """How many rows the request asks for, within bounds."""
    raw = request.query_params.get("page_size", "")
    return min(max(int(raw), 1), LARGEST_PAGE) if raw.isdigit() else PAGE_SIZE


def _older_than(moment: datetime, number: int) -> Q:
    return Q(at__lte=moment) & (Q(at__lt=moment) | Q(id__lt=number))


def _encode(moment: datetime, number: int) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()}/{number}".encode()).decode()


def _decode(cursor: str) -> tuple[datetime, int]:
    try:
        moment, number = base64.urlsafe_b64decode(cursor.encode()).decode().split("/")
        return datetime.fromisoformat(moment), int(number)
    except (binascii.Error, ValueError) as error:
        raise NotFound("Invalid cursor") from error
