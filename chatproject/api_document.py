"""How the OpenAPI document looks as a whole; what is in it, the views say. Part of the settings."""

_DESCRIPTION = """\
Friends, rooms and messages over REST; everything live over one WebSocket at `/ws`.

- **Who asks**: `Authorization: Bearer <access>`, from `POST /api/v1/auth/login`.
- **Errors** are `application/problem+json`. `code` says which it is, `retryable` whether the same request may do later,
  `errors` what is wrong where; `request_id` finds it in the logs.
- **Lists** take `limit` and `cursor`, and give `next_cursor` and `previous_cursor`: null where there is no page.
- **Limits**: every answer says in `X-RateLimit-*` how the limit of its scope stands; a 429 says in `Retry-After` when to
  come back.
- What the caller may not see is `not_found`, like what is not there. Keys that an operation does not know are refused.
"""

SETTINGS = {
    "TITLE": "Chat",
    "DESCRIPTION": _DESCRIPTION,
    "VERSION": "1.0.0",
    "SERVERS": [{"url": "/", "description": "The server that this document comes from."}],
    "TAGS": [
        {"name": "auth", "description": "Getting in: accounts, sessions, tokens, tickets for the socket."},
        {"name": "users", "description": "My account, and who else there is."},
        {"name": "friends", "description": "Friends, friend requests and blocks."},
        {"name": "rooms", "description": "Groups and direct rooms, and who is in them."},
        {"name": "messaging", "description": "Messages, read markers, and a client's first start."},
        {"name": "moderation", "description": "What users tell the staff of."},
        {"name": "files", "description": "Bringing files, and getting at them."},
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.0",
    "ENFORCE_NON_BLANK_FIELDS": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # The enum hook renames what DRF's serializers declare; our responses are structs.
    "POSTPROCESSING_HOOKS": [],
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": True, "tryItOutEnabled": True, "docExpansion": "none"},
}
