"""Who may do what: members of staff, with Django's rights on the model."""

from __future__ import annotations

from typing import Final

from rest_framework.permissions import SAFE_METHODS, DjangoModelPermissions
from rest_framework.request import Request
from rest_framework.views import APIView

_VIEW: Final = ["%(app_label)s.view_%(model_name)s"]


class StaffWithModelRights(DjangoModelPermissions):
    """Reading needs the right to view. A view may name the right that an action needs in ``action_rights``."""

    perms_map = {**DjangoModelPermissions.perms_map, **dict.fromkeys(SAFE_METHODS, _VIEW)}

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Staff, and the right of the action or of the method."""
        if not request.user.is_staff:
            return False
        right = getattr(view, "action_rights", {}).get(getattr(view, "action", None))
        return request.user.has_perm(right) if right else super().has_permission(request, view)
