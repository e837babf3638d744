"""The REST door: /auth and /users."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import cast
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import Token

from accounts import schemas, selectors, services, tokens
from accounts.models import Session, User
from accounts.serializers import (
    ChangePasswordBody,
    LoginBody,
    PresenceQuery,
    RefreshBody,
    RegisterBody,
    SearchQuery,
    UpdateMeBody,
)
from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset, PageQuery
from core.serializers import read_body, read_query
from realtime.presence_store import statuses

USERS = Keyset("users", order=("username_key",))
SESSIONS = Keyset("sessions", order=("-created_at", "-id"))

_LOGGED_OUT = ("not_authenticated", "token_invalid", "token_expired", "session_revoked")


@extend_schema(tags=["auth"])
class LoginViewSet(viewsets.ViewSet):
    """What needs no access token; one that is sent is not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "login"

    @extend_schema(
        summary="Make an account and log in",
        request=RegisterBody,
        responses={201: schemas.LoggedIn},
    )
    def register(self, request: Request) -> Response:
        session = services.register(**read_body(RegisterBody, request), device=_device(request))
        return Response(_logged_in(session), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Log in",
        request=LoginBody,
        responses={200: schemas.LoggedIn, **problems("invalid_credentials", "account_suspended")},
    )
    def login(self, request: Request) -> Response:
        body = read_body(LoginBody, request)
        device = _device(request, name=body.pop("device_name"))
        return Response(_logged_in(services.login(**body, device=device)))

    @extend_schema(
        summary="Exchange the refresh token for new tokens",
        description="Each refresh token is good once. One that comes back ends its session.",
        request=RefreshBody,
        responses={
            200: schemas.Tokens,
            **problems("token_invalid", "token_expired", "session_revoked", "account_suspended"),
        },
    )
    def refresh(self, request: Request) -> Response:
        issued = tokens.issue(services.refresh(read_body(RefreshBody, request)["refresh"]))
        return Response(schemas.Tokens(**issued._asdict()))


@extend_schema(tags=["auth"])
class SessionViewSet(viewsets.ViewSet):
    @extend_schema(summary="Log out here", request=None, responses={204: None})
    def logout(self, request: Request) -> Response:
        services.logout(caller(request), session_id=_session_id(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Log out everywhere", request=None, responses={204: None})
    def logout_all(self, request: Request) -> Response:
        services.logout_all(caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Change my password",
        description="Ends every session of mine but this one, and closes their sockets.",
        request=ChangePasswordBody,
        responses={204: None},
    )
    def change_password(self, request: Request) -> Response:
        body = read_body(ChangePasswordBody, request)
        services.change_password(caller(request), session_id=_session_id(request), **body)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="A ticket for the socket",
        description="Opens one socket, once: `/ws?ticket=…`.",
        request=None,
        responses={201: schemas.Ticket},
    )
    def ws_ticket(self, request: Request) -> Response:
        ticket = tokens.issue_ticket(_session_id(request), float(_token(request)["exp"]))
        return Response(schemas.Ticket(ticket, settings.WS_TICKET_SECONDS), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Where I am logged in, newest first",
        parameters=[PageQuery],
        responses={200: schemas.SessionPage},
    )
    def list(self, request: Request) -> Response:
        current_id = _session_id(request)

        def show(sessions: Sequence[Session]) -> list[schemas.SessionInfo]:
            return [schemas.session_info(session, current_id=current_id) for session in sessions]

        return Response(SESSIONS.page(request, selectors.live_sessions(caller(request)), show))

    @extend_schema(summary="End a session of mine", responses={204: None})
    def destroy(self, request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the path
        services.end_session(caller(request), session_id=id)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["users"])
class MeViewSet(viewsets.ViewSet):
    @extend_schema(summary="My account", responses={200: schemas.Me})
    def retrieve(self, request: Request) -> Response:
        return Response(schemas.me(caller(request)))

    @extend_schema(
        summary="Change my profile",
        request=UpdateMeBody,
        responses={200: schemas.Me},
    )
    def partial_update(self, request: Request) -> Response:
        user = services.update_me(caller(request), **read_body(UpdateMeBody, request))
        return Response(schemas.me(user))


@extend_schema(tags=["users"])
class UserViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="Find users, by user name",
        parameters=[SearchQuery],
        responses={200: schemas.UserPage},
    )
    def list(self, request: Request) -> Response:
        viewer = caller(request)
        rows = selectors.search_users(viewer, search=read_query(SearchQuery, request)["search"])

        def show(users: Sequence[User]) -> list[schemas.UserProfile]:
            return _profiles(viewer, users)

        return Response(USERS.page(request, rows, show))

    @extend_schema(summary="A user", responses={200: schemas.UserProfile})
    def retrieve(self, request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the path
        viewer = caller(request)
        return Response(_profiles(viewer, [selectors.get_user(viewer, id)])[0])


@extend_schema(tags=["users"])
class PresenceViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="Who is here",
        description="Tells of you, your friends and those who share a room with you; others are left out.",
        parameters=[PresenceQuery],
        responses={200: schemas.UserPresence},
    )
    def list(self, request: Request) -> Response:
        ids = [UUID(id_) for id_ in read_query(PresenceQuery, request)["ids"].split(",")]
        users = selectors.users_whose_presence_shows(caller(request), ids)
        known = statuses(users)
        return Response(
            [schemas.user_presence(users[id_], known[id_]) for id_ in dict.fromkeys(ids) if id_ in users]
        )


def _profiles(viewer: User, users: Sequence[User]) -> list[schemas.UserProfile]:
    relationships, presences = selectors.relationships(viewer, users), selectors.presences(viewer, users)
    return [schemas.user_profile(user, relationships[user.id], presences[user.id]) for user in users]


def _session_id(request: Request) -> UUID:
    return UUID(_token(request)["sid"])


def _token(request: Request) -> Token:
    return cast("Token", request.auth)


def _logged_in(session: Session) -> schemas.LoggedIn:
    return schemas.LoggedIn(**tokens.issue(session)._asdict(), user=schemas.me(session.user))


def _device(request: Request, *, name: str = "") -> services.Device:
    agent = request.headers.get("User-Agent", "")
    printable = "".join(character for character in agent if character.isprintable())
    return services.Device(name, _ip(request.META.get("REMOTE_ADDR", "")), printable[:256])


def _ip(text: str) -> str | None:
    """An address without its zone; None where there is none, as behind a Unix socket."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None
