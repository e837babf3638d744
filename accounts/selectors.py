"""Reads of users and sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Session, User
from accounts.schemas import (
    UNKNOWN_PRESENCE,
    Acquaintance,
    Presence,
    Relationship,
    presence,
)
from accounts.signals import acquaintances_asked, hidden_users_asked, relationships_asked
from core.addresses import network_of
from core.errors import NotFound, SessionRevoked
from core.text import comparison_key
from realtime.presence_store import statuses

_LAST_CODE_POINT = "\U0010ffff"
_KNOWN_ADDRESSES = 50


def visible_users(viewer: User) -> QuerySet[User]:
    """The users that the viewer may see."""
    users = User.objects.filter(is_active=True)
    answers: Any = hidden_users_asked.send(sender=User, viewer=viewer)
    for _, hidden in answers:
        users = users.exclude(id__in=hidden)
    return users


def get_user(viewer: User, user_id: UUID) -> User:
    """A user that the viewer may see. Raises NotFound."""
    return _found(visible_users(viewer), user_id)


def get_active_user(user_id: UUID) -> User:
    """A user, whether or not anyone in particular may see them. Raises NotFound."""
    return _found(User.objects.filter(is_active=True), user_id)


def reread_user(user: User) -> User:
    """The user as they are now; under the lock of their stream they stay so. Raises SessionRevoked: they are erased."""
    current = User.objects.get(id=user.id)
    if current.erased_at is not None:
        raise SessionRevoked
    return current


def _found(users: QuerySet[User], user_id: UUID) -> User:
    user = users.filter(id=user_id).first()
    if user is None:
        raise NotFound
    return user


def users_by_id(viewer: User, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Those of the named users that the viewer may see."""
    return {user.id: user for user in visible_users(viewer).filter(id__in=set(user_ids))}


def search_users(viewer: User, *, search: str) -> QuerySet[User]:
    """The users whose user name or shown name begins with `search`, compared as names are."""
    key = comparison_key(search)
    return visible_users(viewer).filter(_begins("username_key", key) | _begins("display_name_key", key))


def _begins(column: str, prefix: str) -> Q:
    # A range, not LIKE: SQLite and MySQL both serve it from a byte-ordered index.
    return Q(**{f"{column}__gte": prefix, f"{column}__lt": prefix + _LAST_CODE_POINT})


def relationships(viewer: User, users: Iterable[User]) -> dict[UUID, Relationship]:
    """What each of `users` is to the viewer; "none" where no app says otherwise."""
    found: dict[UUID, Relationship] = {user.id: "none" for user in users}
    if found:
        answers = relationships_asked.send(sender=User, viewer=viewer, user_ids=list(found))
        for _, answer in cast("list[tuple[object, dict[UUID, Relationship]]]", answers):
            found |= answer
    return found


def _acquaintances(viewer: User, user_ids: Iterable[UUID]) -> dict[UUID, Acquaintance]:
    """Those of the named users to whom the viewer is somebody, as the apps above know."""
    found: dict[UUID, Acquaintance] = {}
    if others := set(user_ids) - {viewer.id}:
        answers = acquaintances_asked.send(sender=User, viewer=viewer, user_ids=others)
        for _, answer in cast("list[tuple[object, dict[UUID, Acquaintance]]]", answers):
            # A friend who is a room-mate too is a friend.
            found |= {id_: known for id_, known in answer.items() if found.get(id_) != "friend"}
    return found


def presences(viewer: User, users: Iterable[User]) -> dict[UUID, Presence]:
    """Each user's presence, as far as the viewer may see it."""
    by_id = {user.id: user for user in users}
    return _presences(viewer, by_id, _acquaintances(viewer, by_id))


def known_presences(viewer: User, user_ids: Iterable[UUID]) -> dict[UUID, Presence]:
    """Likewise, of the viewer themselves and their friends and room-mates among the named users; others are left out."""
    ids = set(user_ids)
    acquaintances = _acquaintances(viewer, ids)
    users = users_by_id(viewer, acquaintances.keys() | (ids & {viewer.id}))
    return _presences(viewer, users, acquaintances)


def friends_here(friends: Iterable[User]) -> set[UUID]:
    """Those of somebody's friends who are here, as far as they show it to friends."""
    known = statuses(friend.id for friend in friends if _shows_presence(friend, "friend"))
    return {id_ for id_, status in known.items() if status != "offline"}


def _presences(
    viewer: User, users: Mapping[UUID, User], acquaintances: Mapping[UUID, Acquaintance]
) -> dict[UUID, Presence]:
    shown = {
        id_
        for id_, user in users.items()
        if id_ == viewer.id or (id_ in acquaintances and _shows_presence(user, acquaintances[id_]))
    }
    known = statuses(shown)
    return {
        id_: presence(user, known[id_]) if id_ in shown else UNKNOWN_PRESENCE for id_, user in users.items()
    }


def _shows_presence(user: User, viewer: Acquaintance) -> bool:
    return user.last_seen == User.Audience.EVERYONE or (
        user.last_seen == User.Audience.FRIENDS and viewer == "friend"
    )


def last_seen_of(user_id: UUID) -> str:
    """Who sees whether the user is here: one of `User.Audience`."""
    return User.objects.values_list("last_seen", flat=True).get(id=user_id)


def taken(*, username: str, email: str, except_for: UUID) -> list[str]:
    """Which of "username" and "email" an account other than `except_for` has already."""
    username_key, email_key = comparison_key(username), comparison_key(email)
    either = Q(username_key=username_key) | Q(email_key=email_key)
    others = User.objects.filter(either).exclude(id=except_for).values_list("username_key", "email_key")
    found = {key for keys in others for key in keys}
    # A user name has no "@", so the two kinds of keys are never equal.
    return [name for name, key in (("username", username_key), ("email", email_key)) if key in found]


def live_sessions(user: User) -> QuerySet[Session]:
    """The user's sessions that can still be refreshed."""
    return Session.objects.filter(user=user, revoked_at=None, expires_at__gt=timezone.now())


def active_user_by_email(email: str) -> User | None:
    """The user who has this address, if they may log in."""
    return User.objects.filter(email_key=comparison_key(email), is_active=True).first()


def user_id_of(login: str) -> UUID | None:
    """Whose user name or e-mail address this is."""
    return _by_login(login).values_list("id", flat=True).first()


def networks_of(user_id: UUID) -> set[str]:
    """The networks from which the user has logged in lately."""
    addresses = Session.objects.filter(user_id=user_id).order_by("-id").values_list("ip", flat=True)
    return {network_of(address) for address in addresses[:_KNOWN_ADDRESSES] if address}


def user_with_credentials(login: str, password: str) -> User | None:
    """The account with this user name or e-mail address and this password, active or not.

    Takes the same time whether or not there is such an account. A hash by older parameters than
    today's is renewed on the way.
    """
    user = _by_login(login).first()
    if user is None:
        make_password(password)
        return None
    return user if user.check_password(password) else None


def _by_login(login: str) -> QuerySet[User]:
    key = comparison_key(login)
    # User names have no "@", so a login can't be one person's name and another's address.
    return User.objects.filter(**{"email_key" if "@" in key else "username_key": key})


class LoginBackend(ModelBackend):
    """Django's own login, of the admin, by the same rule as the API's."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        user = user_with_credentials(username, password)
        return user if user is not None and self.user_can_authenticate(user) else None
