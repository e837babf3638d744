"""A member of staff in Django admin, as a browser would have it."""

from __future__ import annotations

from typing import Self

import httpx

from chaos.stage import PASSWORD, STAFF, Web


class Staff:
    """Logged in at one server process; `async with Staff(web) as staff`."""

    def __init__(self, web: Web) -> None:
        self._http = httpx.AsyncClient(base_url=web.server.http, timeout=20, follow_redirects=False)

    async def __aenter__(self) -> Self:
        await self._http.get("/admin/login/")
        await self._post("/admin/login/", {"username": STAFF, "password": PASSWORD, "next": "/admin/"})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def act(self, action: str, user_id: str) -> None:
        """`deactivate` or `activate` a user."""
        await self._post("/admin/accounts/user/", {"action": action, "_selected_action": user_id})

    async def _post(self, path: str, fields: dict[str, str]) -> None:
        token = self._http.cookies["csrftoken"]
        answer = await self._http.post(path, data={**fields, "csrfmiddlewaretoken": token})
        if answer.status_code != 302:  # admin redirects after what it has done, and only then
            raise RuntimeError(f"Staff were refused at {path}: {answer.status_code}")
