import msgspec
import pytest

from rooms.schemas import room_frame, room_views
from rooms.signals import last_messages_asked

pytestmark = pytest.mark.django_db


class TestSchema:
    def test_a_frame_has_the_rooms_keys_without_those_of_a_viewer(self, alice, room):
        frame = msgspec.to_builtins(room_frame(room))
        (view,) = map(msgspec.to_builtins, room_views(alice, [room]))
        assert view.keys() - frame.keys() == {"my", "peer"}
        assert {key: view[key] for key in frame} == frame

    def test_it_takes_no_query_and_asks_for_nobody_in_particular(self, room, django_assert_num_queries):
        asked = []

        def answer(viewer, rooms, **_):
            asked.append((viewer, list(rooms)))
            return {room.id: {"content": "Hi"}}

        last_messages_asked.connect(answer)
        try:
            with django_assert_num_queries(0):
                frame = room_frame(room)
        finally:
            last_messages_asked.disconnect(answer)
        assert frame.last_message == {"content": "Hi"}
        assert asked == [(None, [room])]

    def test_a_view_for_one_who_is_no_member_has_no_my(self, charlie, room):
        (view,) = room_views(charlie, [room])
        assert view.my is None
