"""`manage.py seed`: people, rooms and messages to try things with."""

from __future__ import annotations

import random
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from accounts.models import User
from chatproject import echo_bot
from core.errors import ChatError
from eventlog.signals import events_committed
from friendships.services import accept_request, request_friendship
from messaging.services import Draft, send_messages
from rooms.models import Membership, Room
from rooms.services import create_room, open_direct_room

T = TypeVar("T")

DEMO_ROOM = "room-123"
CAST = ("alice", "bob", "carol")
BATCH = 200

_OPENINGS = ("Good morning", "Quick question", "By the way", "Good news", "Reminder", "Thinking aloud")
_SUBJECTS = ("the release", "lunch", "the design", "that bug", "the demo", "tomorrow", "the roadmap")
_ENDINGS = ("is ready 🎉", "can wait", "needs a second look 👀", "went well", "starts at ten", "is done ✅")


class Command(BaseCommand):
    help = (
        "Fills the database with demo data: alice, bob and carol (password <name>-demo-2026), the staff "
        "accounts moderator and admin, the room room-123 with an echo bot, and as many more as asked for. "
        "The same --seed gives the same names, rooms and texts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=int, default=10, help="people besides the cast (10)")
        parser.add_argument("--rooms", type=int, default=5, help="groups besides room-123 (5)")
        parser.add_argument("--messages", type=int, default=200, help="messages over all rooms (200)")
        parser.add_argument("--seed", type=int, default=2026, help="what the randomness starts from (2026)")
        parser.add_argument("--reset", action="store_true", help="delete all chat data first")
        parser.add_argument("--if-empty", action="store_true", help="do nothing if there are users already")
        parser.add_argument("--outside-debug", action="store_true", help="run although DEBUG is off …")
        parser.add_argument(
            "--yes-really", action="store_true", help="… said twice, since passwords are public"
        )

    def handle(self, **options: Any) -> None:
        if not settings.DEBUG and not (options["outside_debug"] and options["yes_really"]):
            raise CommandError(
                "DEBUG is off, and demo accounts have public passwords. To do it all the same, "
                "give both --outside-debug and --yes-really."
            )
        if options["if_empty"] and User.objects.exists():
            return
        if options["reset"]:
            call_command("flush", interactive=False, verbosity=0)
        elif User.objects.filter(username_key="alice").exists():
            raise CommandError("There is demo data already. Give --reset to delete all data and start again.")
        # The bot would answer what is seeded, too.
        events_committed.disconnect(dispatch_uid="echo_bot")
        dice = random.Random(options["seed"])  # noqa: S311 - demo data is to be repeatable
        people = self._people(options["users"])
        rooms = self._rooms(people, options["rooms"], dice)
        self._messages(rooms, options["messages"], dice)
        self.stdout.write(self.style.SUCCESS(f"Seeded {len(people)} people, {len(rooms)} rooms."))

    def _people(self, count: int) -> list[User]:
        """The cast, who are friends, then the crowd; staff and the bot are not among them."""
        cast = [_user(name, display_name=name.title()) for name in CAST]
        _user("moderator", display_name="Moderator", is_staff=True).groups.add(_moderators())
        _user("admin", display_name="Admin", is_staff=True, is_superuser=True)
        _user(echo_bot.USERNAME, display_name="Echo", is_bot=True)
        for friend in cast[1:]:
            request = request_friendship(cast[0], user_id=friend.id)
            accept_request(friend, request_id=request.id)
        # One hash for the crowd: a slow hash each is the price of a real password, and these are public.
        password = make_password("crowd-demo-2026")
        crowd = [
            User(username=f"user{n:05}", email=f"user{n:05}@example.com", password=password)
            for n in self._progress("People", range(count))
        ]
        for user in crowd:
            user.save()
        return [*cast, *crowd]

    def _rooms(self, people: list[User], count: int, dice: random.Random) -> list[Room]:
        alice, bob, carol, *_ = people
        bot = User.objects.get(username_key=echo_bot.USERNAME)
        demo = create_room(alice, name="Lobby", slug=DEMO_ROOM, member_ids=[bob.id, bot.id])
        direct, _ = open_direct_room(alice, user_id=carol.id)
        rooms = [demo, direct]
        for number in self._progress("Rooms", range(count)):
            owner, *members = dice.sample(people, min(len(people), dice.randint(2, 12)))
            name = f"{dice.choice(_SUBJECTS).removeprefix('the ').capitalize()} {number + 1}"
            rooms.append(create_room(owner, name=name, member_ids=[member.id for member in members]))
        return rooms

    def _messages(self, rooms: list[Room], count: int, dice: random.Random) -> None:
        humans = Membership.active.filter(room__in=rooms, user__is_bot=False).order_by("room_id", "id")
        members: dict[Any, list[Any]] = {room.id: [] for room in rooms}
        for room_id, user_id in humans.values_list("room_id", "user_id"):
            members[room_id].append(user_id)
        drafts = []
        for _ in range(count):
            room = dice.choice(rooms)
            text = f"{dice.choice(_OPENINGS)}: {dice.choice(_SUBJECTS)} {dice.choice(_ENDINGS)}"
            drafts.append(Draft(sender_id=dice.choice(members[room.id]), room=str(room.id), content=text))
        batches = [drafts[start : start + BATCH] for start in range(0, count, BATCH)]
        for batch in self._progress("Messages", batches, scale=BATCH):
            for outcome in send_messages(batch):
                if isinstance(outcome, ChatError):
                    raise CommandError(f"A message was refused: {outcome.detail}")

    def _progress(self, title: str, items: Sequence[T], *, scale: int = 1) -> Iterator[T]:
        """The items, with a bar on a terminal."""
        total, shown = len(items), sys.stdout.isatty()
        for done, item in enumerate(items, start=1):
            yield item
            if shown:
                bar = "█" * (30 * done // total)
                end = "\n" if done == total else ""
                self.stdout.write(f"\r{title:<9}▕{bar:<30}▏ {done * scale}", ending=end)


def _user(name: str, **fields: Any) -> User:
    return User.objects.create_user(
        name, f"{name}@example.com", f"{name}-demo-2026", email_verified=True, **fields
    )


def _moderators() -> Group:
    """Staff who look at all of the chat, change users and rooms, take invites back, and close reports.

    The admin's own rules still hold.
    """
    group, _ = Group.objects.get_or_create(name="Moderators")
    chat = Permission.objects.filter(
        content_type__app_label__in=["accounts", "friendships", "rooms", "messaging", "moderation"]
    )
    changes = ["change_user", "change_room", "delete_invite", "change_report"]
    allowed = Q(codename__startswith="view_") | Q(codename__in=changes)
    group.permissions.set(chat.filter(allowed))
    return group
