"""Sessions of who is logged in: the rest of /auth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import Token

from accounts import schemas, selectors, services, tokens
from accounts.models import Session
from accounts.serializers import ChangePasswordBody
from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset, PageQuery
from core.serializers import read_body

SESSIONS = Keyset("sessions", order=("-created_at", "-id"))


@extend_schema(tags=["auth"])
class SessionViewSet(viewsets.ViewSet):
    permission_classes = (IsAuthenticated,)

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
        responses={
            204: None,
        },
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

    @extend_schema(summary="End a session of mine", responses={204: None, **problems("not_found")})
    def destroy(self, request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the path
        services.end_session(caller(request), session_id=id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _session_id(request: Request) -> UUID:
    return UUID(_token(request)["sid"])


def _token(request: Request) -> Token:
    return cast("Token", request.auth)
