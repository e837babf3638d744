"""`settings` in GET and PATCH /users/me; what each of them does is tested where it is obeyed."""

from functools import partial

import pytest

from accounts import services
from accounts.models import User
from eventlog.log import user_stream

URL = "/api/v1/users/me"
DEFAULTS = {
    "last_seen": "everyone",
    "read_receipts": True,
    "messages_from": "everyone",
    "invites_from": "everyone",
}
OTHERS = {
    "last_seen": "nobody",
    "read_receipts": False,
    "messages_from": "friends",
    "invites_from": "friends",
}


class TestService:
    def test_what_is_as_it_was_is_no_event(self, alice, events_of):
        for settings in ({}, DEFAULTS, None):
            services.update_me(alice, settings=settings)
        assert events_of(user_stream(alice.id)) == []

    @pytest.mark.parametrize("name", DEFAULTS)
    def test_each_is_one_event_and_leaves_the_others(self, alice, announced, name):
        user = services.update_me(alice, settings={name: OTHERS[name]})
        assert {key: getattr(user, key) for key in DEFAULTS} == {**DEFAULTS, name: OTHERS[name]}
        assert User.objects.filter(**{**DEFAULTS, name: OTHERS[name]}).get() == alice

    @pytest.mark.django_db(transaction=True)
    def test_of_parallel_changes_of_two_none_is_lost(self, alice, race, events_of):
        race(*(partial(services.update_me, alice, settings={name: OTHERS[name]}) for name in OTHERS))
        assert User.objects.filter(**OTHERS).exists()
        assert events_of(user_stream(alice.id))[-1]["data"]["settings"] == OTHERS


class TestApi:
    def test_all_are_there_from_the_start(self, alice, client_of):
        assert client_of(alice).get(URL).json()["settings"] == DEFAULTS

    def test_what_is_not_given_stays_and_the_event_is_the_answer(self, alice, client_of, events_of):
        client, expected = client_of(alice), dict(DEFAULTS)
        for name, value in OTHERS.items():
            expected[name] = value
            answer = client.patch(URL, {"settings": {name: value}})
            assert (answer.status_code, answer.json()["settings"]) == (200, expected)
            event = events_of(user_stream(alice.id))[-1]
            assert (event["type"], event["data"]) == ("account.updated", answer.json())
        assert client.get(URL).json()["settings"] == OTHERS
        assert client.patch(URL, {"settings": {}, "bio": "Hello"}).json()["settings"] == OTHERS

    @pytest.mark.parametrize(
        ("change", "attr", "code"),
        [
            ({"last_seen": "strangers"}, "settings.last_seen", "invalid_choice"),
            ({"last_seen": None}, "settings.last_seen", "null"),
            ({"last_seen": ["friends"]}, "settings.last_seen", "invalid_choice"),
            ({"read_receipts": "no"}, "settings.read_receipts", "invalid"),
            ({"read_receipts": 0}, "settings.read_receipts", "invalid"),
            ({"read_receipts": None}, "settings.read_receipts", "null"),
            ({"messages_from": "nobody"}, "settings.messages_from", "invalid_choice"),
            ({"invites_from": "nobody"}, "settings.invites_from", "invalid_choice"),
            (None, "settings", "null"),
        ],
    )
    def test_an_odd_one_is_refused_and_nothing_changes(self, alice, client_of, change, attr, code):
        answer = client_of(alice).patch(URL, {"settings": change, "bio": "Hello"})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [(attr, code)]
        assert User.objects.get().bio == ""

    def test_an_unknown_one_is_refused_with_all_that_came_with_it(self, alice, client_of):
        answer = client_of(alice).patch(URL, {"settings": {"theme": "dark", "read_receipts": False}})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")
        assert [error["attr"] for error in answer.json()["errors"]] == ["settings.theme"]
        assert User.objects.get().read_receipts

    @pytest.mark.parametrize("change", ["dark", 5, []])
    def test_anything_but_an_object_is_refused(self, alice, client_of, change):
        answer = client_of(alice).patch(URL, {"settings": change})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    def test_nobody_else_sees_them(self, alice, bob, client_of):
        assert "settings" not in client_of(bob).get(f"/api/v1/users/{alice.id}").json()
