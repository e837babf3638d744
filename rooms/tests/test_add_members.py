from uuid import UUID, uuid4

import pytest
from django.db import transaction

from accounts.models import User
from accounts.services import update_me
from core.errors import Forbidden, NotFound
from eventlog.models import Event
from friendships.services import block_user
from rooms import services
from rooms.models import Membership, Room
from rooms.schemas import AddedMembers, FailedMember
from rooms.signals import last_messages_asked

pytestmark = pytest.mark.django_db

NOBODY = UUID(int=1)


@pytest.fixture
def dave(db):
    return User.objects.create_user("dave", "dave@example.com")


class TestService:
    def test_new_ones_are_added_and_the_others_are_told_apart(self, alice, bob, charlie, room):
        nobody = uuid4()
        outcome = services.add_members(
            alice, room_key="kitchen", user_ids=[nobody, charlie.id, bob.id, charlie.id, alice.id]
        )
        assert outcome == AddedMembers(
            added=[charlie.id], already=[bob.id, alice.id], failed=[FailedMember(nobody, "not_found")]
        )

    def test_who_blocked_the_actor_is_not_found(self, alice, charlie, dave, room):
        block_user(dave, user_id=alice.id)
        outcome = services.add_members(alice, room_key="kitchen", user_ids=[dave.id, charlie.id])
        assert outcome == AddedMembers(
            added=[charlie.id], already=[], failed=[FailedMember(dave.id, "not_found")]
        )

    def test_who_wants_only_friends_to_add_them_is_forbidden(self, alice, charlie, dave, room, befriend):
        for user in (charlie, dave):
            update_me(user, settings={"invites_from": "friends"})
        befriend(dave, alice)
        outcome = services.add_members(alice, room_key="kitchen", user_ids=[charlie.id, dave.id])
        assert outcome == AddedMembers(
            added=[dave.id], already=[], failed=[FailedMember(charlie.id, "forbidden")]
        )

    def test_of_a_member_it_is_not_asked_and_of_one_who_left_it_is(self, alice, bob, room):
        update_me(bob, settings={"invites_from": "friends"})
        assert services.add_members(alice, room_key="kitchen", user_ids=[bob.id]).already == [bob.id]
        services.leave_room(bob, room_key="kitchen")
        outcome = services.add_members(alice, room_key="kitchen", user_ids=[bob.id])
        assert outcome.failed == [FailedMember(bob.id, "forbidden")]

    def test_by_an_invite_they_come_in_themselves(self, alice, charlie, room, membership_of):
        update_me(charlie, settings={"invites_from": "friends"})
        services.accept_invite(charlie, code=services.create_invite(alice, room_key="kitchen").code)
        assert membership_of(charlie, room).is_active

    @pytest.mark.django_db(transaction=True)
    def test_nobody_is_added_after_a_switch_that_comes_at_the_same_moment(
        self, alice, charlie, room, race, membership_of
    ):
        for _ in range(10):
            update_me(charlie, settings={"invites_from": "everyone"})
            _, outcome = race(
                lambda: update_me(charlie, settings={"invites_from": "friends"}),
                lambda: services.add_members(alice, room_key="kitchen", user_ids=[charlie.id]),
            )
            assert (outcome.added == [charlie.id]) is (outcome.failed == [])
            if outcome.added:
                services.leave_room(charlie, room_key="kitchen")
            assert services.add_members(alice, room_key="kitchen", user_ids=[charlie.id]).added == []

    def test_the_room_is_counted_and_the_members_begin_at_its_end(
        self, alice, charlie, dave, room, membership_of
    ):
        Room.objects.filter(id=room.id).update(last_seq=9)
        before = room.updated_at
        services.add_members(alice, room_key=str(room.id), user_ids=[charlie.id, dave.id])
        room.refresh_from_db()
        assert room.member_count == 4
        assert room.updated_at > before
        for user in (charlie, dave):
            membership = membership_of(user, room)
            assert (membership.role, membership.left_pos, membership.joined_pos) == ("member", None, 2)
            assert (membership.last_read_seq, membership.last_delivered_seq) == (9, 9)

    def test_the_events_are_exact(self, alice, charlie, dave, room, events_of):
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id, dave.id])
        frames = events_of(room.stream)
        assert [(frame["type"], frame["pos"]) for frame in frames] == [
            ("member.added", 1),
            ("member.added", 2),
        ]
        for frame, user in zip(frames, (charlie, dave), strict=True):
            assert frame["data"] == {
                "room_id": str(room.id),
                "user": {
                    "id": str(user.id),
                    "username": user.username,
                    "display_name": user.username,
                    "avatar_url": None,
                    "is_bot": False,
                },
                "role": "member",
                "muted_until": None,
                "by": str(alice.id),
            }
            (joined,) = events_of(f"user:{user.id}")
            assert joined["type"] == "room.joined"
            assert (joined["data"]["stream"], joined["data"]["pos"]) == (room.stream, 2)
            assert joined["data"]["room"]["member_count"] == 4
            assert joined["data"]["room"]["my"]["role"] == "member"
            event = Event.objects.get(stream__name=f"user:{user.id}")
            assert (event.opens, event.opens_after) == (room.stream, 2)

    def test_nothing_new_appends_nothing(self, alice, bob, room):
        before, stamp = Event.objects.count(), Room.objects.get().updated_at
        services.add_members(alice, room_key="kitchen", user_ids=[bob.id, uuid4()])
        assert Event.objects.count() == before
        assert Room.objects.get().updated_at == stamp

    def test_one_who_comes_back_has_the_same_row_begun_anew(self, alice, bob, room, membership_of):
        Membership.objects.filter(user=bob).update(role="admin", pinned=True)
        first = membership_of(bob, room)
        services.leave_room(bob, room_key="kitchen")
        Room.objects.filter(id=room.id).update(last_seq=5)
        outcome = services.add_members(alice, room_key="kitchen", user_ids=[bob.id])
        again = membership_of(bob, room)
        assert outcome.added == [bob.id]
        assert again.id == first.id
        assert (again.role, again.left_pos, again.joined_pos, again.last_read_seq) == ("member", None, 2, 5)
        assert again.joined_at > first.joined_at
        assert again.pinned
        assert Room.objects.get().member_count == 2

    def test_the_last_message_in_room_joined_is_asked_for_nobody_in_particular(
        self, alice, charlie, dave, room, events_of
    ):
        viewers = []

        def answer(viewer, rooms, **_):
            viewers.append(viewer)
            return {room.id: {"content": "Hi"} for room in rooms}

        last_messages_asked.connect(answer)
        try:
            services.add_members(alice, room_key="kitchen", user_ids=[charlie.id, dave.id])
        finally:
            last_messages_asked.disconnect(answer)
        assert viewers == [None]
        (joined,) = events_of(f"user:{charlie.id}")
        assert joined["data"]["room"]["last_message"] == {"content": "Hi"}

    def test_an_admin_may_and_a_member_may_not(self, bob, charlie, room):
        with pytest.raises(Forbidden):
            services.add_members(bob, room_key="kitchen", user_ids=[charlie.id])
        Membership.objects.filter(user=bob).update(role="admin")
        assert services.add_members(bob, room_key="kitchen", user_ids=[charlie.id]).added == [charlie.id]

    def test_a_direct_room_takes_nobody(self, alice, bob, charlie):
        room, _ = services.open_direct_room(alice, user_id=bob.id)
        for actor, error in ((alice, Forbidden), (bob, Forbidden), (charlie, NotFound)):
            with pytest.raises(error):
                services.add_members(actor, room_key=str(room.id), user_ids=[charlie.id])

    def test_a_stranger_finds_no_room(self, charlie, room):
        with pytest.raises(NotFound):
            services.add_members(charlie, room_key="kitchen", user_ids=[charlie.id])

    @pytest.mark.django_db(transaction=True)
    def test_a_rollback_leaves_nothing(self, alice, charlie, room, committed):
        with transaction.atomic():
            services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
            assert committed == []
            transaction.set_rollback(True)
        assert committed == []
        assert not Membership.objects.filter(user=charlie).exists()
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        assert [(event.stream, event.type, event.pos) for event in committed] == [
            (room.stream, "member.added", 1),
            (f"user:{charlie.id}", "room.joined", 1),
        ]

    @pytest.mark.django_db(transaction=True)
    def test_however_many_add_the_same_user_at_once_it_is_added_once(self, alice, bob, charlie, room, race):
        Membership.objects.filter(user=bob).update(role="admin")
        for turn in range(1, 11):
            outcomes = race(
                *[lambda: services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])] * 2,
                *[lambda: services.add_members(bob, room_key="kitchen", user_ids=[charlie.id])] * 2,
            )
            assert sorted(len(outcome.added) for outcome in outcomes) == [0, 0, 0, 1]
            assert sorted(len(outcome.already) for outcome in outcomes) == [0, 1, 1, 1]
            assert Room.objects.get().member_count == 3
            events = Event.objects.filter(stream__name=room.stream).order_by("pos")
            types = list(events.values_list("type", flat=True))
            assert types == ["member.added", "member.removed"] * (turn - 1) + ["member.added"]
            services.leave_room(charlie, room_key="kitchen")

    def test_the_number_of_queries_does_not_grow_with_the_users(
        self, alice, charlie, dave, room, django_assert_max_num_queries
    ):
        users = [User.objects.create_user(f"user{n}", f"user{n}@example.com") for n in range(30)]
        with django_assert_max_num_queries(22):
            services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        with django_assert_max_num_queries(22):
            services.add_members(alice, room_key="kitchen", user_ids=[user.id for user in users])


class TestApi:
    def test_the_answer_says_what_became_of_each(self, alice, bob, charlie, room, client_of):
        nobody = str(uuid4())
        answer = client_of(alice).post(
            "/api/v1/rooms/kitchen/members", {"user_ids": [str(charlie.id), str(bob.id), nobody]}
        )
        assert answer.status_code == 200
        assert answer.json() == {
            "added": [str(charlie.id)],
            "already": [str(bob.id)],
            "failed": [{"user_id": nobody, "code": "not_found"}],
        }

    def test_who_wants_only_friends_to_add_them_is_failed(self, alice, charlie, room, client_of):
        client_of(charlie).patch("/api/v1/users/me", {"settings": {"invites_from": "friends"}})
        answer = client_of(alice).post("/api/v1/rooms/kitchen/members", {"user_ids": [str(charlie.id)]})
        assert (answer.status_code, answer.json()["added"]) == (200, [])
        assert answer.json()["failed"] == [{"user_id": str(charlie.id), "code": "forbidden"}]

    def test_a_member_gets_403(self, bob, charlie, room, client_of):
        answer = client_of(bob).post("/api/v1/rooms/kitchen/members", {"user_ids": [str(charlie.id)]})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    def test_a_stranger_gets_404(self, charlie, room, client_of):
        answer = client_of(charlie).post("/api/v1/rooms/kitchen/members", {"user_ids": [str(charlie.id)]})
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        "body",
        [{}, {"user_ids": []}, {"user_ids": ["x"]}, {"user_ids": [str(NOBODY)] * 101}],
    )
    def test_an_invalid_body_is_400(self, alice, room, client_of, body):
        answer = client_of(alice).post("/api/v1/rooms/kitchen/members", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    def test_a_role_can_not_be_assigned_on_the_way(self, alice, charlie, room, client_of):
        body = {"user_ids": [str(charlie.id)], "role": "owner"}
        answer = client_of(alice).post("/api/v1/rooms/kitchen/members", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.post("/api/v1/rooms/kitchen/members", {"user_ids": []}).status_code == 401
