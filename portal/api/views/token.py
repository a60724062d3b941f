"""Exchanging a name and a password for a token."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.authtoken.models import Token
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from portal.api.errors import ApiError


class SignInThrottle(AnonRateThrottle):
    """Guessing passwords is slow from one address."""

    scope = "sign-in"
    rate = "60/min"


class TokenView(APIView):
    """One token a person; it stays until it is deleted in the console."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (SignInThrottle,)

    @extend_schema(
        request=AuthTokenSerializer,
        responses=inline_serializer("Token", {"token": serializers.CharField()}),
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Name and password in, token out."""
        sign_in = AuthTokenSerializer(data=request.data, context={"request": request})
        try:
            sign_in.is_valid(raise_exception=True)
        except ValidationError as error:
            if "non_field_errors" in sign_in.errors:
                raise ApiError("AuthenticationFailed") from error
            raise
        user = sign_in.validated_data["user"]
        if not user.is_staff:
            raise ApiError("AuthenticationFailed")
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key}, headers={"Cache-Control": "no-store"})
