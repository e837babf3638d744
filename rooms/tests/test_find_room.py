from uuid import UUID, uuid4

import pytest

from accounts.models import User
from core.errors import NotFound
from rooms import selectors, services

pytestmark = pytest.mark.django_db

ODD_KEYS = [
    "",
    "kitchen ",
    "Kitchen",
    "kitchen\n",
    "no-such-room",
    "x" * 65,
    "kit%",
    "../kitchen",
    "None",
    "🏠",
]


class TestSelectors:
    def test_id_and_slug_lead_to_the_same_room(self, bob, room):
        for key in (str(room.id), str(room.id).upper(), "kitchen"):
            assert selectors.find_room(bob, key) == room
            assert selectors.get_membership(bob.id, key).user_id == bob.id

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_another_key_leads_nowhere(self, bob, room, key):
        services.create_room(bob, name="No slug")
        with pytest.raises(NotFound):
            selectors.find_room(bob, key)

    def test_a_stranger_finds_nothing_also_when_it_is_public(self, alice, charlie, room):
        public = services.create_room(alice, name="Open", slug="open-house", visibility="public")
        for key in (str(room.id), "kitchen", str(public.id), "open-house"):
            with pytest.raises(NotFound):
                selectors.find_room(charlie, key)

    def test_one_who_left_finds_nothing(self, bob, room):
        services.leave_room(bob, room_key="kitchen")
        with pytest.raises(NotFound):
            selectors.get_membership(bob.id, "kitchen")

    def test_memberships_for_answers_each_pair_in_a_query_for_ids_and_one_for_slugs(
        self, alice, bob, charlie, room, django_assert_num_queries
    ):
        other = services.create_room(bob, name="No slug", member_ids=[charlie.id])
        there = [
            (alice.id, str(room.id)),
            (alice.id, "kitchen"),
            (bob.id, str(room.id).upper()),
            (bob.id, str(other.id)),
            (charlie.id, str(other.id)),
        ]
        not_there = [
            (charlie.id, "kitchen"),
            (alice.id, str(other.id)),
            (uuid4(), "kitchen"),
            (bob.id, str(uuid4())),
            *((bob.id, key) for key in ODD_KEYS),
        ]
        with django_assert_num_queries(2):
            found = selectors.memberships_for([*not_there, *there])
            assert set(found) == set(there)
            for (user_id, key), membership in found.items():
                assert membership.user_id == user_id
                assert key.lower() in (str(membership.room.id), membership.room.slug)

    def test_memberships_for_reads_no_more_rows_than_pairs(self, alice, bob, room):
        # Both are in both rooms, and each is asked for in one.
        other = services.create_room(bob, name="Other", member_ids=[alice.id])
        found = selectors.memberships_for([(alice.id, "kitchen"), (bob.id, str(other.id))])
        assert {(row.user_id, row.room_id) for row in found.values()} == {
            (alice.id, room.id),
            (bob.id, other.id),
        }

    def test_memberships_for_leaves_out_those_who_left(self, alice, bob, room):
        services.leave_room(bob, room_key="kitchen")
        pairs = [(alice.id, "kitchen"), (bob.id, "kitchen")]
        assert set(selectors.memberships_for(pairs)) == {pairs[0]}

    def test_memberships_for_takes_a_whole_batch(self, alice, django_assert_num_queries):
        users = [User.objects.create_user(f"user{n}", f"user{n}@example.com") for n in range(16)]
        rooms = [
            services.create_room(alice, name="Hall", member_ids=[user.id for user in users])
            for _ in range(16)
        ]
        pairs = [(user.id, str(room.id)) for user in users for room in rooms]
        with django_assert_num_queries(1):
            assert len(selectors.memberships_for(pairs)) == 256

    def test_no_pairs_cost_no_query(self, db, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert selectors.memberships_for([]) == {}

    def test_room_mates_share_a_room_now(self, alice, bob, charlie, room, django_assert_num_queries):
        everyone = [alice.id, bob.id, charlie.id, uuid4()]
        with django_assert_num_queries(1):
            assert selectors.room_mates(alice, everyone) == {bob.id}
        assert selectors.room_mates(alice, [charlie.id]) == set()
        assert selectors.room_mates(charlie, everyone) == set()
        services.leave_room(bob, room_key="kitchen")
        assert selectors.room_mates(alice, everyone) == set()


class TestApi:
    def test_a_member_sees_it_by_id_and_by_slug(self, bob, room, client_of):
        client = client_of(bob)
        by_id, by_slug = (client.get(f"/api/v1/rooms/{key}") for key in (room.id, "kitchen"))
        assert (by_id.status_code, by_slug.status_code) == (200, 200)
        assert by_id.json() == by_slug.json()
        assert by_id.json()["my"]["role"] == "member"

    @pytest.mark.parametrize(
        "key", ["no-such-room", str(UUID(int=1)), "x" * 65, "a_b", "%00", "Kitchen", "1;--"]
    )
    def test_another_key_is_404(self, bob, room, client_of, key):
        answer = client_of(bob).get(f"/api/v1/rooms/{key}")
        assert answer.status_code == 404

    def test_a_stranger_gets_404_as_for_a_room_that_is_not_there(self, charlie, room, client_of):
        client = client_of(charlie)
        there, not_there = (client.get(f"/api/v1/rooms/{key}") for key in (room.id, uuid4()))
        assert (there.status_code, not_there.status_code) == (404, 404)
        drop = {"request_id"}
        assert {k: v for k, v in there.json().items() if k not in drop} == {
            k: v for k, v in not_there.json().items() if k not in drop
        }

    def test_anonymous_gets_401(self, room, anonymous):
        assert anonymous.get(f"/api/v1/rooms/{room.id}").status_code == 401

    def test_it_takes_a_fixed_number_of_queries(self, bob, room, client_of, django_assert_num_queries):
        client = client_of(bob)
        # The session, the membership with its room, and my membership for the view.
        with django_assert_num_queries(3):
            client.get(f"/api/v1/rooms/{room.id}")
