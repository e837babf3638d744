import pytest

from core.errors import Forbidden, NotFound
from rooms import services
from rooms.models import Invite, Membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def invite(alice, room):
    return services.create_invite(alice, room_key="kitchen")


def revoke(actor, code, key="kitchen"):
    services.revoke_invite(actor, room_key=key, code=code)


class TestService:
    def test_it_lets_nobody_in_any_more_and_who_came_by_it_stays(self, alice, bob, charlie, dave, invite):
        services.accept_invite(charlie, code=invite.code)
        services.leave_room(bob, room_key="kitchen")
        revoke(dave, invite.code)
        with pytest.raises(NotFound):
            services.accept_invite(bob, code=invite.code)
        assert Membership.active.filter(user=charlie).exists()

    def test_who_may_not_is_refused(self, bob, charlie, invite):
        for actor, error in ((bob, Forbidden), (charlie, NotFound)):
            with pytest.raises(error):
                revoke(actor, invite.code)
        assert Invite.objects.exists()

    def test_one_of_another_room_an_unknown_one_and_a_used_up_one_are_not_found(self, alice, bob, invite):
        other = services.create_room(bob, name="Other", member_ids=[alice.id])
        Membership.objects.filter(user=alice, room=other).update(role="admin")
        with pytest.raises(NotFound):
            revoke(alice, invite.code, str(other.id))
        with pytest.raises(NotFound):
            revoke(alice, "no-such-code")
        Invite.objects.update(max_uses=1, uses=1)
        with pytest.raises(NotFound):
            revoke(alice, invite.code)

    @pytest.mark.django_db(transaction=True)
    def test_an_acceptance_is_before_it_or_not_at_all(self, alice, charlie, room, race):
        for _ in range(20):
            invite = services.create_invite(alice, room_key="kitchen")
            revoked, accepted = race(
                lambda code=invite.code: revoke(alice, code),
                lambda code=invite.code: services.accept_invite(charlie, code=code),
            )
            assert revoked is None
            came = Membership.active.filter(user=charlie).exists()
            assert came is not isinstance(accepted, NotFound)
            if came:
                services.leave_room(charlie, room_key="kitchen")


class TestApi:
    def url(self, code):
        return f"/api/v1/rooms/kitchen/invites/{code}"

    def test_it_is_taken_back_once(self, alice, invite, client_of):
        client = client_of(alice)
        answer = client.delete(self.url(invite.code))
        assert (answer.status_code, answer.content) == (204, b"")
        assert client.delete(self.url(invite.code)).status_code == 404

    def test_refusals_tell_which(self, bob, charlie, invite, client_of):
        answers = [client_of(user).delete(self.url(invite.code)) for user in (bob, charlie)]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (403, "forbidden"),
            (404, "not_found"),
        ]

    def test_anonymous_gets_401(self, invite, anonymous):
        assert anonymous.delete(self.url(invite.code)).status_code == 401
