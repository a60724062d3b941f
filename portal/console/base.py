"""What the console's model pages share: no counting of large tables, no writing where there is nothing to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from portal.console.paginator import ConsoleChangeList, LimitedPaginator

if TYPE_CHECKING:
    # Unfold publishes no types; its classes are Django's with another look.
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin as _UnfoldAdmin

    class ModelAdmin(_UnfoldAdmin):
        """Unfold's model admin, subscriptable as the stubs have it."""

        def __class_getitem__(cls, item: object) -> type:
            return cls


M = TypeVar("M", bound=Model)


class ConsoleAdmin(ModelAdmin[M]):
    """A list that costs the same on any table, and a detail page of its own where a template is named."""

    paginator = LimitedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    actions: Sequence[str] | None = None
    detail_template = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ConsoleChangeList]:
        """The change list without a second count."""
        return ConsoleChangeList

    def detail_context(self, request: HttpRequest, obj: M) -> Mapping[str, object]:
        """What the detail template needs besides the object."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The detail page, or Django's form for models without one."""
        if not self.detail_template:
            return super().change_view(request, object_id, form_url, extra_context)
        obj = self.visible_object(request, object_id)
        return self.render_page(
            request, self.detail_template, obj, {**self.detail_context(request, obj), **(extra_context or {})}
        )

    def visible_object(self, request: HttpRequest, object_id: str) -> M:
        """The object of a detail page; 404 for a stranger, 403 for a person without the right."""
        obj = self.get_object(request, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        if obj is None:
            raise Http404(f"There is no {self.opts.verbose_name} with this id.")
        return obj

    def render_page(
        self, request: HttpRequest, template: str, obj: M | None, context: Mapping[str, object]
    ) -> TemplateResponse:
        """A page below this model: title, breadcrumbs and permissions as the templates expect them."""
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": str(obj) if obj is not None else self.opts.verbose_name_plural,
                "original": obj,
                "object": obj,
                "has_change_permission": self.has_change_permission(request, obj),
                "has_delete_permission": self.has_delete_permission(request, obj),
                **context,
            },
        )


class ReadOnlyAdmin(ConsoleAdmin[M]):
    """A model that the product writes and people only look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Never."""
        return False
