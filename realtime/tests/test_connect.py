"""Getting in: the five ways to say who one is, and what happens to those who can't."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import websockets
from django.conf import settings

from realtime.tests.credentials import bearer, subprotocols, ticket_of
from realtime.tests.stage import Insider
from tests.live import LiveServer, Socket


class TestReady:
    async def test_tells_who_i_am_and_where_my_streams_are(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        room = alice.direct_room_with(bob)
        async with alice.socket() as socket:
            ready = await socket.receive()
        assert ready["type"] == "ready"
        assert ready.keys() == {"type", "data"}
        data = ready["data"]
        assert data.keys() == {
            *("connection_id", "user", "protocol", "heartbeat_interval_ms", "limits", "streams"),
        }
        assert data["user"] == {
            "id": alice.id,
            "username": alice.username,
            "display_name": alice.username,
            "avatar_url": None,
            "is_bot": False,
        }
        assert data["protocol"] == 1
        assert data["heartbeat_interval_ms"] == settings.WS_HEARTBEAT_SECONDS * 1000
        assert data["streams"] == {f"user:{alice.id}": 1, f"room:{room}": 0}
        assert data["limits"]["message_length"] == 4000
        assert data["limits"]["frame_bytes"] == 65_536

    async def test_every_device_is_a_connection_of_its_own(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        async with alice.socket() as phone, alice.socket() as laptop:
            ids = [(await socket.receive())["data"]["connection_id"] for socket in (phone, laptop)]
        assert ids[0] != ids[1]


class TestFiveWays:
    async def test_the_authorization_header(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        async with Socket(each_server.ws, additional_headers=bearer(alice.token)) as socket:
            assert (await socket.receive())["data"]["user"]["id"] == alice.id
            assert socket.raw.subprotocol is None

    async def test_the_scheme_of_the_header_may_have_any_case(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        headers = {"Authorization": f"bearer {alice.token}"}
        async with Socket(server.ws, additional_headers=headers) as socket:
            assert (await socket.receive())["type"] == "ready"

    async def test_subprotocols_of_which_the_plain_one_is_echoed(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        async with Socket(each_server.ws, subprotocols=subprotocols(alice.token)) as socket:
            assert (await socket.receive())["data"]["user"]["id"] == alice.id
            assert socket.raw.subprotocol == "chat.v1"

    async def test_a_ticket_once(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        url = f"{each_server.ws}?ticket={ticket_of(alice)}"
        async with Socket(url) as socket:
            assert (await socket.receive())["data"]["user"]["id"] == alice.id
        async with Socket(url) as again:
            assert (await again.receive())["data"]["code"] == "token_invalid"
            assert await again.closed() == 4401

    async def test_one_of_many_sockets_wins_a_ticket(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        url = f"{server.ws}?ticket={ticket_of(alice)}"

        async def first_frame() -> str:
            async with Socket(url) as socket:
                return str((await socket.receive())["type"])

        kinds = await asyncio.gather(*(first_frame() for _ in range(8)))
        assert sorted(kinds) == ["error"] * 7 + ["ready"]

    async def test_a_token_in_the_query_with_debug(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        async with Socket(f"{each_server.ws}?token={alice.token}") as socket:
            assert (await socket.receive())["data"]["user"]["id"] == alice.id

    async def test_an_auth_frame_whose_id_ready_echoes(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        async with Socket(each_server.ws) as socket:
            ready = await socket.ask("auth", {"token": alice.token}, id="let me in")
        assert (ready["type"], ready["id"]) == ("ready", "let me in")
        assert ready["data"]["user"]["id"] == alice.id


class TestPrecedence:
    """Header, subprotocol, ticket, query token: the first that is there counts, good or bad."""

    async def test_a_good_header_wins_over_everything_after_it(self, each_server: LiveServer) -> None:
        alice, bob = Insider(each_server, "alice"), Insider(each_server, "bob")
        url = f"{each_server.ws}?token={bob.token}&ticket=bad"
        async with Socket(
            url, additional_headers=bearer(alice.token), subprotocols=subprotocols("bad")
        ) as socket:
            assert (await socket.receive())["data"]["user"]["id"] == alice.id

    async def test_a_good_subprotocol_wins_over_ticket_and_query_token(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        url = f"{server.ws}?token=bad&ticket=bad"
        async with Socket(url, subprotocols=subprotocols(alice.token)) as socket:
            assert (await socket.receive())["type"] == "ready"

    async def test_a_good_ticket_wins_over_a_query_token(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        async with Socket(f"{server.ws}?token=bad&ticket={ticket_of(alice)}") as socket:
            assert (await socket.receive())["type"] == "ready"

    async def test_a_bad_header_is_not_mended_by_what_comes_after_it(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        ticket = ticket_of(alice)
        async with Socket(
            f"{each_server.ws}?token={alice.token}&ticket={ticket}",
            additional_headers=bearer("bad"),
            subprotocols=subprotocols(alice.token),
        ) as socket:
            assert (await socket.receive())["data"]["code"] == "token_invalid"
            assert await socket.closed() == 4401
        async with Socket(f"{each_server.ws}?ticket={ticket}") as socket:
            assert (await socket.receive())["type"] == "ready", "the ticket was not looked at, so not spent"

    async def test_a_bad_subprotocol_is_not_mended_by_a_ticket(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        url = f"{server.ws}?ticket={ticket_of(alice)}"
        async with Socket(url, subprotocols=subprotocols("bad")) as socket:
            assert (await socket.receive())["type"] == "error"
            assert await socket.closed() == 4401

    async def test_a_bad_ticket_is_not_mended_by_a_query_token(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        async with Socket(f"{server.ws}?token={alice.token}&ticket=bad") as socket:
            assert (await socket.receive())["type"] == "error"
            assert await socket.closed() == 4401

    async def test_another_scheme_in_the_header_is_no_credential(self, server: LiveServer) -> None:
        alice = Insider(server, "alice")
        headers = {"Authorization": "Basic YTpi"}
        async with Socket(f"{server.ws}?token={alice.token}", additional_headers=headers) as socket:
            assert (await socket.receive())["type"] == "ready"


class TestWithoutCredential:
    async def test_other_frames_are_refused_and_the_socket_stays_open(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        async with Socket(each_server.ws) as socket:
            for kind in ("message", "ping", "resume", "no such type"):
                refused = await socket.ask(kind, {"content": "hi"})
                assert (refused["type"], refused["data"]["code"]) == ("error", "auth_required")
                assert refused["data"]["request"]["type"] == kind
            assert (await socket.ask("auth", {"token": alice.token}))["type"] == "ready"

    async def test_an_auth_frame_without_a_token_is_refused_and_may_be_mended(
        self, server: LiveServer
    ) -> None:
        alice = Insider(server, "alice")
        async with Socket(server.ws) as socket:
            refused = await socket.ask("auth", {})
            assert refused["data"]["code"] == "validation_error"
            assert [error["attr"] for error in refused["data"]["errors"]] == ["token"]
            refused = await socket.ask("auth", {"token": alice.token, "user": "bob"})
            assert refused["data"]["code"] == "unknown_field"
            assert (await socket.ask("auth", {"token": alice.token}))["type"] == "ready"


class TestPath:
    @pytest.mark.parametrize("path", ["/ws/", "/api/v1/ws", "/api/v1/ws/"])
    async def test_aliases_lead_to_the_same_socket(self, each_server: LiveServer, path: str) -> None:
        alice = Insider(each_server, "alice")
        async with Socket(
            each_server.ws.removesuffix("/ws") + path, additional_headers=bearer(alice.token)
        ) as s:
            assert (await s.receive())["type"] == "ready"

    async def test_an_unknown_path_is_refused(self, each_server: LiveServer) -> None:
        alice = Insider(each_server, "alice")
        for path in ("/", "/wss", "/ws/room", "/api/v1/rooms"):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(
                    each_server.ws.removesuffix("/ws") + path, additional_headers=bearer(alice.token)
                )
            assert refused.value.response.status_code == 403

    @pytest.mark.parametrize("path", ["/ws", "/ws/", "/api/v1/ws", "/api/v1/ws/"])
    def test_plain_http_gets_426(self, each_server: LiveServer, path: str) -> None:
        answer = httpx.get(each_server.http + path)
        assert answer.status_code == 426
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["upgrade"] == "websocket"
        assert answer.json()["code"] == "upgrade_required"


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def strict(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[LiveServer]:
    """A server that lets in one foreign origin only, and waits a second for `auth`; without DEBUG's open doors."""
    server = LiveServer(
        request.param,
        WS_ALLOWED_ORIGINS="https://chat.example",
        WS_AUTH_SECONDS="1",
        WS_QUERY_TOKEN="false",
    )
    yield server.start()
    server.close()


@pytest.mark.django_db(transaction=True)
class TestStrictServer:
    async def test_an_allowed_origin_gets_in(self, strict: LiveServer) -> None:
        alice = Insider(strict, "alice")
        async with alice.socket(origin="https://chat.example") as socket:
            assert (await socket.receive())["type"] == "ready"

    async def test_the_same_origin_gets_in(self, strict: LiveServer) -> None:
        alice = Insider(strict, "alice")
        async with alice.socket(origin=strict.http) as socket:
            assert (await socket.receive())["type"] == "ready"

    async def test_a_client_without_an_origin_gets_in(self, strict: LiveServer) -> None:
        alice = Insider(strict, "alice")
        async with alice.socket() as socket:
            assert (await socket.receive())["type"] == "ready"

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "https://chat.example.evil.example",
            "https://chat.example:444",
            "http://chat.example",
            "null",
        ],
    )
    async def test_another_origin_is_refused_before_it_is_asked_who_it_is(
        self, strict: LiveServer, origin: Any
    ) -> None:
        alice = Insider(strict, "alice")
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(strict.ws, additional_headers=bearer(alice.token), origin=origin)
        assert refused.value.response.status_code == 403

    async def test_who_says_who_they_are_in_time_stays(self, strict: LiveServer) -> None:
        alice = Insider(strict, "alice")
        async with Socket(strict.ws) as silent, Socket(strict.ws) as socket:
            assert (await socket.ask("auth", {"token": alice.token}))["type"] == "ready"
            # The silent one connected at the same time: its end says that the second is over.
            assert await silent.closed() == 4408
            assert (await socket.ask("ping"))["type"] == "pong"

    async def test_a_token_in_the_query_is_not_looked_at(self, strict: LiveServer) -> None:
        alice = Insider(strict, "alice")
        async with Socket(f"{strict.ws}?token={alice.token}") as socket:
            assert (await socket.receive())["data"]["code"] == "auth_required"
            assert await socket.closed() == 4408
