"""What needs no access token: /auth/register, /auth/login and /auth/refresh."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import schemas, services, tokens
from accounts.models import Session
from accounts.serializers import LoginBody, RefreshBody, RegisterBody
from core.addresses import client_address
from core.openapi import problems
from core.serializers import read_body


@extend_schema(tags=["auth"])
class LoginViewSet(viewsets.ViewSet):
    """What needs no access token; one that is sent is not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "login"

    @extend_schema(
        summary="Make an account and log in",
        request=RegisterBody,
        responses={
            201: schemas.LoggedIn,
        },
    )
    def register(self, request: Request) -> Response:
        session = services.register(**read_body(RegisterBody, request), device=_device(request))
        return Response(_logged_in(session), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Log in",
        request=LoginBody,
        responses={
            200: schemas.LoggedIn,
            **problems("invalid_credentials", "account_suspended"),
        },
    )
    def login(self, request: Request) -> Response:
        body = read_body(LoginBody, request)
        device = _device(request, name=body.pop("device_name"))
        return Response(_logged_in(services.login(**body, device=device)))

    @extend_schema(
        summary="Exchange the refresh token for new tokens",
        description="Each refresh token is good once. One that comes back ends its session; but for a few seconds, so "
        "that parallel tabs can share one, the token that was just spent gives the same refresh token again.",
        request=RefreshBody,
        responses={
            200: schemas.Tokens,
            **problems("token_invalid", "token_expired", "session_revoked", "account_suspended"),
        },
    )
    def refresh(self, request: Request) -> Response:
        issued = tokens.issue(services.refresh(read_body(RefreshBody, request)["refresh"]))
        return Response(schemas.Tokens(**issued._asdict()))


def _logged_in(session: Session) -> schemas.LoggedIn:
    return schemas.LoggedIn(**tokens.issue(session)._asdict(), user=schemas.me(session.user))


def _device(request: Request, *, name: str = "") -> services.Device:
    agent = request.headers.get("User-Agent", "")
    printable = "".join(character for character in agent if character.isprintable())
    return services.Device(name, client_address(request), printable[:256])
