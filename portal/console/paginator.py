"""Pages over tables that may be very large: counting stops at a limit."""

from __future__ import annotations

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

COUNT_LIMIT = 10_000


class LimitedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts to :data:`COUNT_LIMIT` and no further, so that a page costs the same on any table.

    Rows behind the limit are reached by search and filters, as a person would anyway.
    """

    template_name = "console/pagination.html"

    @cached_property
    def count(self) -> int:
        """The number of rows, at most the limit."""
        if isinstance(self.object_list, QuerySet):
            return self.object_list.order_by()[:COUNT_LIMIT].count()
        return len(self.object_list)

    @property
    def is_limited(self) -> bool:
        """Whether there may be more rows than counted."""
        return self.count >= COUNT_LIMIT


class ConsoleChangeList(ChangeList):
    """A change list that does not ask for a second count."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page; the header then has no second number to show."""
        super().get_results(request)
        self.full_result_count = self.result_count
