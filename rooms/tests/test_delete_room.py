"""DELETE /rooms/{id}: the room is gone for everyone, and stays for the staff."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.errors import Forbidden, NotFound
from eventlog.models import Event
from messaging.models import Message
from messaging.services import Draft, send_message
from rooms import selectors, services
from rooms.models import Membership, Room

pytestmark = pytest.mark.django_db


def delete(actor, key="kitchen"):
    services.delete_room(actor, room_key=key)


def say(user, content="Hi", **fields):
    return send_message(Draft(sender_id=user.id, room="kitchen", content=content, **fields)).message


def crowd(size):
    names = [f"{uuid4().hex[:8]}-{number}" for number in range(size)]
    return [User.objects.create_user(name, f"{name}@example.com") for name in names]


class TestService:
    def test_it_is_the_last_event_of_the_room_for_everyone(self, alice, bob, room, events_of):
        say(bob)
        delete(alice)
        frame = events_of(room.stream)[-1]
        assert (frame["type"], frame["pos"]) == ("room.deleted", 2)
        assert frame["data"] == {"room_id": str(room.id), "by": str(alice.id)}
        event = Event.objects.get(stream__name=room.stream, pos=2)
        assert (event.ends_for, event.opens) == ("*", "")
        assert (event.actor_id, event.object_id) == (alice.id, room.id)

    def test_each_member_is_told_on_their_own_stream_and_who_left_before_is_not(
        self, alice, bob, charlie, room, events_of
    ):
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        services.leave_room(charlie, room_key="kitchen")
        before = events_of(f"user:{charlie.id}")
        delete(alice)
        for user in (alice, bob):
            frame = events_of(f"user:{user.id}")[-1]
            assert (frame["type"], frame["pos"]) == ("room.left", 2)
            assert frame["data"] == {"room_id": str(room.id), "reason": "deleted"}
        assert events_of(f"user:{charlie.id}") == before

    def test_memberships_end_with_it_and_the_rows_stay(self, alice, bob, room, membership_of):
        message = say(bob, "Evidence")
        before = room.updated_at
        delete(alice)
        assert [membership_of(user, room).left_pos for user in (alice, bob)] == [2, 2]
        room.refresh_from_db()
        assert (room.state, room.member_count, room.slug) == ("deleted", 0, "kitchen")
        assert room.updated_at > before
        assert Message.objects.get(id=message.id).content == "Evidence"

    def test_it_is_there_for_no_selector(self, alice, bob, room):
        say(bob)
        delete(alice)
        for user in (alice, bob):
            for key in ("kitchen", str(room.id)):
                with pytest.raises(NotFound):
                    selectors.find_room(user, key)
                assert selectors.memberships_for([(user.id, key)]) == {}
            assert not selectors.memberships_of(user).exists()
            assert not selectors.members_of(user, room).exists()
            assert selectors.unread_total(user) == 0
            assert selectors.room_streams_of(user.id, at_most=200) == []
            assert [place.stream for place in selectors.places_of([user.id])[user.id]] == [f"user:{user.id}"]
        assert selectors.room_mates(alice, [bob.id]) == set()

    def test_any_owner_may_delete_it(self, bob, room):
        Membership.objects.filter(user=bob).update(role="owner")
        delete(bob)
        assert Room.objects.get().state == "deleted"

    @pytest.mark.parametrize("role", ["member", "admin"])
    def test_others_may_not(self, bob, room, role, events_of):
        Membership.objects.filter(user=bob).update(role=role)
        with pytest.raises(Forbidden):
            delete(bob)
        assert events_of(room.stream) == []
        assert Membership.active.count() == 2

    def test_nobody_deletes_a_direct_room(self, alice, bob, charlie):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        for actor, error in ((alice, Forbidden), (bob, Forbidden), (charlie, NotFound)):
            with pytest.raises(error):
                delete(actor, str(room.id))

    def test_a_stranger_and_who_has_left_find_no_room(self, bob, charlie, room):
        services.leave_room(bob, room_key="kitchen")
        for actor in (bob, charlie):
            with pytest.raises(NotFound):
                delete(actor)

    def test_nothing_more_is_done_in_it(self, alice, bob, charlie, room, events_of):
        message = say(bob, client_message_id="one")
        delete(alice)
        before = events_of(room.stream)
        for work in (
            partial(say, bob),
            partial(say, bob, client_message_id="one"),
            partial(say, bob, reply_to=str(message.id)),
            partial(services.add_members, alice, room_key="kitchen", user_ids=[charlie.id]),
            partial(services.remove_member, alice, room_key="kitchen", user_id=bob.id),
            partial(services.leave_room, bob, room_key="kitchen"),
            partial(delete, alice),
        ):
            with pytest.raises(NotFound):
                work()
        assert events_of(room.stream) == before

    def test_it_takes_the_same_queries_however_many_members(self, alice):
        counts = []
        for size in (2, 40):
            room = services.create_room(alice, name="Big", member_ids=[user.id for user in crowd(size)])
            with CaptureQueriesContext(
                connection,
            ) as queries:
                delete(alice, str(room.id))
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_hundreds_of_members_are_told(self, alice, room):
        users = crowd(400)
        for start in range(0, 400, 100):
            part = [user.id for user in users[start : start + 100]]
            services.add_members(alice, room_key="kitchen", user_ids=part)
        delete(alice)
        assert not Membership.active.exists()
        assert Event.objects.filter(type="room.left").count() == 402

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, bob, room, committed, membership_of):
        with transaction.atomic():
            delete(alice)
            assert committed == []
            transaction.set_rollback(True)
        assert committed == []
        assert membership_of(bob, room).is_active
        assert Room.objects.get().state == "active"
        delete(alice)
        assert sorted((event.stream, event.type, event.ends_for) for event in committed) == sorted(
            [
                (room.stream, "room.deleted", "*"),
                (f"user:{alice.id}", "room.left", ""),
                (f"user:{bob.id}", "room.left", ""),
            ]
        )


@pytest.mark.django_db(transaction=True)
class TestRace:
    def test_of_two_owners_who_delete_it_at_once_one_does(self, alice, bob, room, race):
        Membership.objects.update(role="owner")
        outcomes = race(partial(delete, alice), partial(delete, bob))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "NotFound"]
        assert Event.objects.filter(type="room.deleted").count() == 1

    def test_a_send_is_before_it_or_finds_no_room(self, alice, bob, race, events_of):
        for number in range(10):
            room = services.create_room(alice, name="Room", member_ids=[bob.id])
            key = str(room.id)
            drafts = [Draft(sender_id=user.id, room=key, content="Hi") for user in (alice, bob) * 3]
            _, *sent = race(partial(delete, alice, key), *[partial(send_message, draft) for draft in drafts])
            saved = [outcome.message for outcome in sent if not isinstance(outcome, NotFound)]
            frames = events_of(room.stream)
            assert [frame["type"] for frame in frames] == ["message"] * len(saved) + ["room.deleted"], number
            assert {message.pos for message in saved} == set(range(1, len(frames)))
            assert Message.objects.filter(room=room).count() == len(saved)

    def test_who_is_added_meanwhile_is_told_too_or_never_comes(self, alice, bob, race, events_of):
        users = crowd(4)
        for _ in range(10):
            room = services.create_room(alice, name="Room", member_ids=[bob.id])
            key = str(room.id)
            _, *outcomes = race(
                partial(delete, alice, key),
                *[partial(services.add_members, alice, room_key=key, user_ids=[user.id]) for user in users],
            )
            assert events_of(room.stream)[-1]["type"] == "room.deleted"
            assert not Membership.active.filter(room=room).exists()
            for user, outcome in zip(users, outcomes, strict=True):
                of_room = [
                    frame["type"]
                    for frame in events_of(f"user:{user.id}")
                    if key in (frame["data"].get("room_id"), frame["data"].get("room", {}).get("id"))
                ]
                came = not isinstance(outcome, NotFound)
                assert of_room == (["room.joined", "room.left"] if came else [])

    def test_who_came_before_the_lock_and_after_the_look_is_told(
        self, alice, charlie, room, monkeypatch, events_of
    ):
        look, seen = services.rooms._member_ids, []

        def look_then_add(room):
            seen.append(look(room))
            if len(seen) == 1:
                services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
            return seen[-1]

        monkeypatch.setattr(services.rooms, "_member_ids", look_then_add)
        delete(alice)
        assert [len(ids) for ids in seen] == [2, 3]
        assert events_of(f"user:{charlie.id}")[-1]["data"] == {"room_id": str(room.id), "reason": "deleted"}
        assert not Membership.active.exists()


class TestApi:
    def test_it_is_gone_for_everyone(self, alice, bob, room, client_of):
        message = say(bob, "Find me")
        answer = client_of(alice).delete("/api/v1/rooms/kitchen")
        assert (answer.status_code, answer.content) == (204, b"")
        for client in (client_of(alice), client_of(bob)):
            for key in ("kitchen", room.id):
                for path in (f"/rooms/{key}", f"/rooms/{key}/members", f"/rooms/{key}/messages"):
                    assert client.get(f"/api/v1{path}").status_code == 404, path
                body = {"content": "Still there?"}
                assert client.post(f"/api/v1/rooms/{key}/messages", body).json()["code"] == "not_found"
                assert client.put(f"/api/v1/rooms/{key}/read", {"seq": 1}).status_code == 404
            assert client.get(f"/api/v1/messages/{message.id}").status_code == 404
            assert client.get("/api/v1/rooms").json()["results"] == []
            assert client.get("/api/v1/rooms", {"search": "Kitchen"}).json()["results"] == []
            snapshot = client.get("/api/v1/sync").json()
            assert (snapshot["rooms"], snapshot["unread_total"]) == ([], 0)
            assert room.stream not in snapshot["streams"]

    def test_its_slug_stays_taken(self, alice, charlie, room, client_of):
        client_of(alice).delete(f"/api/v1/rooms/{room.id}")
        answer = client_of(charlie).post("/api/v1/rooms", {"name": "Kitchen", "slug": "kitchen"})
        assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")

    def test_the_second_time_is_404(self, alice, room, client_of):
        client = client_of(alice)
        client.delete("/api/v1/rooms/kitchen")
        assert client.delete("/api/v1/rooms/kitchen").status_code == 404

    def test_who_is_no_owner_gets_403(self, bob, room, client_of):
        answer = client_of(bob).delete("/api/v1/rooms/kitchen")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_a_direct_room_is_403(self, alice, bob, client_of):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        answer = client_of(alice).delete(f"/api/v1/rooms/{room.id}")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_a_stranger_gets_404(self, charlie, room, client_of):
        assert client_of(charlie).delete("/api/v1/rooms/kitchen").status_code == 404

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.delete("/api/v1/rooms/kitchen").status_code == 401


class TestAdmin:
    def test_staff_find_it_with_its_members_and_messages(self, client, alice, bob, room):
        say(bob, "Evidence")
        delete(alice)
        client.force_login(User.objects.create_superuser("root", "root@example.com", "root-demo-2026"))
        listed = client.get("/admin/rooms/room/", {"state__exact": "deleted"})
        assert list(listed.context["cl"].result_list) == [room]
        page = client.get(f"/admin/rooms/room/{room.id}/change/").content.decode()
        assert "Deleted" in page
        assert "bob" in page
        assert (
            "Evidence"
            in client.get(f"/admin/messaging/message/{Message.objects.get().id}/change/").content.decode()
        )
