"""What the views of accounts answer alike."""

LOGGED_OUT = ("not_authenticated", "token_invalid", "token_expired", "session_revoked")
"""The codes for who is not logged in."""
