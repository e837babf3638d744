from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from core.errors import Forbidden, NotFound
from eventlog.models import Event
from rooms import services
from rooms.models import Ban

pytestmark = pytest.mark.django_db


@pytest.fixture
def banned(alice, bob, room):
    """bob, who may not come into the kitchen."""
    services.ban_user(alice, room_key="kitchen", user_id=bob.id)
    return bob


def unban(actor, user_id):
    services.unban_user(actor, room_key="kitchen", user_id=user_id)


class TestService:
    def test_the_user_may_come_again_and_is_not_brought_back(self, alice, banned, room, membership_of):
        before = Event.objects.count()
        unban(alice, banned.id)
        assert not Ban.objects.exists()
        assert not membership_of(banned, room).is_active
        assert Event.objects.count() == before
        assert services.add_members(alice, room_key="kitchen", user_ids=[banned.id]).added == [banned.id]

    def test_an_admin_may_take_back_an_owners_and_a_member_none(self, banned, dave, erin, room):
        with pytest.raises(Forbidden):
            unban(erin, banned.id)
        unban(dave, banned.id)
        assert not Ban.objects.exists()

    def test_who_is_not_banned_any_more_or_never_was_is_not_found(self, alice, banned, charlie, room):
        Ban.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        for user_id in (banned.id, charlie.id, alice.id, uuid4()):
            with pytest.raises(NotFound):
                unban(alice, user_id)

    def test_the_banned_one_and_a_stranger_find_no_room(self, banned, charlie, room):
        for actor in (banned, charlie):
            with pytest.raises(NotFound):
                unban(actor, banned.id)
        assert Ban.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_take_it_back_at_once_one_does(self, alice, banned, dave, room, race):
        outcomes = race(*(lambda actor=actor: unban(actor, banned.id) for actor in (alice, dave)))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "NotFound"]


class TestApi:
    def url(self, user):
        return f"/api/v1/rooms/kitchen/bans/{user.id}"

    def test_it_is_taken_back_once(self, alice, banned, client_of):
        client = client_of(alice)
        answer = client.delete(self.url(banned))
        assert (answer.status_code, answer.content) == (204, b"")
        again = client.delete(self.url(banned))
        assert (again.status_code, again.json()["code"]) == (404, "not_found")

    def test_refusals_tell_which(self, banned, charlie, erin, client_of):
        answers = [client_of(user).delete(self.url(banned)) for user in (erin, charlie, banned)]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (403, "forbidden"),
            (404, "not_found"),
            (404, "not_found"),
        ]

    def test_anonymous_gets_401(self, banned, anonymous):
        assert anonymous.delete(self.url(banned)).status_code == 401
