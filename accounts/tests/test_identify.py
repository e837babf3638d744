"""Whose a session is, for many sockets at once."""

from uuid import uuid4

import pytest

from accounts import services, tokens
from accounts.models import User
from core.errors import AccountSuspended, SessionRevoked
from realtime.router import Claims

pytestmark = pytest.mark.django_db


def test_each_gets_their_own_answer_and_all_of_them_cost_one_query(
    alice, bob, charlie, session_of, django_assert_num_queries
):
    ended, suspended = session_of(bob), session_of(charlie)
    services.logout(bob, session_id=ended.id)
    User.objects.filter(id=charlie.id).update(is_active=False)
    mine = session_of(alice)
    claims = [
        Claims(ended.id, 1.0),
        Claims(mine.id, 2.0),
        Claims(suspended.id, 3.0),
        Claims(uuid4(), 4.0),
        Claims(mine.id, 5.0),
    ]
    with django_assert_num_queries(1):
        revoked, first, shut_out, unknown, second = tokens.identify(claims)
    assert isinstance(revoked, SessionRevoked)
    assert isinstance(shut_out, AccountSuspended)
    assert isinstance(unknown, SessionRevoked)
    for identity, expires_at in ((first, 2.0), (second, 5.0)):
        assert identity[:3] == (alice.id, mine.id, expires_at)
        assert identity.card.username == "alice"


def test_a_ticket_is_worth_no_more_than_its_session(alice, session_of):
    session = session_of(alice)
    ticket = tokens.issue_ticket(session.id, 1.0)
    services.logout(alice, session_id=session.id)
    [refusal] = tokens.identify([tokens.redeem_ticket(ticket)])
    assert isinstance(refusal, SessionRevoked)
