"""Asking, answering, withdrawing, parting, blocking.

Each locks the streams of both users first. That puts everything that happens between two users
into one order, so what is read after it stays true until the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.selectors import get_active_user, reread_user
from core.errors import AlreadyFriends, NotFound, NotPending, RequestExists, ValidationFailed
from core.rows import pages
from core.transactions import transactional
from eventlog import log
from eventlog.log import LockedStreams, user_stream
from friendships import events
from friendships.models import Block, FriendRequest, Friendship, pair_key
from friendships.selectors import are_friends, get_reachable_user, get_request

_REQUESTS_AT_ONCE = 50
"""So many users, besides, are locked while requests are erased."""


@transactional
def request_friendship(sender: User, *, user_id: UUID, message: str = "") -> FriendRequest:
    """Ask someone to be friends.

    If they have asked the sender already, that request is accepted instead and returned, and
    `message` is dropped: look at the `status` of what comes back.

    Raises:
        ValidationFailed: the sender asks themselves.
        NotFound: no such user.
        Blocked: one of the two has blocked the other.
        AlreadyFriends, RequestExists
        SessionRevoked: the sender is erased.

    Emits:
        friend.request, or friend.accepted where two requests cross: to both users.
    """
    if user_id == sender.id:
        raise ValidationFailed.of("user_id", "self", "You can't be your own friend.")
    streams = log.lock(user_stream(sender.id), user_stream(user_id))
    sender = reread_user(sender)
    recipient = get_reachable_user(sender, user_id)
    if are_friends(sender.id, recipient.id):
        raise AlreadyFriends
    pending = _pending_between(sender, recipient)
    if pending is None:
        request = FriendRequest.objects.create(
            from_user=sender,
            to_user=recipient,
            message=message,
            pending_key=pair_key(sender.id, recipient.id),
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
    if not _part(streams, user, friend_id):
        raise NotFound


@transactional
def block_user(user: User, *, user_id: UUID) -> None:
    """Want nothing of someone: ends the friendship and what is asked between the two. A repeat changes nothing.

    It takes no notice of whether they have blocked the user: else its answer would tell.

    Raises:
        ValidationFailed: `self`.
        NotFound: no such user.
        SessionRevoked: the user is erased.

    Emits:
        friend.removed, friend.cancelled (of the user's request), friend.rejected (of theirs): to both, as
        if the user had ended these by hand. The block itself has no event.
    """
    if user_id == user.id:
        raise ValidationFailed.of("user_id", "self", "You can't block yourself.")
    streams = log.lock(user_stream(user.id), user_stream(user_id))
    user, other = reread_user(user), get_active_user(user_id)
    key = pair_key(user.id, other.id)
    _, is_new = Block.objects.get_or_create(blocker=user, blocked=other, defaults={"pair_key": key})
    if not is_new:
        return
    _part(streams, user, other.id)
    request = _pending_between(user, other)
    if request is not None:
        _end_request(streams, user, request)


@transactional
def unblock_user(user: User, *, user_id: UUID) -> None:
    """Take a block back; without one, nothing changes. What it ended stays ended.

    Raises:
        NotFound: no block, and no such user.
    """
    log.lock(user_stream(user.id), user_stream(user_id))
    block = Block.objects.filter(blocker=user, blocked_id=user_id).first()
    if block is not None:
        block.delete()
    else:
        get_active_user(user_id)  # or NotFound


def end_all(user: User) -> None:
    """End what there is between an erased user and others, with what they wrote in requests; a repeat goes on.

    Emits:
        friend.cancelled, friend.rejected, friend.removed: to both, as if the user had ended these by hand.
    """
    for page in pages(_requests_of(user).filter(status=FriendRequest.Status.PENDING)):
        for request in page:
            _end_pending(user, request)
    for friends in pages(Friendship.objects.filter(user=user)):
        for row in friends:
            with suppress(NotFound):
                remove_friend(user, friend_id=row.friend_id)
    for blocks in pages(Block.objects.filter(Q(blocker=user) | Q(blocked=user))):
        Block.objects.filter(id__in=[row.id for row in blocks]).delete()
    for requests in pages(_requests_of(user), _REQUESTS_AT_ONCE):
        _erase_requests(user, requests)


def _requests_of(user: User) -> QuerySet[FriendRequest]:
    return FriendRequest.objects.filter(Q(from_user=user) | Q(to_user=user))


@transactional
def _end_pending(user: User, request: FriendRequest) -> None:
    with suppress(NotPending):
        _end_request(_lock_pending(request), user, request)


@transactional
def _erase_requests(user: User, requests: Sequence[FriendRequest]) -> None:
    # So that an erasure of the other user does not rewrite the same frames.
    log.lock(*{user_stream(id_) for row in requests for id_ in (row.from_user_id, row.to_user_id)})
    mine = [row.id for row in requests if row.from_user_id == user.id]
    FriendRequest.objects.filter(id__in=mine).update(message="")
    events.requests_erased(user, [row.id for row in requests])


def _end_request(streams: LockedStreams, user: User, request: FriendRequest) -> None:
    """Let a pending request be over, whichever of its two the user is."""
    if request.from_user_id == user.id:
        _close(request, FriendRequest.Status.CANCELLED)
        events.friend_cancelled(streams, request)
    else:
        _close(request, FriendRequest.Status.REJECTED)
        events.friend_rejected(streams, request)


def _part(streams: LockedStreams, user: User, friend_id: UUID) -> bool:
    """End a friendship, for both; whether there was one."""
    both = Q(user=user, friend_id=friend_id) | Q(user_id=friend_id, friend=user)
    rows = {row.user_id: row for row in Friendship.objects.select_related("friend").filter(both)}
    if user.id not in rows:
        return False
    # By id: what a DELETE by condition scans on InnoDB, it locks.
    Friendship.objects.filter(id__in=[row.id for row in rows.values()]).delete()
    events.friend_removed(streams, actor=user, friend=rows[user.id].friend)
    return True


def _pending_between(one: User, other: User) -> FriendRequest | None:
    rows = FriendRequest.objects.select_related("from_user", "to_user")
    return rows.filter(pending_key=pair_key(one.id, other.id)).first()


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
