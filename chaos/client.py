"""A client as the protocol wants one: cursors, resume, repeats under the same id, fresh tokens, backoff with jitter."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import suppress
from typing import Any

import httpx
import websockets

from chaos.credentials import LONGEST_PAUSE, Credentials, NoAnswer
from chaos.history import History, Operation, Send, Session, Window
from chaos.stage import Web

PATIENCE = 5
"""Seconds without an ack after which a client takes its socket for dead."""

REST_SHARE = 0.1
"""Of a client's messages, so many go by REST."""


class Client:
    """One user on one device, talking in its rooms until told to stop, then listening until complete.

    It learns of its rooms by `room.joined` and `member.removed`, as any client does, from its first event on.
    """

    def __init__(self, name: str, history: History, dice: random.Random, webs: list[Web]) -> None:
        self.name = name
        self.history = history
        self.dice = dice
        self.webs = webs
        self.credentials = Credentials(name, dice, webs)
        self.cursors: dict[str, int] = {}
        self.talking = True
        self.pause = 0.2
        self.refreshes_in_time = dice.random() < 0.7  # the others wait for 4440
        self.web: Web | None = None
        self.unacked: Send | None = None
        self._acked = asyncio.Event()
        self._count = 0
        self._told: set[str] = set()  # streams that this session's `ready` named
        self._joined: set[str] = set()  # streams that were opened in this session
        self._tasks: set[asyncio.Task[None]] = set()

    async def register(self) -> None:
        await self.credentials.register()
        self.cursors = {self.own_stream: 0}

    @property
    def id(self) -> str:
        return self.credentials.user_id

    @property
    def own_stream(self) -> str:
        return f"user:{self.id}"

    @property
    def rooms(self) -> list[str]:
        """Those that it is in, as far as it knows."""
        return [stream.removeprefix("room:") for stream in self.cursors if stream.startswith("room:")]

    # --- Connecting -----------------------------------------------------------------------------

    async def live(self) -> None:
        """Connect, resume, talk and listen, over and over, until cancelled."""
        self._delay = 0.1
        looking = asyncio.create_task(self._look_around())
        try:
            while True:
                # Never the one that has just failed, if there is another.
                others = [web for web in self.webs if web is not self.web] or self.webs
                self.web = self.dice.choice(others if self._delay > 0.1 else self.webs)
                code = await self._connect(self.web)
                with suppress(NoAnswer):
                    if code == 4440:
                        await self.credentials.refresh()
                    elif code in (4401, 4403, 4441):
                        await self.credentials.log_in()
                await asyncio.sleep(self.dice.uniform(0, self._delay))  # full jitter
                self._delay = min(self._delay * 2, LONGEST_PAUSE)
        finally:
            looking.cancel()

    async def _connect(self, web: Web) -> int | None:
        """One session, to its end; the close code if there was one."""
        session: Session | None = None
        try:
            async with websockets.connect(web.ws, open_timeout=5, close_timeout=1, max_queue=None) as socket:
                auth = {"token": self.credentials.access, "cursors": self.cursors}
                await _send(socket, "auth", auth)
                ready = await self._until_ready(socket)
                session = Session(self.name, web.number, time.monotonic())
                self.history.sessions.append(session)
                self._delay = 0.1
                self._told, self._joined = set(ready["streams"]), set()
                await self._stay(socket)
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        except (OSError, TimeoutError, websockets.WebSocketException):
            return None
        finally:
            if session:
                session.gone = time.monotonic()
        return None

    async def _until_ready(self, socket: Any) -> dict[str, Any]:
        while True:
            frame = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE * 2))
            if frame["type"] == "ready":
                return dict(frame["data"])
            if frame["type"] == "error":
                self.history.counts[frame["data"]["code"]] += 1

    async def _stay(self, socket: Any) -> None:
        """Talk and listen until either ends. Raises what ended it."""
        both = [asyncio.create_task(self._talk(socket)), asyncio.create_task(self._listen(socket))]
        try:
            ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _listen(self, socket: Any) -> None:
        while True:
            self._take(socket, json.loads(await asyncio.wait_for(socket.recv(), PATIENCE * 2)))

    async def _renew(self, socket: Any) -> None:
        """A new token on the open socket, before the old one ends."""
        with suppress(NoAnswer, websockets.ConnectionClosed):
            await self.credentials.refresh()
            await _send(socket, "auth", {"token": self.credentials.access})

    # --- Talking --------------------------------------------------------------------------------

    async def _talk(self, socket: Any) -> None:
        """One message at a time, so that a sender's order has a meaning; ends when an ack does not come."""
        while True:
            if self.unacked is None:
                if not self.talking or not self.rooms:
                    await asyncio.sleep(0.2)
                    await _send(socket, "ping", {})
                    continue
                self.unacked = self._next()
            else:
                self.unacked.attempts += 1
            self._acked.clear()
            data = {
                "room_id": self.unacked.room,
                "content": self.unacked.content,
                "client_message_id": self.unacked.client_message_id,
            }
            if self.dice.random() < REST_SHARE:
                await self._post(data)
            else:
                await _send(socket, "message", data)
                await asyncio.wait_for(self._acked.wait(), PATIENCE)
            await asyncio.sleep(self.dice.uniform(0, 2 * self.pause))

    async def _post(self, data: dict[str, Any]) -> None:
        body = {"content": data["content"], "client_message_id": data["client_message_id"]}
        began = time.monotonic()
        try:
            answer = await self.credentials.ask("POST", f"/rooms/{data['room_id']}/messages", json=body)
        except httpx.HTTPError:
            return  # the same message again, by whichever way
        finally:
            self.history.operations.append(Operation("POST message", began, time.monotonic()))
        if answer.status_code in (200, 201):
            self._take_ack({**answer.json(), "duplicate": answer.status_code == 200})
        else:
            self._take_refusal(answer.json()["code"])

    def _next(self) -> Send:
        self._count += 1
        id_ = f"{self.name}-{self._count}"
        send = Send(id_, self.dice.choice(self.rooms), self.id, f"message {id_}", time.monotonic())
        self.history.sends[id_] = send
        return send

    async def _look_around(self) -> None:
        """Now and then a page of history over REST, as someone who scrolls."""
        while True:
            await asyncio.sleep(self.dice.uniform(1, 5))
            if not self.rooms:
                continue
            path = f"/rooms/{self.dice.choice(self.rooms)}/messages?limit=20"
            began = time.monotonic()
            try:
                answer = await self.credentials.ask("GET", path)
            except httpx.HTTPError:
                continue
            finally:
                self.history.operations.append(Operation("GET messages", began, time.monotonic()))
            if answer.status_code not in (200, 401, 403, 404, 429, 503):
                self.history.breach("only_expected_codes", f"{answer.status_code} for GET {path}")

    # --- Listening ------------------------------------------------------------------------------

    def _take(self, socket: Any, frame: dict[str, Any]) -> None:
        data: dict[str, Any] = frame.get("data") or {}
        match frame["type"]:
            case "ack":
                self._take_ack(data)
            case "error":
                self._take_refusal(data["code"])
            case "token.expiring" if self.refreshes_in_time:
                task = asyncio.create_task(self._renew(socket))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case "resync_required":
                self._resync(data)
            case "resumed":
                for stream in data["denied"]:
                    if stream not in self._joined:
                        self._close(stream)
            case _ if "pos" in frame:
                self._take_event(frame)

    def _take_ack(self, data: dict[str, Any]) -> None:
        send = self.history.sends[data["client_message_id"]]
        if send.seq not in (None, data["seq"]):
            self.history.breach(
                "nothing_is_doubled", f"{send.client_message_id}: acked as {send.seq} and {data['seq']}"
            )
        send.seq = data["seq"]
        send.acked = send.acked or time.monotonic()
        self.history.counts["duplicate acks"] += bool(data["duplicate"])
        if self.unacked is send:
            self.unacked = None
            self._acked.set()

    def _take_refusal(self, code: str) -> None:
        self.history.counts[code] += 1
        if self.unacked and code == "not_found" and self.unacked.room not in self.rooms:
            self.unacked.refused = True
            self.unacked = None
        # Otherwise refused for now: the same message again, in a moment.
        asyncio.get_running_loop().call_later(0.2, self._acked.set)

    def _take_event(self, frame: dict[str, Any]) -> None:
        stream, pos, data = frame["stream"], frame["pos"], frame["data"]
        place = self.cursors.get(stream)
        if place is None:
            if stream not in self._told:  # else it is opened by a `room.joined` that is still to come
                self.history.breach("nothing_after_a_removal", f"{self.name} got {pos} of {stream}")
            return
        if pos != place + 1:
            self.history.breach("every_step_is_one", f"{self.name} got {pos} after {place} of {stream}")
        self.cursors[stream] = max(pos, place)
        match frame["type"]:
            case "message":
                self._record(frame)
            case "room.joined":
                self._open(data["stream"], data["pos"])
            case "member.removed":
                self.history.removals.add((data["user"]["id"], data["room_id"], pos))
                if data["user"]["id"] == self.id:
                    self._close(stream)

    def _record(self, frame: dict[str, Any]) -> None:
        self.history.windows[self.name, frame["data"]["room_id"]][-1].frames.append(frame)
        send = self.history.sends.get(frame["data"]["client_message_id"])
        if send:
            now = time.monotonic()
            self.history.deliveries.append((now, now - send.began))

    def _open(self, stream: str, pos: int) -> None:
        self._joined.add(stream)
        if self.cursors.get(stream, -1) < pos:
            self._begin_window(stream, pos)

    def _resync(self, data: dict[str, Any]) -> None:
        """Events before a new membership are not to be had; any others are."""
        stream, to = data["stream"], data["to"]
        if self.cursors.get(stream, to) < to:
            self._begin_window(stream, to)
            self.history.counts["resync_required"] += 1

    def _begin_window(self, stream: str, after: int) -> None:
        self._close(stream)
        self.cursors[stream] = after
        self.history.windows.setdefault((self.name, stream.removeprefix("room:")), []).append(Window(after))

    def _close(self, stream: str) -> None:
        self._told.discard(stream)
        if self.cursors.pop(stream, None) is not None:
            self.history.windows[self.name, stream.removeprefix("room:")][-1].is_open = False


async def _send(socket: Any, type_: str, data: dict[str, Any]) -> None:
    await socket.send(json.dumps({"type": type_, "data": data}))
