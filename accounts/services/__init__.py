"""Writes of users and sessions.

Passwords are hashed before a transaction begins: Argon2 is slow on purpose, and SQLite has one writer.
"""

from accounts.services.avatars import remove_avatar, set_avatar
from accounts.services.erasing import erase_me, erase_users, finish_erasure, unfinished_erasures
from accounts.services.exporting import export
from accounts.services.passwords import (
    PASSWORD_SECONDS,
    change_password,
    keep_new_password,
    request_password_reset,
    reset_password,
)
from accounts.services.profiles import mark_seen, update_me
from accounts.services.registering import register
from accounts.services.sessions import Device, end_session, login, logout, logout_all, refresh
from accounts.services.staff import activate_users, deactivate_users, save_user
from accounts.services.verification import resend_verification, verify_email

__all__ = [
    "PASSWORD_SECONDS",
    "Device",
    "activate_users",
    "change_password",
    "deactivate_users",
    "end_session",
    "erase_me",
    "erase_users",
    "export",
    "finish_erasure",
    "keep_new_password",
    "login",
    "logout",
    "logout_all",
    "mark_seen",
    "refresh",
    "register",
    "remove_avatar",
    "request_password_reset",
    "resend_verification",
    "reset_password",
    "save_user",
    "set_avatar",
    "unfinished_erasures",
    "update_me",
    "verify_email",
]
