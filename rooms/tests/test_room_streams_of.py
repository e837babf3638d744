"""The rooms in which a user's presence is told."""

from eventlog.log import room_stream
from rooms.selectors import room_streams_of
from rooms.services import create_room, leave_room, open_direct_room


def test_rooms_of_others_and_rooms_left_are_none(alice, bob, charlie):
    create_room(bob, name="Theirs", member_ids=[charlie.id])
    left = create_room(bob, name="Left", member_ids=[alice.id])
    leave_room(alice, room_key=str(left.id))
    group = create_room(alice, name="Kitchen", member_ids=[bob.id])
    direct, _ = open_direct_room(alice, user_id=bob.id)
    assert set(room_streams_of(alice.id, at_most=9)) == {room_stream(group.id), room_stream(direct.id)}


def test_rooms_with_more_members_are_none(alice, bob, charlie, django_assert_num_queries):
    two = create_room(alice, name="Two", member_ids=[bob.id])
    create_room(alice, name="Three", member_ids=[bob.id, charlie.id])
    with django_assert_num_queries(1):
        assert room_streams_of(alice.id, at_most=2) == [room_stream(two.id)]
