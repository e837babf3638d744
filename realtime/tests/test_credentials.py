"""Credentials that don't let in, that end, and that are renewed on an open socket."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from realtime.tests.credentials import bearer, forged, ticket_of, token_that_ends_in
from realtime.tests.stage import Insider
from tests.live import LiveServer, Person, Socket


class TestBadCredential:
    """The socket is accepted, told why in an `error` frame, and closed: browsers can't read a refused handshake."""

    async def refused(self, socket: Socket) -> tuple[str, int]:
        frame = await socket.receive()
        assert frame["type"] == "error", frame
        return frame["data"]["code"], await socket.closed()

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda _: "", id="empty"),
            pytest.param(lambda _: "not.a.token", id="no token"),
            pytest.param(lambda person: person.token[:-4], id="signature cut"),
            pytest.param(lambda person: person.refresh, id="refresh token"),
            pytest.param(lambda person: forged(person.token, algorithm="none", key=""), id="alg none"),
            pytest.param(
                lambda person: forged(
                    person.token, algorithm="HS256", key="another key, and it is as long as ours"
                ),
                id="wrong key",
            ),
            pytest.param(lambda person: person.token + "A" * 60_000, id="60 KB"),
            pytest.param(lambda _: "\N{SNOWMAN}" * 3, id="not ASCII"),
        ],
    )
    async def test_a_bad_token_closes_with_4401(
        self, server: LiveServer, spoil: Callable[[Person], str]
    ) -> None:
        alice = Insider(server, "alice")
        async with Socket(server.ws) as socket:
            await socket.send("auth", {"token": spoil(alice)}, id="1")
            assert await self.refused(socket) == ("token_invalid", 4401)
            assert socket.frames[0]["id"] == "1"

    async def test_a_token_of_1_mb_is_more_than_a_frame_may_hold(self, each_server: LiveServer) -> None:
        async with Socket(each_server.ws) as socket:
            await socket.send("auth", {"token": "A" * 1_000_000})
            # Daphne lets no application say 1009; 4400 tells the client the same: mend yourself.
            assert await socket.closed() == (1009 if each_server.kind == "uvicorn" else 4400)

    async def test_an_expired_token_closes_with_4440(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        async with Socket(each_server.ws, additional_headers=bearer(token_that_ends_in(-5, alice))) as socket:
            assert await self.refused(socket) == ("token_expired", 4440)

    async def test_a_ticket_of_a_session_that_ended_closes_with_4441(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        ticket = ticket_of(alice)
        alice.call("POST", "/auth/logout")
        async with Socket(f"{server.ws}?ticket={ticket}") as socket:
            assert await self.refused(socket) == ("session_revoked", 4441)


class TestAuthAgain:
    async def test_a_new_token_keeps_the_socket_beyond_the_end_of_the_old_one(
        self, server: LiveServer
    ) -> None:
        alice = Insider(server, "alice")
        async with Socket(server.ws) as socket:
            await socket.ask("auth", {"token": token_that_ends_in(2, alice)})
            first = await socket.until("token.expiring")
            again = await socket.ask("auth", {"token": token_that_ends_in(64, alice)})
            assert again["type"] == "ready"
            # The next warning comes 60 s before the new end, so after the old one.
            second = await socket.until("token.expiring")
            assert 0 <= first["data"]["expires_in"] <= 2
            assert 55 <= second["data"]["expires_in"] <= 60
            assert (await socket.ask("ping"))["type"] == "pong"

    async def test_of_another_user_closes_with_4401(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        async with alice.socket() as socket:
            await socket.receive()
            refused = await socket.ask("auth", {"token": bob.token})
            assert (refused["type"], refused["data"]["code"]) == ("error", "token_invalid")
            assert await socket.closed() == 4401

    async def test_a_bad_token_closes_with_4401(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        async with alice.socket() as socket:
            await socket.receive()
            assert (await socket.ask("auth", {"token": "bad"}))["data"]["code"] == "token_invalid"
            assert await socket.closed() == 4401
