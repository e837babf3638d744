"""The REST door: /friends, /friends/requests and /blocks."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.tokens import caller
from core.openapi import problems
from core.pagination import Keyset, PageQuery
from core.serializers import read_body, read_query
from friendships import schemas, selectors, services
from friendships.serializers import FriendsQuery, RequestFriendship, RequestsQuery

FRIENDS = Keyset("friends", order=("-since", "-id"))
REQUESTS = Keyset("friend_requests", order=("-created_at", "-id"))
BLOCKS = Keyset("blocks", order=("-created_at", "-id"))


@extend_schema(tags=["friends"])
class FriendViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="My friends, newest first",
        parameters=[FriendsQuery],
        responses={200: schemas.FriendPage},
    )
    def list(self, request: Request) -> Response:
        query = read_query(FriendsQuery, request)
        rows = selectors.friends_of(caller(request), search=query["search"], online=query.get("online"))
        return Response(FRIENDS.page(request, rows, schemas.friends))

    @extend_schema(
        summary="End a friendship",
        responses={204: None},
    )
    def destroy(self, request: Request, user_id: UUID) -> Response:
        services.remove_friend(caller(request), friend_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["friends"])
class FriendRequestViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="Friend requests to me or of mine, newest first",
        parameters=[RequestsQuery],
        responses={200: schemas.FriendRequestPage},
    )
    def list(self, request: Request) -> Response:
        query = read_query(RequestsQuery, request)
        rows = selectors.requests_of(caller(request), direction=query["direction"], status=query["status"])
        return Response(REQUESTS.page(request, rows, schemas.friend_requests))

    @extend_schema(
        summary="Ask someone to be friends",
        description="Where they have asked already, their request is accepted at once: 200 instead of 201.",
        request=RequestFriendship,
        responses={
            201: schemas.FriendRequest,
            200: schemas.FriendRequest,
            **problems("blocked", "not_found", "already_friends", "request_exists"),
        },
    )
    def create(self, request: Request) -> Response:
        body = read_body(RequestFriendship, request)
        made = services.request_friendship(caller(request), **body)
        code = status.HTTP_201_CREATED if made.is_pending else status.HTTP_200_OK
        return Response(schemas.friend_request(made), status=code)

    @extend_schema(
        summary="Withdraw a friend request of mine",
        responses={204: None, **problems("not_pending")},
    )
    def destroy(self, request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the path
        services.cancel_request(caller(request), request_id=id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Accept a friend request",
        request=None,
        responses={200: schemas.FriendRequest, **problems("not_pending")},
    )
    def accept(self, request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the path
        answered = services.accept_request(caller(request), request_id=id)
        return Response(schemas.friend_request(answered))

    @extend_schema(
        summary="Reject a friend request",
        request=None,
        responses={200: schemas.FriendRequest, **problems("not_pending")},
    )
    def reject(self, request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the path
        answered = services.reject_request(caller(request), request_id=id)
        return Response(schemas.friend_request(answered))


@extend_schema(tags=["friends"])
class BlockViewSet(viewsets.ViewSet):
    @extend_schema(
        summary="Whom I have blocked, newest first",
        parameters=[PageQuery],
        responses={200: schemas.BlockPage},
    )
    def list(self, request: Request) -> Response:
        return Response(BLOCKS.page(request, selectors.blocks_of(caller(request)), schemas.blocks))

    @extend_schema(
        summary="Block a user",
        description="Ends the friendship, and stops requests, direct messages, presence and typing both ways.",
        request=None,
        responses={204: None, **problems("validation_error")},
    )
    def update(self, request: Request, user_id: UUID) -> Response:
        services.block_user(caller(request), user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Take a block back",
        responses={204: None},
    )
    def destroy(self, request: Request, user_id: UUID) -> Response:
        services.unblock_user(caller(request), user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
