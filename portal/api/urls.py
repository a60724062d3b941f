"""Addresses of the REST API. The closing slash may be left out."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from portal.api.views.agents import AgentViewSet, DomainViewSet, EnrolmentTokenViewSet, HeartbeatView
from portal.api.views.configurations import ConfigurationViewSet, JobViewSet, TargetViewSet
from portal.api.views.directory import ContactViewSet, GroupViewSet, SummaryView, UserViewSet
from portal.api.views.history import CycleViewSet, LogViewSet
from portal.api.views.reconciliations import ReconciliationViewSet
from portal.api.views.token import TokenView
from portal.api.views.updates import ReleaseViewSet


class Router(SimpleRouter):
    """Addresses with and without the closing slash."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"


router = Router()
router.register("agents", AgentViewSet)
router.register("agent-releases", ReleaseViewSet)
router.register("domains", DomainViewSet)
router.register("enrolment-tokens", EnrolmentTokenViewSet)
router.register("targets", TargetViewSet)
router.register("configurations", ConfigurationViewSet)
router.register("jobs", JobViewSet)
router.register("cycles", CycleViewSet)
router.register("reconciliations", ReconciliationViewSet)
router.register("log", LogViewSet)
router.register("directory/users", UserViewSet, basename="directory-user")
router.register("directory/groups", GroupViewSet, basename="directory-group")
router.register("directory/contacts", ContactViewSet, basename="directory-contact")

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^v1/token/?$", TokenView.as_view(), name="api-token"),
    re_path(r"^v1/heartbeat/?$", HeartbeatView.as_view(), name="api-heartbeat"),
    re_path(r"^v1/directory/summary/?$", SummaryView.as_view(), name="api-directory-summary"),
    path("v1/", include(router.urls)),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
]
