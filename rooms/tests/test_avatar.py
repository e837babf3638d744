"""PUT and DELETE /rooms/{id}/avatar: by admins, shown to everyone in the room."""

from pathlib import Path

import pytest
from django.db import transaction

from core.errors import Forbidden, NotFound, RoomLocked
from core.storage import avatars
from rooms import services
from rooms.models import Membership, Room
from rooms.services import open_direct_room
from tests.files import huge_png, picture, upload

pytestmark = pytest.mark.django_db

URL = "/api/v1/rooms/kitchen/avatar"


@pytest.fixture
def kept(settings):
    """The names of the avatars in the store."""
    folder = Path(settings.MEDIA_ROOT, "avatars")
    before = set(folder.glob("*"))
    return lambda: {f"avatars/{path.name}" for path in set(folder.glob("*")) - before}


def show(actor, **fields):
    return services.set_avatar(actor, **{"room_key": "kitchen", "file": picture(), **fields})


class TestService:
    def test_everyone_in_the_room_is_told(self, alice, room, events_of, announced):
        show(alice)
        (event,) = events_of(room.stream)
        assert event["type"] == "room.updated"
        assert event["data"]["avatar_url"] == avatars.url(Room.objects.get().avatar) is not None
        assert {"my", "peer"} & set(event["data"]) == set()

    def test_an_admin_may_and_a_member_may_not(self, bob, room, kept):
        with pytest.raises(Forbidden):
            show(bob)
        with pytest.raises(Forbidden):
            services.remove_avatar(bob, room_key="kitchen")
        assert kept() == set()
        Membership.objects.filter(user=bob).update(role="admin")
        assert show(bob).avatar in kept()

    def test_a_direct_room_has_none(self, alice, bob):
        direct, _ = open_direct_room(alice, user_id=bob.id)
        with pytest.raises(Forbidden):
            show(alice, room_key=str(direct.id))

    def test_an_archived_room_keeps_its_face(self, alice, room, kept, events_of):
        services.update_room(alice, room_key="kitchen", state="archived")
        heard = events_of(room.stream)
        with pytest.raises(RoomLocked):
            show(alice)
        assert kept() == set()
        assert services.remove_avatar(alice, room_key="kitchen").avatar == ""
        Room.objects.update(avatar="avatars/x.webp")
        with pytest.raises(RoomLocked):
            services.remove_avatar(alice, room_key="kitchen")
        assert Room.objects.get().avatar == "avatars/x.webp"
        assert events_of(room.stream) == heard

    def test_a_stranger_finds_no_room(self, charlie, room):
        for call in (show, lambda actor: services.remove_avatar(actor, room_key="kitchen")):
            with pytest.raises(NotFound):
                call(charlie)

    @pytest.mark.django_db(transaction=True)
    def test_the_one_before_is_deleted_after_the_commit_and_kept_after_a_rollback(
        self, alice, room, kept, announced
    ):
        first = show(alice).avatar
        with transaction.atomic():
            services.remove_avatar(alice, room_key="kitchen")
            transaction.set_rollback(True)
        assert kept() == {first}
        with transaction.atomic():
            second = show(alice).avatar
            assert kept() == {first, second}
        assert kept() == {second}
        services.remove_avatar(alice, room_key="kitchen")
        assert kept() == set()
        assert [type_ for stream, type_ in announced() if stream == room.stream] == ["room.updated"] * 3

    def test_without_one_nothing_changes(self, alice, room, events_of):
        services.remove_avatar(alice, room_key="kitchen")
        assert events_of(room.stream) == []

    @pytest.mark.django_db(transaction=True)
    def test_of_several_at_once_one_is_left(self, alice, room, race, kept):
        race(*(lambda: show(alice) for _ in range(4)))
        assert kept() == {Room.objects.get().avatar}

    @pytest.mark.django_db(transaction=True)
    def test_an_admin_who_is_put_down_meanwhile_leaves_no_file(self, alice, bob, room, kept, monkeypatch):
        Membership.objects.filter(user=bob).update(role="admin")
        keep = avatars.keep

        def put_down(file):
            Membership.objects.filter(user=bob).update(role="member")
            return keep(file)

        monkeypatch.setattr(avatars, "keep", put_down)
        with pytest.raises(Forbidden):
            show(bob)
        assert kept() == set()


class TestApi:
    def test_the_room_comes_back_and_shows_it_to_others(self, alice, bob, room, client_of, events_of):
        answer = client_of(alice).put(URL, {"file": picture()}, format="multipart")
        assert answer.status_code == 200
        body = answer.json()
        assert body["my"]["role"] == "owner"
        (event,) = events_of(room.stream)
        assert event["data"] == {key: value for key, value in body.items() if key not in ("my", "peer")}
        seen = client_of(bob).get("/api/v1/rooms/kitchen").json()
        assert seen["avatar_url"] == body["avatar_url"]
        (listed,) = client_of(bob).get("/api/v1/rooms").json()["results"]
        assert listed["avatar_url"] == body["avatar_url"]

    def test_who_is_invited_sees_it(self, alice, charlie, room, client_of):
        shown = client_of(alice).put(URL, {"file": picture()}, format="multipart").json()
        code = services.create_invite(alice, room_key="kitchen").code
        preview = client_of(charlie).get(f"/api/v1/invites/{code}").json()
        assert preview["avatar_url"] == shown["avatar_url"]

    def test_it_is_taken_away(self, alice, room, client_of):
        client = client_of(alice)
        client.put(URL, {"file": picture()}, format="multipart")
        answer = client.delete(URL)
        assert (answer.status_code, answer.json()["avatar_url"]) == (200, None)

    def test_a_member_gets_403_a_stranger_404_and_anonymous_401(
        self, bob, charlie, room, client_of, anonymous
    ):
        for client, status in ((client_of(bob), 403), (client_of(charlie), 404), (anonymous, 401)):
            assert client.put(URL, {"file": picture()}, format="multipart").status_code == status
            assert client.delete(URL).status_code == status
        assert Room.objects.get().avatar == ""

    @pytest.mark.parametrize(
        ("form", "status"),
        [
            ({}, 400),
            ({"file": upload(b"")}, 400),
            ({"file": picture(), "name": "x"}, 400),
            ({"file": upload(b"<svg/>", "a.png")}, 415),
            ({"file": upload(huge_png(20_000, 20_000))}, 413),
        ],
        ids=["nothing", "empty", "another key", "svg", "huge"],
    )
    def test_an_odd_form_is_refused(self, alice, room, client_of, form, status):
        for value in form.values():
            value.seek(0) if hasattr(value, "seek") else None
        assert client_of(alice).put(URL, form, format="multipart").status_code == status
        assert Room.objects.get().avatar == ""
