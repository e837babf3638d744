import pytest

from realtime.router import Place
from rooms import selectors, services

pytestmark = pytest.mark.django_db


class TestSelector:
    def test_own_stream_and_rooms_with_their_heads_come_from_one_query(
        self, alice, bob, charlie, room, django_assert_num_queries
    ):
        direct, _ = services.open_direct_room(bob, user_id=charlie.id)
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id])
        with django_assert_num_queries(1):
            own, *rooms = selectors.places_of([bob.id])[bob.id]
        assert own == Place(f"user:{bob.id}", 2, 0)
        assert sorted(rooms) == sorted([Place(room.stream, 1, 0), Place(direct.stream, 0, 0)])

    def test_many_users_cost_no_more_than_one(self, alice, bob, charlie, room, django_assert_num_queries):
        each = {user.id: selectors.places_of([user.id])[user.id] for user in (alice, bob, charlie)}
        with django_assert_num_queries(1):
            assert selectors.places_of(each) == each
        assert selectors.places_of([]) == {}

    def test_since_is_where_the_membership_began(self, alice, bob, charlie, room):
        services.leave_room(bob, room_key="kitchen")
        services.add_members(alice, room_key="kitchen", user_ids=[charlie.id, bob.id])
        services.remove_member(alice, room_key="kitchen", user_id=charlie.id)
        assert Place(room.stream, 4, 3) in selectors.places_of([bob.id])[bob.id]

    def test_a_room_that_i_left_is_not_followed(self, bob, room):
        services.leave_room(bob, room_key="kitchen")
        assert selectors.places_of([bob.id]) == {bob.id: [Place(f"user:{bob.id}", 2, 0)]}

    def test_a_user_without_any_event_still_follows_their_own_stream(
        self, charlie, room, django_assert_num_queries
    ):
        with django_assert_num_queries(1):
            assert selectors.places_of([charlie.id]) == {charlie.id: [Place(f"user:{charlie.id}", 0, 0)]}
