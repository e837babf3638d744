"""The same `client_message_id` again: the same message, or a conflict, whoever else sends at the moment."""

import pytest

from core.errors import IdempotencyConflict, NotFound
from eventlog.models import Event
from messaging import services
from messaging.models import Message
from rooms.models import Room
from rooms.services import create_room, leave_room

pytestmark = pytest.mark.django_db

PATH = "/api/v1/rooms/kitchen/messages"


@pytest.fixture
def bath(alice, bob):
    return create_room(alice, name="Bath", slug="bath", member_ids=[bob.id])


@pytest.fixture
def again(draft_of):
    """Sends with the id c-1; the outcome."""
    return lambda user, content="Hi", **fields: services.send_message(
        draft_of(user, content, **{"client_message_id": "c-1", **fields})
    )


class TestService:
    def test_a_repeat_is_the_first_message(self, alice, bob, room, again, say):
        first = again(alice)
        say(bob)
        repeat = again(alice)
        assert (first.duplicate, repeat.duplicate) == (False, True)
        assert (repeat.message.id, repeat.message.seq, repeat.message.pos) == (first.message.id, 1, 1)
        assert Event.objects.filter(stream__name=room.stream).count() == Message.objects.count() == 2
        room.refresh_from_db()
        assert room.last_seq == 2

    def test_the_room_by_its_id_and_by_its_slug_is_the_same_room(self, alice, room, again):
        again(alice, room="kitchen")
        assert again(alice, room=str(room.id)).duplicate
        assert again(alice, room=str(room.id).upper()).duplicate

    def test_no_content_and_empty_content_are_the_same_body(self, alice, room, again):
        again(alice, None, file_url="https://cloudinary.com/a")
        assert again(alice, "", file_url="https://cloudinary.com/a").duplicate

    @pytest.mark.parametrize(
        "change",
        [
            {"content": "Ho"},
            {"content": "hi"},
            {"content": "Hi "},
            {"content": None},
            {"file_url": "https://cloudinary.com/b"},
            {"file_url": None},
            {"reply_to": None},
            {"room": "bath"},
        ],
    )
    def test_another_body_or_room_is_a_conflict(self, alice, bath, again, say, change):
        body = {"file_url": "https://cloudinary.com/a", "reply_to": str(say(alice).id)}
        again(alice, **body)
        with pytest.raises(IdempotencyConflict):
            again(alice, **(body | change))
        assert Message.objects.count() == 2

    def test_ids_are_compared_exactly(self, alice, room, again):
        ids = ["a", "A", "a.", "a-", "0", "00"]
        assert [again(alice, client_message_id=id_).duplicate for id_ in ids] == [False] * 6

    def test_two_users_may_use_the_same_id(self, alice, bob, room, again):
        assert [again(user).duplicate for user in (alice, bob)] == [False, False]
        assert again(alice).message.seq == 1
        assert again(bob).message.seq == 2

    def test_messages_without_an_id_are_never_repeats(self, alice, room, again):
        sent = [again(alice, client_message_id=None) for _ in range(3)]
        assert [outcome.duplicate for outcome in sent] == [False] * 3

    def test_a_refused_message_does_not_use_up_its_id(self, alice, bath, room, again):
        with pytest.raises(NotFound):
            again(alice, reply_to=str(room.id))
        assert not again(alice).duplicate

    def test_a_repeat_is_found_in_a_room_that_was_locked_since(self, alice, room, again):
        again(alice)
        Room.objects.update(state="locked")
        assert again(alice).duplicate

    def test_one_who_left_finds_not_even_the_own_message(self, bob, room, again):
        again(bob)
        leave_room(bob, room_key="kitchen")
        with pytest.raises(NotFound):
            again(bob)

    def test_within_one_batch_it_is_the_same(self, alice, bob, room, bath, draft_of):
        drafts = [
            draft_of(alice, client_message_id="c-1"),
            draft_of(alice, client_message_id="c-1"),
            draft_of(bob, client_message_id="c-1"),
            draft_of(alice, "Ho", client_message_id="c-1"),
            draft_of(alice, client_message_id="c-1", room="bath"),
            draft_of(alice, client_message_id="c-1", room=str(room.id)),
        ]
        first, repeat, of_bob, other_body, other_room, by_id = services.send_messages(drafts)
        assert not first.duplicate
        assert repeat == by_id == services.Sent(first.message, duplicate=True)
        assert (of_bob.duplicate, of_bob.message.seq) == (False, 2)
        assert isinstance(other_body, IdempotencyConflict)
        assert isinstance(other_room, IdempotencyConflict)
        assert Event.objects.filter(type="message").count() == Message.objects.count() == 2

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_to_one_room_one_is_saved(self, alice, room, again, draft_of, race, rounds):
        for turn in rounds:
            draft = draft_of(alice, client_message_id=f"c-{turn}")
            outcomes = race(
                # Over REST together, and beside them on sockets, or in other processes.
                *[lambda turn=turn: again(alice, client_message_id=f"c-{turn}")] * 2,
                *[lambda draft=draft: services.send_messages([draft])[0]] * 2,
            )
            assert sorted(outcome.duplicate for outcome in outcomes) == [False, True, True, True]
            places = {(outcome.message.seq, outcome.message.pos) for outcome in outcomes}
            assert places == {(turn + 1, turn + 1)}
        room.refresh_from_db()
        assert room.last_seq == Message.objects.count() == len(rounds)

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_to_two_rooms_one_is_saved(self, alice, room, bath, again, race, rounds):
        for turn in rounds:
            outcomes = race(
                *(
                    lambda turn=turn, slug=slug: again(alice, client_message_id=f"c-{turn}", room=slug)
                    for slug in ("kitchen", "bath", "kitchen", "bath")
                )
            )
            kinds = sorted(
                type(outcome).__name__ if isinstance(outcome, Exception) else str(outcome.duplicate)
                for outcome in outcomes
            )
            assert kinds == ["False", "IdempotencyConflict", "IdempotencyConflict", "True"]
            assert Message.objects.filter(client_message_id=f"c-{turn}").count() == 1
        for each in (room, bath):
            each.refresh_from_db()
            seqs = list(Message.objects.filter(room=each).order_by("seq").values_list("seq", "pos"))
            assert seqs == [(number, number) for number in range(1, each.last_seq + 1)]
            assert Event.objects.filter(stream__name=each.stream).count() == each.last_seq
        assert room.last_seq + bath.last_seq == len(rounds)

    @pytest.mark.django_db(transaction=True)
    def test_batches_that_cross_save_each_message_once(self, alice, room, bath, draft_of, race, rounds):
        ids = [f"c-{number}" for number in range(10)]

        def send(slug, order):
            return services.send_messages(
                [draft_of(alice, client_message_id=id_, room=slug) for id_ in order]
            )

        for turn in rounds:
            mine = [f"{turn}-{id_}" for id_ in ids]
            outcomes = race(
                lambda mine=mine: send("kitchen", mine), lambda mine=mine: send("bath", mine[::-1])
            )
            kinds = [
                "conflict" if isinstance(outcome, IdempotencyConflict) else outcome.duplicate
                for batch in outcomes
                for outcome in batch
            ]
            assert (kinds.count(False), kinds.count("conflict")) == (10, 10)
            assert Message.objects.filter(client_message_id__in=mine).count() == 10


class TestApi:
    def test_a_repeat_is_200_and_says_so(self, alice, room, client_of):
        client, body = client_of(alice), {"content": "Hi", "client_message_id": "c-1"}
        first, repeat = client.post(PATH, body), client.post(PATH, body)
        assert (first.status_code, repeat.status_code) == (201, 200)
        assert "Idempotent-Replay" not in first.headers
        assert repeat.headers["Idempotent-Replay"] == "true"
        assert first.json() == repeat.json()

    def test_another_body_is_409(self, alice, room, client_of):
        client = client_of(alice)
        client.post(PATH, {"content": "Hi", "client_message_id": "c-1"})
        answer = client.post(PATH, {"content": "Ho", "client_message_id": "c-1"})
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
        assert "Idempotent-Replay" not in answer.headers
