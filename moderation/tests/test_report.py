"""Telling the staff of a user, a room or a message."""

import uuid

import pytest
from django.utils import timezone

from accounts.models import User
from core.errors import NotFound, ValidationFailed
from friendships.services import block_user
from messaging.models import Message
from messaging.services import delete_message, edit_message
from moderation.models import Report
from moderation.services import report
from rooms.models import Room
from rooms.services import ban_user, delete_room, leave_room, remove_member, update_room

pytestmark = pytest.mark.django_db

URL = "/api/v1/reports"


@pytest.fixture
def targets(bob, room, said):
    """One of each type."""
    return {"user": bob.id, "room": room.id, "message": said.id}


class TestService:
    def test_a_message_is_kept_with_its_sender_and_its_room(self, alice, bob, room, said):
        made, is_new = report(alice, target_type="message", target_id=said.id, reason="spam", comment="Look!")
        assert (is_new, made.state, made.reason, made.comment) == (True, "open", "spam", "Look!")
        message, where = made.evidence["message"], made.evidence["room"]
        assert (message["id"], message["seq"], message["content"]) == (str(said.id), 1, "<b>Rubbish!</b>")
        assert (message["sender"]["id"], message["sender"]["username"]) == (str(bob.id), "bob")
        assert message["created_at"].endswith("Z")
        assert (where["id"], where["slug"], where["name"]) == (str(room.id), "kitchen", "Kitchen")

    def test_so_are_a_room_and_a_user(self, alice, bob, room):
        of_room, _ = report(alice, target_type="room", target_id=room.id, reason="spam")
        assert (of_room.evidence["room"]["topic"], of_room.evidence["room"]["member_count"]) == ("Tea", 2)
        User.objects.filter(id=bob.id).update(display_name="Bad Bob", bio="Boo")
        of_user, _ = report(alice, target_type="user", target_id=bob.id, reason="spam")
        user = of_user.evidence["user"]
        assert (user["username"], user["display_name"], user["bio"]) == ("bob", "Bad Bob", "Boo")
        assert "email" not in user

    def test_so_are_the_edits_of_a_message_the_latest_first(self, alice, bob, said):
        for content in ("Hello", "Hello!"):
            edit_message(bob.id, message_id=said.id, content=content)
        made, _ = report(alice, target_type="message", target_id=said.id, reason="abuse")
        assert made.evidence["message"]["content"] == "Hello!"
        assert [edit["content"] for edit in made.evidence["edits"]] == ["Hello", "<b>Rubbish!</b>"]
        delete_message(bob.id, message_id=said.id)
        made.refresh_from_db()
        assert made.evidence["edits"][1]["content"] == "<b>Rubbish!</b>"

    def test_a_public_room_may_be_reported_by_anyone_who_could_join(self, alice, charlie, room):
        update_room(alice, room_key="kitchen", visibility="public")
        made, _ = report(charlie, target_type="room", target_id=room.id, reason="spam")
        assert made.evidence["room"]["name"] == "Kitchen"
        ban_user(alice, room_key="kitchen", user_id=charlie.id)
        Report.objects.all().delete()
        with pytest.raises(NotFound):
            report(charlie, target_type="room", target_id=room.id, reason="spam")

    def test_the_evidence_outlives_edits_deletions_and_erasure(self, alice, bob, room, targets):
        kept = {
            type_: report(alice, target_type=type_, target_id=id_, reason="spam")[0].evidence
            for type_, id_ in targets.items()
        }
        Message.objects.update(content="", deleted_at=timezone.now())
        User.objects.filter(id=bob.id).update(username="gone", display_name="gone", bio="")
        Room.objects.update(name="Nothing", topic="")
        delete_room(alice, room_key="kitchen")
        for type_, id_ in targets.items():
            row = Report.objects.get(target_type=type_, target_id=id_)
            assert row.evidence == kept[type_]
            again, is_new = report(alice, target_type=type_, target_id=id_, reason="hate")
            assert (again.id, again.reason, is_new) == (row.id, "spam", False)

    def test_each_reporter_has_a_report_of_their_own(self, alice, bob, room):
        for user in (alice, bob):
            assert report(user, target_type="room", target_id=room.id, reason="spam")[1]
        assert Report.objects.count() == 2

    def test_what_the_reporter_can_not_see_is_not_there(self, charlie, targets):
        User.objects.filter(id=targets.pop("user")).update(is_active=False)
        targets["user"] = uuid.uuid4()
        for type_, id_ in targets.items():
            with pytest.raises(NotFound):
                report(charlie, target_type=type_, target_id=id_, reason="spam")
        assert not Report.objects.exists()

    def test_neither_is_it_to_one_who_left_or_was_removed_or_blocked(self, alice, bob, room, said):
        block_user(alice, user_id=bob.id)
        remove_member(alice, room_key="kitchen", user_id=bob.id)
        for type_, id_ in (("user", alice.id), ("room", room.id), ("message", said.id)):
            with pytest.raises(NotFound):
                report(bob, target_type=type_, target_id=id_, reason="spam")
        leave_room(alice, room_key="kitchen")
        with pytest.raises(NotFound):
            report(alice, target_type="message", target_id=said.id, reason="spam")

    def test_an_id_of_another_type_is_not_there(self, alice, room, said):
        with pytest.raises(NotFound):
            report(alice, target_type="message", target_id=room.id, reason="spam")

    def test_nobody_reports_themselves(self, alice):
        with pytest.raises(ValidationFailed):
            report(alice, target_type="user", target_id=alice.id, reason="spam")

    @pytest.mark.django_db(transaction=True)
    def test_the_same_report_twice_at_once_is_one(self, alice, said, race):
        outcomes = race(*[lambda: report(alice, target_type="message", target_id=said.id, reason="spam")] * 4)
        assert sorted(is_new for _, is_new in outcomes) == [False, False, False, True]
        assert len({made.id for made, _ in outcomes}) == Report.objects.count() == 1

    def test_nobody_is_told(self, alice, targets, committed, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            for type_, id_ in targets.items():
                report(alice, target_type=type_, target_id=id_, reason="spam")
        assert committed == []


class TestApi:
    def test_the_report_comes_back_and_a_repeat_gives_the_same(self, alice, said, client_of):
        body = {"target_type": "message", "target_id": str(said.id), "reason": " spam ", "comment": "Look!"}
        answer = client_of(alice).post(URL, body)
        assert answer.status_code == 201
        shown = dict(answer.json())
        assert shown.pop("created_at").endswith("Z")
        assert shown == {**body, "reason": "spam", "id": str(Report.objects.get().id), "state": "open"}
        repeat = client_of(alice).post(URL, body | {"reason": "hate", "comment": ""})
        assert repeat.status_code == 200
        assert repeat.json() == answer.json()

    def test_the_comment_may_be_left_out(self, alice, targets, client_of):
        for type_, id_ in targets.items():
            body = {"target_type": type_, "target_id": str(id_), "reason": "spam"}
            answer = client_of(alice).post(URL, body)
            assert (answer.status_code, answer.json()["comment"]) == (201, "")

    def test_to_a_stranger_it_is_404_as_if_it_were_not_there(self, charlie, room, said, client_of):
        client = client_of(charlie)
        for type_, id_ in (("room", room.id), ("message", said.id)):
            answers = [
                client.post(URL, {"target_type": type_, "target_id": str(one), "reason": "spam"})
                for one in (id_, uuid.uuid4())
            ]
            bodies = [answer.json() | {"request_id": ""} for answer in answers]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert bodies[0] == bodies[1]

    @pytest.mark.parametrize(
        ("change", "code", "attr"),
        [
            ({"target_type": "file"}, "validation_error", "target_type"),
            ({"target_type": None}, "validation_error", "target_type"),
            ({"target_type": ["user"]}, "validation_error", "target_type"),
            ({"target_id": "kitchen"}, "validation_error", "target_id"),
            ({"target_id": 5}, "validation_error", "target_id"),
            ({"reason": ""}, "validation_error", "reason"),
            ({"reason": "  "}, "validation_error", "reason"),
            ({"reason": "x" * 101}, "validation_error", "reason"),
            ({"reason": "a\nb"}, "validation_error", "reason"),
            ({"comment": "x" * 2001}, "validation_error", "comment"),
            ({"comment": "\0"}, "validation_error", "comment"),
            ({"comment": 5}, "validation_error", "comment"),
            ({"state": "resolved"}, "unknown_field", "state"),
            ({"evidence": {}}, "unknown_field", "evidence"),
        ],
    )
    def test_an_invalid_body_is_400(self, alice, said, client_of, change, code, attr):
        body = {"target_type": "message", "target_id": str(said.id), "reason": "spam", **change}
        answer = client_of(alice).post(URL, body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]
        assert not Report.objects.exists()

    def test_anonymous_gets_401(self, anonymous, said):
        body = {"target_type": "message", "target_id": str(said.id), "reason": "spam"}
        assert anonymous.post(URL, body).status_code == 401
