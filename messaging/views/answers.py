"""What any operation of messaging may answer."""

REFUSALS = ("not_authenticated", "token_invalid", "token_expired", "session_revoked", "account_suspended")
"""Codes of who may not ask at all."""
