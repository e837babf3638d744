"""A user's tokens, and REST requests with them: what a client app keeps in its secure storage."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import httpx

from chaos.stage import PASSWORD, Web

ATTEMPTS = 16
LONGEST_PAUSE = 2
"""Seconds between a client's tries, for a token as for a socket: nobody sleeps on after an outage has ended."""


class NoAnswer(Exception):
    """No server process answered in good time."""


class Credentials:
    """One session of one user; logs in again where the session can't go on.

    Args:
        webs: whom to ask, one of them each time.
    """

    def __init__(self, name: str, dice: random.Random, webs: list[Web]) -> None:
        self.name = name
        self.access = self.user_id = ""
        self._refresh = ""
        self._dice = dice
        self.webs = webs
        self._http = httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))

    async def register(self) -> None:
        body = {"username": self.name, "email": f"{self.name}@example.com", "password": PASSWORD}
        answer = await self._until_answered("/auth/register", body)
        answer.raise_for_status()
        self.user_id = answer.json()["user"]["id"]
        self._keep(answer)

    async def log_in(self) -> None:
        """A new session; waits for as long as the account is suspended."""
        while True:
            answer = await self._until_answered("/auth/login", {"login": self.name, "password": PASSWORD})
            if answer.status_code == 200:
                self._keep(answer)
                return
            await asyncio.sleep(0.5)

    async def refresh(self) -> None:
        """New tokens for the old ones. A refresh whose answer was lost has spent them: then log in."""
        answer = await self._until_answered("/auth/refresh", {"refresh": self._refresh})
        if answer.status_code == 200:
            self._keep(answer)
        else:
            await self.log_in()

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request to one server process, whatever comes of it. Raises httpx.HTTPError."""
        headers = {"Authorization": f"Bearer {self.access}"} if self.access else {}
        url = f"{self._dice.choice(self.webs).http}/api/v1{path}"
        return await self._http.request(method, url, headers=headers, **options)

    async def must(self, method: str, path: str, **options: Any) -> Any:
        """The body of a request that must succeed, at whichever process. Raises NoAnswer."""
        status = 0
        for attempt in range(ATTEMPTS):
            try:
                answer = await self.ask(method, path, **options)
            except httpx.HTTPError:
                status = 0
            else:
                status = answer.status_code
                if answer.is_success:
                    return answer.json() if answer.content else None
                if status == 401:
                    await self.refresh()
            await asyncio.sleep(min(0.1 * 2**attempt, LONGEST_PAUSE))
        raise NoAnswer(f"{method} {path}: {status}")

    async def _until_answered(self, path: str, body: dict[str, Any]) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            url = f"{self._dice.choice(self.webs).http}/api/v1{path}"
            try:
                answer = await self._http.post(url, json=body)
            except httpx.HTTPError:
                pass
            else:
                if answer.status_code < 500:
                    return answer
            await asyncio.sleep(self._dice.uniform(0, min(0.1 * 2**attempt, LONGEST_PAUSE)))
        raise NoAnswer(path)

    def _keep(self, answer: httpx.Response) -> None:
        tokens = answer.json()
        self.access, self._refresh = tokens["access"], tokens["refresh"]
