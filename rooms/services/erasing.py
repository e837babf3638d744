"""What an erased user leaves behind in rooms."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Case, When

from accounts.models import User
from core.rows import pages
from core.transactions import transactional
from eventlog import log
from eventlog.log import room_stream, user_stream
from eventlog.models import Event
from rooms import events
from rooms.models import Ban, Membership
from rooms.services.memberships import end, is_last_owner
from rooms.services.rooms import close_room


def leave_all(user: User) -> None:
    """Let an erased user leave all groups, a room a transaction; a repeat goes on. Direct rooms stay for the others.

    Afterwards nobody appends a message of theirs to any of these rooms, nor a frame that shows them as they were.

    Emits:
        member.updated: on a direct room's stream, with what is left of the user; and of who owns a group from now on.
        member.removed, room.left: of a group; room.deleted where nobody else is in it.
    """
    for page in pages(Membership.active.filter(user=user)):
        for membership in page:
            _leave(user, membership.room_id)
    for bans in pages(Ban.objects.filter(user=user)):
        Ban.objects.filter(id__in=[ban.id for ban in bans]).delete()


@transactional
def _leave(user: User, room_id: UUID) -> None:
    streams = log.lock(room_stream(room_id), user_stream(user.id))
    mine = Membership.active.select_related("room", "user").filter(room=room_id, user=user).first()
    if mine is None:
        return
    if mine.room.is_direct:
        events.peer_erased(mine.room, user)
        # Nothing else is ever updated of who is in a direct room.
        told = Event.objects.filter(stream=mine.room.stream_row_id, object_id=user.id, type="member.updated")
        if not told.exists():
            events.member_updated(streams, mine.room, [mine], by=user)
        return
    if mine.room.member_count == 1:
        close_room(streams, mine.room, [user.id], by=user)
        return
    if is_last_owner(mine):
        heir = _heir(mine)
        heir.role, heir.silenced_until = Membership.Role.OWNER, None
        heir.save(update_fields=["role", "silenced_until"])
        events.member_updated(streams, mine.room, [heir], by=user)
    end(streams, mine, reason="left", by=user)


def _heir(owner: Membership) -> Membership:
    """Who has been an admin for the longest time, else a member; somebody who may log in, if there is one."""
    others = Membership.active.filter(room=owner.room).exclude(pk=owner.pk).select_related("user")
    admins_first = Case(When(role=Membership.Role.ADMIN, then=0), default=1)
    return others.order_by("-user__is_active", admins_first, "joined_at", "id")[0]
