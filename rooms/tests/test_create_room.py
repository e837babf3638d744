from uuid import UUID, uuid4

import pytest
from django.db import transaction

from accounts.services import update_me
from core.errors import AlreadyExists, ValidationFailed
from eventlog.models import Event, Stream
from friendships.services import block_user
from rooms import services
from rooms.models import Membership, Room

pytestmark = pytest.mark.django_db


class TestService:
    def test_the_maker_is_owner_and_the_others_are_members(self, alice, bob, membership_of):
        room = services.create_room(alice, name="Kitchen", member_ids=[bob.id])
        room.refresh_from_db()
        assert (room.type, room.visibility, room.state) == ("group", "private", "active")
        assert (room.member_count, room.last_seq, room.created_by) == (2, 0, alice)
        assert room.created_at == room.updated_at == room.last_activity_at
        assert membership_of(alice, room).role == "owner"
        assert membership_of(bob, room).role == "member"

    def test_the_maker_and_repeats_among_the_members_count_once(self, alice, bob):
        room = services.create_room(alice, name="Kitchen", member_ids=[bob.id, alice.id, bob.id])
        assert room.member_count == Membership.active.filter(room=room).count() == 2

    def test_an_unknown_member_is_named_by_its_place_and_nothing_is_made(self, alice, bob):
        with pytest.raises(ValidationFailed) as caught:
            services.create_room(alice, name="Kitchen", member_ids=[bob.id, uuid4()])
        assert [(error.attr, error.code) for error in caught.value.errors] == [("member_ids.1", "not_found")]
        assert not Room.objects.exists()

    def test_who_wants_only_friends_to_add_them_is_named_and_nothing_is_made(
        self, alice, bob, charlie, befriend
    ):
        for user in (alice, bob, charlie):
            update_me(user, settings={"invites_from": "friends"})
        befriend(alice, bob)
        with pytest.raises(ValidationFailed) as caught:
            services.create_room(alice, name="Kitchen", member_ids=[bob.id, alice.id, charlie.id])
        assert [(error.attr, error.code) for error in caught.value.errors] == [("member_ids.2", "forbidden")]
        assert not Room.objects.exists()
        assert not Event.objects.filter(type="room.joined").exists()
        room = services.create_room(alice, name="Kitchen", member_ids=[bob.id, alice.id])
        assert room.member_count == 2

    def test_who_blocked_the_maker_is_an_unknown_member(self, alice, bob, charlie):
        block_user(bob, user_id=alice.id)
        block_user(alice, user_id=charlie.id)
        with pytest.raises(ValidationFailed) as caught:
            services.create_room(alice, name="Kitchen", member_ids=[charlie.id, bob.id])
        assert [(error.attr, error.code) for error in caught.value.errors] == [("member_ids.1", "not_found")]
        assert services.create_room(charlie, name="Kitchen", member_ids=[bob.id]).member_count == 2

    def test_a_taken_slug_is_refused(self, alice, bob, room):
        with pytest.raises(AlreadyExists):
            services.create_room(bob, name="Another", slug="kitchen")

    def test_each_member_gets_room_joined_and_the_rooms_own_stream_stays_empty(self, alice, bob, events_of):
        room = services.create_room(alice, name="Kitchen", member_ids=[bob.id])
        assert events_of(room.stream) == []
        assert Stream.objects.get(name=room.stream).head == 0
        for user, role in ((alice, "owner"), (bob, "member")):
            (frame,) = events_of(f"user:{user.id}")
            assert (frame["type"], frame["pos"]) == ("room.joined", 1)
            assert (frame["data"]["stream"], frame["data"]["pos"]) == (room.stream, 0)
            assert frame["data"]["room"]["id"] == str(room.id)
            assert frame["data"]["room"]["my"]["role"] == role
            assert frame["data"]["room"]["peer"] is None

    def test_room_joined_opens_the_rooms_stream(self, alice, room):
        event = Event.objects.get(stream__name=f"user:{alice.id}")
        assert (event.opens, event.opens_after, event.ends_for) == (room.stream, 0, "")
        assert (event.actor_id, event.object_id) == (alice.id, room.id)

    @pytest.mark.django_db(transaction=True)
    def test_events_are_told_after_the_commit_only(self, alice, bob, committed):
        with transaction.atomic():
            services.create_room(alice, name="Kitchen", member_ids=[bob.id])
            assert committed == []
        assert [event.type for event in committed] == ["room.joined", "room.joined"]

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, committed):
        with transaction.atomic():
            services.create_room(alice, name="Kitchen")
            transaction.set_rollback(True)
        assert committed == []
        assert not Room.objects.exists()
        assert not Event.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_want_a_slug_at_once_one_gets_it(self, alice, bob, race):
        for turn in range(5):
            outcomes = race(
                lambda turn=turn: services.create_room(alice, name="A", slug=f"slug-{turn}"),
                lambda turn=turn: services.create_room(bob, name="B", slug=f"slug-{turn}"),
            )
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyExists", "Room"]
        assert Room.objects.count() == 5
        assert Stream.objects.filter(name__startswith="room:").count() == 5

    def test_the_number_of_queries_does_not_grow_with_the_members(
        self, alice, bob, charlie, django_assert_num_queries
    ):
        for name in ("warm", "up"):
            services.create_room(alice, name=name, member_ids=[bob.id, charlie.id])
        with django_assert_num_queries(14):
            services.create_room(alice, name="One", member_ids=[bob.id])
        with django_assert_num_queries(14):
            services.create_room(alice, name="Two", member_ids=[bob.id, charlie.id])


class TestApi:
    def test_a_room_is_made_and_shown_whole(self, alice, bob, client_of):
        body = {
            "name": "  Kitchen ",
            "topic": "Who cooks?",
            "slug": "kitchen-1",
            "visibility": "public",
            "member_ids": [str(bob.id)],
        }
        answer = client_of(alice).post("/api/v1/rooms", body)
        assert answer.status_code == 201
        made = answer.json()
        room = Room.objects.get()
        assert made == {
            "id": str(room.id),
            "slug": "kitchen-1",
            "type": "group",
            "visibility": "public",
            "name": "Kitchen",
            "topic": "Who cooks?",
            "history": "all",
            "avatar_url": None,
            "state": "active",
            "member_count": 2,
            "last_seq": 0,
            "last_message": None,
            "my": {
                "role": "owner",
                "last_read_seq": 0,
                "unread_count": 0,
                "silenced_until": None,
                "muted_until": None,
                "pinned": False,
            },
            "peer": None,
            "created_at": made["created_at"],
            "updated_at": made["created_at"],
        }

    def test_a_name_is_enough(self, alice, client_of):
        made = client_of(alice).post("/api/v1/rooms", {"name": "Ω👩‍🍳"}).json()
        assert (made["name"], made["topic"], made["slug"], made["visibility"]) == (
            "Ω👩‍🍳",
            "",
            None,
            "private",
        )

    def test_a_taken_slug_is_409(self, bob, room, client_of):
        answer = client_of(bob).post("/api/v1/rooms", {"name": "Another", "slug": "kitchen"})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")

    @pytest.mark.parametrize(
        ("slug", "code"),
        [
            ("direct", "reserved"),
            ("public", "reserved"),
            ("ab", "slug"),
            ("-abc", "slug"),
            ("abc-", "slug"),
            ("Kitchen", "slug"),
            ("kitchen\n", "slug"),
            ("küche", "slug"),
            ("a" * 65, "slug"),
            ("0198a1b2-0000-7000-8000-000000000001", "slug"),
            ("0198a1b2000070008000000000000001", "slug"),
            ("", "blank"),
            (7, "invalid"),
        ],
    )
    def test_an_odd_slug_is_400(self, alice, client_of, slug, code):
        answer = client_of(alice).post("/api/v1/rooms", {"name": "Kitchen", "slug": slug})
        assert answer.status_code == 400
        assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [("slug", code)]

    @pytest.mark.parametrize(
        ("body", "attr"),
        [
            ({}, "name"),
            ({"name": "  "}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"name": "a\nb"}, "name"),
            ({"name": 5}, "name"),
            ({"name": "x", "topic": "t" * 501}, "topic"),
            ({"name": "x", "visibility": "secret"}, "visibility"),
            ({"name": "x", "history": "secret"}, "history"),
            ({"name": "x", "member_ids": "all"}, "member_ids"),
            ({"name": "x", "member_ids": ["nobody"]}, "member_ids.0"),
            ({"name": "x", "member_ids": [str(UUID(int=1))] * 101}, "member_ids"),
        ],
    )
    def test_an_invalid_body_is_400_and_not_repeated(self, alice, client_of, body, attr):
        answer = client_of(alice).post("/api/v1/rooms", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]
        assert b"secret" not in answer.content
        assert not Room.objects.exists()

    def test_a_member_who_wants_only_friends_to_add_them_is_400(self, alice, bob, client_of):
        update_me(bob, settings={"invites_from": "friends"})
        answer = client_of(alice).post("/api/v1/rooms", {"name": "Kitchen", "member_ids": [str(bob.id)]})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        errors = [(error["attr"], error["code"]) for error in answer.json()["errors"]]
        assert errors == [("member_ids.0", "forbidden")]

    def test_an_unknown_key_is_400(self, alice, client_of):
        answer = client_of(alice).post("/api/v1/rooms", {"name": "Kitchen", "last_seq": 9})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")

    def test_anonymous_gets_401(self, anonymous):
        assert anonymous.post("/api/v1/rooms", {"name": "Kitchen"}).status_code == 401
