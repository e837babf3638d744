"""GET /users/me/export: a zip of all that is mine, as it was at one moment."""

import json
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services
from accounts.models import User
from core.errors import RateLimited
from friendships.services import accept_request, block_user, request_friendship
from messaging import services as messaging
from messaging.models import Message
from moderation.services import report
from rooms.services import create_room, leave_room, open_direct_room
from tests.files import upload

pytestmark = pytest.mark.django_db

URL = "/api/v1/users/me/export"


@pytest.fixture
def exported():
    """What a user's export has in each file, decoded; its README.txt as text."""

    def read(user):
        with services.export(user) as file, ZipFile(file) as archive:
            assert archive.testzip() is None
            return {name: decoded(name, archive.read(name).decode()) for name in archive.namelist()}

    return read


def decoded(name, text):
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines() if line]
    return json.loads(text) if name.endswith(".json") else text


@pytest.fixture
def say(alice, bob):
    """Sends a message of a user's to a room of alice and bob."""
    room = create_room(alice, name="Kitchen", member_ids=[bob.id])

    def send(user, content="", **fields):
        draft = messaging.Draft(sender_id=user.id, room=str(room.id), content=content, **fields)
        return messaging.send_message(draft).message

    return send


class TestService:
    def test_the_readme_names_every_file(self, alice, exported):
        files = exported(alice)
        listed = {line.split()[0] for line in files.pop("README.txt").splitlines() if ".json" in line[:20]}
        assert listed == set(files)

    def test_it_has_my_account_and_my_logins(self, alice, exported, session_of):
        services.update_me(alice, bio="I cook.")
        session = session_of(alice)
        services.logout(alice, session_id=session.id)
        files = exported(alice)
        (profile,) = files["profile.json"]
        assert (profile["username"], profile["email"], profile["bio"]) == ("alice", alice.email, "I cook.")
        assert "password" not in profile
        (login,) = files["sessions.json"]
        assert login["id"] == str(session.id)
        assert login["ended_at"] is not None

    def test_it_has_my_friends_requests_and_blocks(self, alice, bob, charlie, exported):
        accept_request(alice, request_id=request_friendship(bob, user_id=alice.id, message="Hi").id)
        request_friendship(alice, user_id=charlie.id, message="Please")
        dora = User.objects.create_user("dora", "dora@example.com")
        block_user(alice, user_id=dora.id)
        files = exported(alice)
        assert [row["user"]["username"] for row in files["friends.json"]] == ["bob"]
        assert [(row["message"], row["status"]) for row in files["requests.json"]] == [
            ("Please", "pending"),
            ("Hi", "accepted"),
        ]
        assert [row["user"]["username"] for row in files["blocks.json"]] == ["dora"]

    def test_it_has_the_rooms_that_i_am_in_and_of_others_no_more_than_that_i_was(self, alice, bob, exported):
        left = create_room(bob, name="Garage", member_ids=[alice.id])
        leave_room(alice, room_key=str(left.id))
        create_room(alice, name="Kitchen")
        open_direct_room(alice, user_id=bob.id)
        rows = exported(alice)["rooms.json"]
        assert [(row["room"], row["is_member"], row["role"]) for row in rows] == [
            (None, False, "member"),
            ("Kitchen", True, "owner"),
            ("", True, "member"),
        ]
        assert [row["peer"] and row["peer"]["username"] for row in rows] == [None, None, "bob"]

    def test_it_has_what_i_said_also_before_i_edited_it_and_nothing_that_others_said(
        self, alice, bob, say, exported
    ):
        secret = say(bob, "bob's own words")
        mine = say(alice, "first", reply_to=str(secret.id))
        messaging.edit_message(alice.id, message_id=mine.id, content="second")
        messaging.edit_message(alice.id, message_id=mine.id, content="third")
        messaging.add_reaction(alice.id, message_id=secret.id, emoji="👍")
        messaging.add_reaction(alice.id, message_id=secret.id, emoji="🎉")
        messaging.add_reaction(bob.id, message_id=mine.id, emoji="👎")
        files = exported(alice)
        (message,) = files["messages.jsonl"]
        assert (message["content"], message["reply_to"]) == ("third", str(secret.id))
        assert [row["content"] for row in files["edits.jsonl"]] == ["first", "second"]
        reactions = {(row["message_id"], row["emoji"]) for row in files["reactions.jsonl"]}
        assert reactions == {(str(secret.id), "👍"), (str(secret.id), "🎉")}
        assert "bob's own words" not in json.dumps(files)

    def test_it_lists_my_files_and_the_message_that_has_each(self, alice, bob, say, exported):
        sent, unsent = (messaging.upload_file(alice, file=upload(b"Hi", "note.txt")) for _ in range(2))
        message = say(alice, file_id=str(sent.id))
        say(alice, None, forward_of=str(message.id))
        say(bob, None, forward_of=str(message.id))
        rows = exported(alice)["files.jsonl"]
        assert [(row["id"], row["name"], row["size"], row["message_id"]) for row in rows] == [
            (str(sent.id), "note.txt", 2, str(message.id)),
            (str(unsent.id), "note.txt", 2, None),
        ]
        assert exported(bob)["files.jsonl"] == []

    def test_it_has_what_i_reported(self, alice, bob, exported):
        report(alice, target_type="user", target_id=bob.id, reason="spam")
        assert [row["reason"] for row in exported(alice)["reports.json"]] == ["spam"]
        assert exported(bob)["reports.json"] == []

    def test_a_long_life_comes_whole_and_a_page_at_a_time(self, alice, say, exported):
        first = say(alice, "1")
        Message.objects.bulk_create(
            Message(room=first.room, seq=seq, pos=seq, sender=alice, content=str(seq))
            for seq in range(2, 4502)
        )
        with CaptureQueriesContext(connection) as queries:
            rows = exported(alice)["messages.jsonl"]
        assert sorted(row["seq"] for row in rows) == list(range(1, 4502))
        assert (
            sum("LIMIT 2000" in query["sql"] and "messaging_message" in query["sql"] for query in queries)
            >= 3
        )

    @pytest.mark.django_db(transaction=True)
    def test_what_is_said_meanwhile_is_not_in_it(self, alice, say, race, exported):
        """A reader's snapshot: seqs have no hole at the end of which something later is."""
        say(alice, "0")
        _, files = race(lambda: [say(alice, str(n)) for n in range(1, 20)], lambda: exported(alice))
        seqs = sorted(row["seq"] for row in files["messages.jsonl"])
        assert seqs == list(range(1, len(seqs) + 1))

    def test_it_is_had_a_few_times_an_hour(self, alice, bob, exported, settings):
        settings.EXPORTS_PER_HOUR = 3
        for _ in range(3):
            exported(alice)
        with pytest.raises(RateLimited) as refused:
            services.export(alice)
        assert timedelta(seconds=refused.value.retry_after) > timedelta(minutes=1)
        exported(bob)


class TestApi:
    def test_i_get_a_zip(self, alice, client_of):
        answer = client_of(alice).get(URL)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
        assert answer["Content-Disposition"] == 'attachment; filename="export.zip"'
        assert answer["Cache-Control"] == "no-store"
        content = b"".join(answer.streaming_content)
        assert len(content) == int(answer["Content-Length"])
        assert "profile.json" in ZipFile(BytesIO(content)).namelist()

    def test_too_many_are_429(self, alice, client_of, settings):
        settings.EXPORTS_PER_HOUR = 3
        for _ in range(3):
            services.export(alice).close()
        answer = client_of(alice).get(URL)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert int(float(answer["Retry-After"])) > 60

    def test_anonymous_gets_401(self, anonymous):
        answer = anonymous.get(URL)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
