"""Asking, answering, withdrawing, parting.

Each locks the streams of both users first. That puts everything that happens between two users
into one order, so what is read after it stays true until the commit.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.selectors import get_user
from core.errors import AlreadyFriends, NotFound, NotPending, RequestExists, ValidationFailed
from core.transactions import transactional
from eventlog import log
from eventlog.log import LockedStreams, user_stream
from friendships import events
from friendships.models import FriendRequest, Friendship, pair_key
from friendships.selectors import are_friends, get_request


@transactional
def request_friendship(sender: User, *, user_id: UUID, message: str = "") -> FriendRequest:
    """Ask someone to be friends.

    If they have asked the sender already, that request is accepted instead and returned, and
    `message` is dropped: look at the `status` of what comes back.

    Raises:
        ValidationFailed: the sender asks themselves.
        NotFound: no such user for the sender.
        AlreadyFriends, RequestExists

    Emits:
        friend.request, or friend.accepted where two requests cross: to both users.
    """
    if user_id == sender.id:
        raise ValidationFailed.of("user_id", "self", "You can't be your own friend.")
    streams = log.lock(user_stream(sender.id), user_stream(user_id))
    recipient = get_user(sender, user_id)
    if are_friends(sender.id, recipient.id):
        raise AlreadyFriends
    key = pair_key(sender.id, recipient.id)
    pending = FriendRequest.objects.select_related("from_user", "to_user").filter(pending_key=key).first()
    if pending is None:
        request = FriendRequest.objects.create(
            from_user=sender, to_user=recipient, message=message, pending_key=key
        )
        events.friend_requested(streams, request)
        return request
    if pending.from_user_id == sender.id:
        raise RequestExists
    _become_friends(pending)
    events.friend_accepted(streams, pending)
    return pending


@transactional
def accept_request(recipient: User, *, request_id: UUID) -> FriendRequest:
    """Become friends with who asked.

    Raises:
        NotFound: no such request to the recipient.
        NotPending: it has been answered or withdrawn.

    Emits:
        friend.accepted: to both users.
    """
    request = get_request(recipient, request_id)
    if request.to_user_id != recipient.id:
        raise NotFound
    streams = _lock_pending(request)
    _become_friends(request)
    events.friend_accepted(streams, request)
    return request


@transactional
def reject_request(recipient: User, *, request_id: UUID) -> FriendRequest:
    """Say no to who asked; they may ask again.

    Raises:
        NotFound: no such request to the recipient.
        NotPending: it has been answered or withdrawn.

    Emits:
        friend.rejected: to both users.
    """
    request = get_request(recipient, request_id)
    if request.to_user_id != recipient.id:
        raise NotFound
    streams = _lock_pending(request)
    _close(request, FriendRequest.Status.REJECTED)
    events.friend_rejected(streams, request)
    return request


@transactional
def cancel_request(sender: User, *, request_id: UUID) -> FriendRequest:
    """Withdraw a request.

    Raises:
        NotFound: no such request of the sender's.
        NotPending: it has been answered or withdrawn.

    Emits:
        friend.cancelled: to both users.
    """
    request = get_request(sender, request_id)
    if request.from_user_id != sender.id:
        raise NotFound
    streams = _lock_pending(request)
    _close(request, FriendRequest.Status.CANCELLED)
    events.friend_cancelled(streams, request)
    return request


@transactional
def remove_friend(user: User, *, friend_id: UUID) -> None:
    """End a friendship, for both.

    Raises:
        NotFound: they are no friends.

    Emits:
        friend.removed: to both users.
    """
    streams = log.lock(user_stream(user.id), user_stream(friend_id))
    both = Q(user=user, friend_id=friend_id) | Q(user_id=friend_id, friend=user)
    rows = {row.user_id: row for row in Friendship.objects.select_related("friend").filter(both)}
    if user.id not in rows:
        raise NotFound
    # By id: what a DELETE by condition scans on InnoDB, it locks.
    Friendship.objects.filter(id__in=[row.id for row in rows.values()]).delete()
    events.friend_removed(streams, actor=user, friend=rows[user.id].friend)


def _lock_pending(request: FriendRequest) -> LockedStreams:
    """The streams of the request's users, locked. Raises NotPending."""
    streams = log.lock(user_stream(request.from_user_id), user_stream(request.to_user_id))
    # It was read to learn whose streams to lock; only now does it stand still.
    request.refresh_from_db(fields=["status"])
    if not request.is_pending:
        raise NotPending
    return streams


def _become_friends(request: FriendRequest) -> None:
    since = _close(request, FriendRequest.Status.ACCEPTED)
    one, other = request.from_user, request.to_user
    Friendship.objects.bulk_create(
        [Friendship(user=one, friend=other, since=since), Friendship(user=other, friend=one, since=since)]
    )


def _close(request: FriendRequest, status: FriendRequest.Status) -> datetime:
    """The request is pending no more; since when."""
    now = timezone.now()
    request.status, request.pending_key, request.answered_at = status, None, now
    request.save(update_fields=["status", "pending_key", "answered_at"])
    return now
