"""The table of the security matrix: what each kind of person gets, for every operation and every frame.

A row is an operation (`PATCH /rooms/{room}`, below /api/v1) or a frame's type, its body or data if it has one, and the
outcomes: a status or `ack` or `nothing` where it is done, the code of the error where it is refused. Who is treated
alike is named together, and a later name overrides an earlier one. Names in braces are `security_stage`'s.
"""

from __future__ import annotations

from typing import Any, NamedTuple

PEOPLE = (
    *("anonymous", "suspended", "stranger", "staff", "ex_member", "banned"),
    *("blocked", "member", "admin", "owner"),
)
GROUPS = {
    "anyone": PEOPLE,
    "everyone": PEOPLE[2:],  # who may log in
    "outsiders": ("stranger", "staff", "ex_member", "banned"),
    "gone": ("ex_member", "banned"),
    "insiders": ("blocked", "member", "admin", "owner"),
    "admins": ("admin", "owner"),
}
PASSWORD = "worn-out-jumpy-tutor"


class Row(NamedTuple):
    operation: str
    body: Any
    outcomes: dict[str, int | str]

    @property
    def is_frame(self) -> bool:
        return "/" not in self.operation

    @property
    def objects(self) -> Any:
        """Where the objects are named that it is about: the path if it names any, else the body, or the frame's data."""
        return self.operation if "{" in self.operation else self.body


def row(operation: str, body: Any = None, **outcomes: int | str) -> Row:
    unknown = "not_authenticated" if "/" in operation else "auth_required"
    found: dict[str, int | str] = {"anonymous": unknown, "suspended": "account_suspended"}
    for group, outcome in outcomes.items():
        found |= dict.fromkeys(GROUPS.get(group, (group,)), outcome)
    assert found.keys() == set(PEOPLE), operation
    return Row(operation, body, found)


def for_insiders(operation: str, body: Any = None, outcome: int | str = 200) -> Row:
    return row(operation, body, outsiders="not_found", insiders=outcome)


def for_admins(operation: str, body: Any = None, outcome: int | str = 200) -> Row:
    return row(operation, body, outsiders="not_found", insiders="forbidden", admins=outcome)


def for_owners(operation: str, body: Any = None, outcome: int | str = 200) -> Row:
    return row(operation, body, outsiders="not_found", insiders="forbidden", owner=outcome)


def of_mine(operation: str, body: Any = None, outcome: int | str = 200) -> Row:
    """About a message of one's own: where it was said one may have no business any more."""
    return row(operation, body, everyone=outcome, gone="not_found")


NEWCOMER = {"username": "newcomer", "email": "newcomer@example.com", "password": PASSWORD}
LOGIN = {"login": "{username}", "password": PASSWORD}
EMAIL = {"email": "{username}@example.com"}
WRONG_CODE = EMAIL | {"code": "0000-0000"}
A_PICTURE = {"file": "a picture"}
NEW_PASSWORD = {"new_password": "jumpy-worn-out-tutor"}

ACCOUNTS = [
    row("POST /auth/register", NEWCOMER, anyone=201),
    row("POST /auth/login", LOGIN, everyone=200, anonymous="invalid_credentials"),
    row("POST /auth/refresh", {"refresh": "{refresh}"}, everyone=200, anonymous="token_invalid"),
    row("POST /auth/verify-email", WRONG_CODE, anyone="validation_error"),
    row("POST /auth/verify-email/resend", EMAIL, anyone=202),
    row("POST /auth/password/reset", EMAIL, anyone=202),
    row("POST /auth/password/reset/confirm", WRONG_CODE | NEW_PASSWORD, anyone="validation_error"),
    row("POST /auth/password/change", {"old_password": PASSWORD} | NEW_PASSWORD, everyone=204),
    row("POST /auth/logout", everyone=204),
    row("POST /auth/logout-all", everyone=204),
    row("POST /auth/ws-ticket", everyone=201),
    row("GET /auth/sessions", everyone=200),
    row("DELETE /auth/sessions/{session}", everyone=204),
    row("GET /users/me", everyone=200),
    row("PATCH /users/me", {"bio": "Hi"}, everyone=200),
    row("DELETE /users/me", {"password": PASSWORD}, everyone=204),
    row("GET /users?search=bystander", everyone=200),
    row("GET /users/presence?ids={user}", everyone=200),
    row("GET /users/{user}", everyone=200, blocked="not_found"),
    row("PUT /users/me/avatar", A_PICTURE, everyone=200),
    row("DELETE /users/me/avatar", everyone=200),
    row("GET /users/me/export", everyone=200),
]

WITH_USER, WITH_SOMEONE = {"user_id": "{user}"}, {"user_id": "{someone}"}

FRIENDSHIPS = [
    row("GET /friends", everyone=200),
    row("DELETE /friends/{friend}", everyone=204),
    row("GET /friends/requests", everyone=200),
    row("POST /friends/requests", WITH_USER, everyone=201, blocked="blocked"),
    row("DELETE /friends/requests/{asked}", everyone=204),
    row("DELETE /friends/requests/{request}", everyone="not_found"),
    row("POST /friends/requests/{request}/accept", everyone=200),
    row("POST /friends/requests/{asked}/accept", everyone="not_found"),
    row("POST /friends/requests/{request}/reject", everyone=200),
    row("POST /friends/requests/{asked}/reject", everyone="not_found"),
    row("GET /blocks", everyone=200),
    row("PUT /blocks/{user}", everyone=204),
    row("DELETE /blocks/{user}", everyone=204),
]

TOPIC, ADMIN = {"topic": "Who cooks?"}, {"role": "admin"}
NEW_MEMBER = {"user_ids": ["{someone}"]}
NEW_ROOM = {"name": "New"}

ROOMS = [
    row("GET /rooms", everyone=200),
    row("GET /rooms/public", everyone=200),
    row("POST /rooms", NEW_ROOM, everyone=201),
    row("POST /rooms", NEW_ROOM | {"member_ids": ["{user}"]}, everyone=201, blocked="validation_error"),
    row("POST /rooms/direct", WITH_USER, everyone=200, blocked="blocked"),
    row("POST /rooms/direct", WITH_SOMEONE, everyone=201),
    for_insiders("GET /rooms/{room}"),
    row("GET /rooms/{direct}", everyone=200),
    for_admins("PATCH /rooms/{room}", TOPIC),
    row("PATCH /rooms/{direct}", TOPIC, everyone="forbidden"),
    for_admins("PUT /rooms/{room}/avatar", A_PICTURE),
    row("PUT /rooms/{direct}/avatar", A_PICTURE, everyone="forbidden"),
    for_admins("DELETE /rooms/{room}/avatar"),
    row("DELETE /rooms/{direct}/avatar", everyone="forbidden"),
    for_owners("DELETE /rooms/{room}", outcome=204),
    row("DELETE /rooms/{direct}", everyone="forbidden"),
    row("POST /rooms/{room}/join", outsiders="not_found", insiders="already_member"),
    row("POST /rooms/{hall}/join", everyone=200, banned="not_found", insiders="already_member"),
    row("POST /rooms/{room}/leave", outsiders="not_found", insiders=204, owner="last_owner"),
    row("POST /rooms/{direct}/leave", everyone="forbidden"),
    for_owners("POST /rooms/{room}/transfer", WITH_USER),
    for_owners("POST /rooms/{room}/transfer", {"user_id": "{foreign_other}"}, outcome="not_found"),
    for_insiders("PATCH /rooms/{room}/me", {"pinned": True}),
    row("PATCH /rooms/{direct}/me", {"pinned": True}, everyone=200),
    for_insiders("GET /rooms/{room}/members"),
    row("GET /rooms/{direct}/members", everyone=200),
    for_admins("POST /rooms/{room}/members", NEW_MEMBER),
    row("POST /rooms/{direct}/members", NEW_MEMBER, everyone="forbidden"),
    for_owners("PATCH /rooms/{room}/members/{other}", ADMIN),
    for_admins("PATCH /rooms/{room}/members/{foreign_other}", ADMIN, outcome="not_found"),
    for_admins("DELETE /rooms/{room}/members/{other}", outcome=204),
    for_admins("DELETE /rooms/{room}/members/{foreign_other}", outcome="not_found"),
    for_admins("GET /rooms/{room}/bans"),
    for_admins("PUT /rooms/{room}/bans/{other}", {}),
    for_admins("DELETE /rooms/{room}/bans/{outcast}", outcome=204),
    for_admins("DELETE /rooms/{room}/bans/{foreign_outcast}", outcome="not_found"),
    for_admins("GET /rooms/{room}/invites"),
    for_admins("POST /rooms/{room}/invites", {}, outcome=201),
    for_admins("DELETE /rooms/{room}/invites/{invite}", outcome=204),
    for_admins("DELETE /rooms/{room}/invites/{foreign_invite}", outcome="not_found"),
    row("GET /invites/{code}", everyone=200, banned="not_found"),
    row("POST /invites/{code}/accept", everyone=200, banned="not_found", insiders="already_member"),
]

HI = {"content": "Hi"}
ANNOUNCED = {"filename": "cat.png", "content_type": "image/png", "size": 1000}
REPLY = HI | {"reply_to": "{foreign_message}"}
FORWARD, FILE = {"forward_of": "{foreign_message}"}, {"file_id": "{foreign_upload}"}

MESSAGING = [
    row("GET /sync", everyone=200),
    row("GET /unread", everyone=200),
    for_insiders("GET /rooms/{room}/messages"),
    row("GET /rooms/{direct}/messages", everyone=200),
    for_insiders("POST /rooms/{room}/messages", HI, outcome=201),
    for_insiders("POST /rooms/{room}/messages", REPLY, outcome="not_found"),
    for_insiders("POST /rooms/{room}/messages", FORWARD, outcome="not_found"),
    for_insiders("POST /rooms/{room}/messages", FILE, outcome="not_found"),
    row("POST /rooms/{direct}/messages", HI, everyone=201, blocked="blocked"),
    for_insiders("PUT /rooms/{room}/read", {"seq": 1}),
    row("PUT /rooms/{direct}/read", {"seq": 1}, everyone=200),
    for_insiders("GET /rooms/{room}/pins"),
    for_insiders("GET /messages/{message}"),
    of_mine("GET /messages/{mine}"),
    for_insiders("PATCH /messages/{message}", HI, outcome="forbidden"),
    of_mine("PATCH /messages/{mine}", HI),
    row("PATCH /messages/{direct_mine}", HI, everyone=200, blocked="blocked"),
    for_admins("DELETE /messages/{message}"),
    of_mine("DELETE /messages/{mine}"),
    row("DELETE /messages/{direct_mine}", everyone=200),
    row("DELETE /messages/{direct_message}", everyone="forbidden"),
    for_insiders("GET /messages/{message}/history"),
    for_insiders("GET /messages/{message}/receipts"),
    for_insiders("GET /messages/{message}/replies"),
    row("GET /messages/search?q=hello", everyone=200),
    for_insiders("GET /messages/search?q=hello&room_id={room}"),
    for_admins("PUT /messages/{message}/pin"),
    row("PUT /messages/{direct_message}/pin", everyone=200, blocked="blocked"),
    for_admins("DELETE /messages/{message}/pin"),
    row("DELETE /messages/{direct_message}/pin", everyone=200),
    for_insiders("PUT /messages/{message}/reactions/👍"),
    row("PUT /messages/{direct_message}/reactions/👍", everyone=200, blocked="blocked"),
    for_insiders("DELETE /messages/{message}/reactions/👍"),
    row("DELETE /messages/{direct_message}/reactions/👍", everyone=200),
]

FILES = [
    row("POST /uploads", A_PICTURE, everyone=201),
    row("POST /uploads/signature", ANNOUNCED, everyone="conflict"),
    row("POST /uploads/{upload}/complete", everyone=200),
    row("GET /files/{upload}", everyone=200),
    row("GET /files/{upload}/content", everyone=200),
    for_insiders("GET /files/{file}"),
    for_insiders("GET /files/{file}/content"),
    row("GET /files/{direct_file}", everyone=200),
]

SPAM = {"reason": "spam"}
OF_USER = SPAM | {"target_type": "user", "target_id": "{user}"}
OF_ROOM = SPAM | {"target_type": "room", "target_id": "{room}"}
OF_MESSAGE = SPAM | {"target_type": "message", "target_id": "{message}"}

MODERATION = [
    row("POST /reports", OF_USER, everyone=201, blocked="not_found"),
    for_insiders("POST /reports", OF_ROOM, outcome=201),
    for_insiders("POST /reports", OF_MESSAGE, outcome=201),
]

ROOM, DIRECT = {"room_id": "{room}"}, {"room_id": "{direct}"}
MESSAGE, MINE = {"message_id": "{message}"}, {"message_id": "{mine}"}
DIRECT_MESSAGE, DIRECT_MINE = {"message_id": "{direct_message}"}, {"message_id": "{direct_mine}"}
THUMB = {"emoji": "👍"}

FRAMES = [
    for_insiders("message", ROOM | HI, outcome="ack"),
    for_insiders("message", ROOM | REPLY, outcome="not_found"),
    for_insiders("message", ROOM | FORWARD, outcome="not_found"),
    for_insiders("message", ROOM | FILE, outcome="not_found"),
    row("message", DIRECT | HI, everyone="ack", blocked="blocked"),
    for_insiders("message.edit", MESSAGE | HI, outcome="forbidden"),
    of_mine("message.edit", MINE | HI, outcome="ack"),
    row("message.edit", DIRECT_MINE | HI, everyone="ack", blocked="blocked"),
    for_admins("message.delete", MESSAGE, outcome="ack"),
    of_mine("message.delete", MINE, outcome="ack"),
    row("message.delete", DIRECT_MINE, everyone="ack"),
    row("message.delete", DIRECT_MESSAGE, everyone="forbidden"),
    for_insiders("reaction.add", MESSAGE | THUMB, outcome="ack"),
    row("reaction.add", DIRECT_MESSAGE | THUMB, everyone="ack", blocked="blocked"),
    for_insiders("reaction.remove", MESSAGE | THUMB, outcome="ack"),
    row("reaction.remove", DIRECT_MESSAGE | THUMB, everyone="ack"),
    for_insiders("typing", ROOM | {"is_typing": True}, outcome="nothing"),
    row("typing", DIRECT | {"is_typing": True}, everyone="nothing"),
    for_insiders("read", ROOM | {"seq": 1}, outcome="ack"),
    row("read", DIRECT | {"seq": 1}, everyone="ack"),
    for_insiders("delivered", ROOM | {"seq": 1}, outcome="ack"),
    row("delivered", DIRECT | {"seq": 1}, everyone="ack"),
]

ROWS = [*ACCOUNTS, *FRIENDSHIPS, *ROOMS, *MESSAGING, *FILES, *MODERATION, *FRAMES]
