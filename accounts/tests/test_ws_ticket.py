"""POST /auth/ws-ticket, and spending the ticket."""

from functools import partial

import jwt
import pytest

from accounts import tokens
from accounts.models import Session
from core.errors import TokenInvalid
from realtime.router import Claims

URL = "/api/v1/auth/ws-ticket"


def test_a_ticket_opens_one_socket(alice, client_of):
    client = client_of(alice)
    response = client.post(URL)
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"ticket", "expires_in"}
    assert body["expires_in"] == 30
    claims = tokens.redeem_ticket(body["ticket"])
    session = Session.objects.get(user=alice)
    access = client._credentials["HTTP_AUTHORIZATION"].split()[1]
    expires_at = jwt.decode(access, options={"verify_signature": False})["exp"]
    assert claims == (session.id, expires_at)
    with pytest.raises(TokenInvalid):
        tokens.redeem_ticket(body["ticket"])


@pytest.mark.django_db(transaction=True)
def test_of_parallel_sockets_one_gets_in(alice, session_of, race):
    ticket = tokens.issue_ticket(session_of(alice).id, 1.0)
    outcomes = race(*[partial(tokens.redeem_ticket, ticket)] * 6)
    assert len([outcome for outcome in outcomes if isinstance(outcome, Claims)]) == 1


@pytest.mark.parametrize("ticket", ["", "x", "x" * 43, "x" * 1_000_000, "\x00" * 43, "é" * 43])
def test_what_is_no_ticket(db, ticket):
    with pytest.raises(TokenInvalid):
        tokens.redeem_ticket(ticket)


def test_an_anonymous_caller_gets_none(db, anonymous):
    assert anonymous.post(URL).json()["code"] == "not_authenticated"
