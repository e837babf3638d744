"""PATCH /rooms/{id}: what a group is called, who may see, read and send in it."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import AlreadyExists, Forbidden, NotFound, RoomLocked
from eventlog.models import Event
from rooms import services
from rooms.models import Membership, Room
from tests.live import LiveServer, Person

pytestmark = pytest.mark.django_db

URL = "/api/v1/rooms/kitchen"


def update(actor, key="kitchen", **changes):
    return services.update_room(actor, room_key=key, **changes)


class TestService:
    def test_what_is_given_becomes_another_and_the_rest_stays(self, alice, room):
        before = room.updated_at
        update(alice, name="Galley", history="joined")
        room.refresh_from_db()
        assert (room.name, room.history) == ("Galley", "joined")
        assert (room.slug, room.topic, room.visibility, room.state) == ("kitchen", "", "private", "active")
        assert room.updated_at > before

    def test_the_event_is_exact(self, alice, bob, room, events_of):
        update(alice, topic="Who cooks?", slug="galley")
        (frame,) = events_of(room.stream)
        assert (frame["type"], frame["pos"]) == ("room.updated", 1)
        stamps = {key: frame["data"].pop(key) for key in ("created_at", "updated_at")}
        assert all(stamp.endswith("Z") for stamp in stamps.values())
        assert frame["data"] == {
            "id": str(room.id),
            "slug": "galley",
            "type": "group",
            "visibility": "private",
            "name": "Kitchen",
            "topic": "Who cooks?",
            "history": "all",
            "avatar_url": None,
            "state": "active",
            "member_count": 2,
            "last_seq": 0,
            "last_message": None,
        }
        event = Event.objects.get(stream__name=room.stream)
        assert (event.actor_id, event.object_id, event.ends_for, event.opens) == (alice.id, room.id, "", "")
        assert [frame["type"] for frame in events_of(f"user:{bob.id}")] == ["room.joined"]

    def test_the_same_again_changes_nothing_and_tells_nobody(self, alice, room):
        update(alice, topic="Hi")
        before, stamp = Event.objects.count(), Room.objects.get().updated_at
        for changes in ({}, {"topic": "Hi"}, {"name": "Kitchen", "slug": "kitchen", "state": "active"}):
            assert update(alice, **changes).topic == "Hi"
        assert Event.objects.count() == before
        assert Room.objects.get().updated_at == stamp

    def test_a_slug_that_is_given_up_is_free(self, alice, bob, room):
        update(alice, slug=None)
        assert services.create_room(bob, name="Another", slug="kitchen").slug == "kitchen"

    def test_a_taken_slug_is_refused_and_nothing_is_changed(self, alice, bob, room, events_of):
        services.create_room(bob, name="Another", slug="galley")
        with pytest.raises(AlreadyExists):
            update(alice, slug="galley", name="Galley")
        room.refresh_from_db()
        assert (room.name, room.slug) == ("Kitchen", "kitchen")
        assert events_of(room.stream) == []

    def test_an_admin_may_and_a_member_may_not(self, bob, dave, room):
        assert update(dave, name="Galley", state="locked", visibility="public").name == "Galley"
        with pytest.raises(Forbidden):
            update(bob, name="Mine")
        assert Room.objects.get().name == "Galley"

    def test_archiving_and_opening_again_is_for_owners(self, alice, dave, room):
        with pytest.raises(Forbidden):
            update(dave, state="archived")
        update(alice, state="archived")
        for state in ("active", "locked"):
            with pytest.raises(Forbidden):
                update(dave, state=state)
        assert update(alice, state="locked").state == "locked"
        assert update(dave, state="active").state == "active"

    def test_in_an_archived_room_nothing_is_edited_and_nobody_comes(self, alice, charlie, room, events_of):
        invite = services.create_invite(alice, room_key="kitchen")
        update(alice, state="archived", visibility="public")
        before = events_of(room.stream)
        with pytest.raises(RoomLocked):
            update(alice, name="Galley")
        with pytest.raises(RoomLocked):
            services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        with pytest.raises(RoomLocked):
            services.create_invite(alice, room_key="kitchen")
        with pytest.raises(NotFound):
            services.join_room(charlie, room_key="kitchen")
        with pytest.raises(NotFound):
            services.accept_invite(charlie, code=invite.code)
        assert events_of(room.stream) == before
        assert update(alice, state="active", name="Galley").name == "Galley"

    def test_from_an_archived_room_one_may_go_and_be_put_out(self, alice, bob, erin, room):
        update(alice, state="archived")
        services.leave_room(bob, room_key="kitchen")
        services.ban_user(alice, room_key="kitchen", user_id=erin.id)
        services.delete_room(alice, room_key="kitchen")
        assert not Membership.active.exists()

    def test_a_direct_room_stays_as_it_is(self, alice, bob, charlie):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        for actor, error in ((alice, Forbidden), (bob, Forbidden), (charlie, NotFound)):
            for changes in ({"name": "Us"}, {"state": "archived"}, {"visibility": "public"}, {}):
                with pytest.raises(error):
                    update(actor, str(room.id), **changes)

    def test_a_stranger_and_who_has_left_find_no_room(self, bob, charlie, room):
        services.leave_room(bob, room_key="kitchen")
        for actor in (bob, charlie):
            with pytest.raises(NotFound):
                update(actor, name="Mine")

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, room, announced):
        with transaction.atomic():
            update(alice, name="Galley")
            assert announced() == []
            transaction.set_rollback(True)
        assert announced() == []
        assert Room.objects.get().name == "Kitchen"
        update(alice, name="Galley")
        assert announced() == [(room.stream, "room.updated")]

    @pytest.mark.django_db(transaction=True)
    def test_of_two_rooms_that_want_a_slug_at_once_one_gets_it(self, alice, bob, race):
        rooms = [services.create_room(owner, name="Room") for owner in (alice, bob)]
        for turn in range(10):
            outcomes = race(
                *(
                    lambda owner=owner, room=room, turn=turn: update(owner, str(room.id), slug=f"slug-{turn}")
                    for owner, room in zip((alice, bob), rooms, strict=True)
                )
            )
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyExists", "Room"]

    @pytest.mark.django_db(transaction=True)
    def test_of_two_changes_at_once_both_are_kept(self, alice, dave, room, race, events_of):
        for turn in range(10):
            race(
                lambda turn=turn: update(alice, name=f"Kitchen {turn}"),
                lambda turn=turn: update(dave, topic=f"Topic {turn}"),
            )
            room.refresh_from_db()
            assert (room.name, room.topic) == (f"Kitchen {turn}", f"Topic {turn}")
            last = events_of(room.stream)[-1]["data"]
            assert (last["name"], last["topic"]) == (room.name, room.topic)


class TestApi:
    def test_the_room_comes_back_as_i_see_it(self, alice, room, client_of):
        client = client_of(alice)
        answer = client.patch(URL, {"name": " Galley ", "topic": "", "slug": "galley", "history": "joined"})
        assert answer.status_code == 200
        assert answer.json() == client.get("/api/v1/rooms/galley").json()
        assert (answer.json()["name"], answer.json()["my"]["role"]) == ("Galley", "owner")
        assert client.get(URL).status_code == 404

    def test_a_slug_of_null_is_given_up(self, alice, room, client_of):
        assert client_of(alice).patch(URL, {"slug": None}).json()["slug"] is None

    @pytest.mark.parametrize(
        ("body", "code", "attr"),
        [
            ({"name": ""}, "validation_error", "name"),
            ({"name": None}, "validation_error", "name"),
            ({"name": "x" * 101}, "validation_error", "name"),
            ({"name": "a\u202eb"}, "validation_error", "name"),
            ({"topic": "x" * 501}, "validation_error", "topic"),
            ({"topic": 5}, "validation_error", "topic"),
            ({"slug": "public"}, "validation_error", "slug"),
            ({"slug": "A"}, "validation_error", "slug"),
            ({"visibility": "secret"}, "validation_error", "visibility"),
            ({"history": "secret"}, "validation_error", "history"),
            ({"state": "deleted"}, "validation_error", "state"),
            ({"state": None}, "validation_error", "state"),
            ({"member_count": 9}, "unknown_field", "member_count"),
            ({"type": "direct"}, "unknown_field", "type"),
            ([], "validation_error", ""),
        ],
    )
    def test_an_invalid_body_is_400_and_not_repeated(self, alice, room, client_of, body, code, attr):
        answer = client_of(alice).patch(URL, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]
        assert b"secret" not in answer.content
        assert not Event.objects.filter(type="room.updated").exists()

    def test_refusals_tell_which(self, alice, bob, charlie, room, client_of):
        services.create_room(charlie, name="Another", slug="galley")
        answers = [
            client_of(charlie).patch(URL, {"name": "x"}),
            client_of(bob).patch(URL, {"name": "x"}),
            client_of(alice).patch(URL, {"slug": "galley"}),
        ]
        client_of(alice).patch(URL, {"state": "archived"})
        answers.append(client_of(alice).patch(URL, {"name": "x"}))
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (404, "not_found"),
            (403, "forbidden"),
            (409, "already_exists"),
            (403, "room_locked"),
        ]

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.patch(URL, {"name": "x"}).status_code == 401

    def test_the_number_of_queries_does_not_grow_with_the_members(self, alice, room, client_of):
        client, counts, made = client_of(alice), [], 0
        for size in (1, 10, 100):
            users = [User.objects.create_user(f"u{n}", f"u{n}@example.com") for n in range(made, size)]
            services.add_members(alice, room_key="kitchen", user_ids=[user.id for user in users])
            made = size
            with CaptureQueriesContext(connection) as queries:
                assert client.patch(URL, {"topic": f"{size} of us"}).status_code == 200
            counts.append(len(queries))
        assert len(set(counts)) == 1


class TestFrame:
    async def test_every_member_gets_the_same_bytes_and_no_stranger(self, each_server: LiveServer) -> None:
        alice, bob, charlie = (Person(each_server, name) for name in ("alice", "bob", "charlie"))
        room = alice.group(bob)
        async with alice.socket() as hers, bob.socket() as his, charlie.socket() as stranger:
            for socket in (hers, his, stranger):
                await socket.until("ready")
            alice.call("PATCH", f"/rooms/{room}", json={"topic": "Who cooks?"})
            frames = [await socket.until("room.updated") for socket in (hers, his)]
            await stranger.nothing_for()
        assert frames[0] == frames[1]
        assert (frames[0]["stream"], frames[0]["data"]["topic"]) == (f"room:{room}", "Who cooks?")
        assert not {"my", "peer"} & frames[0]["data"].keys()
